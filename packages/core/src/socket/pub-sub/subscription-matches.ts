const dot = 0x2e;
const asterisk = 0x2a;
const tail = 0x3e;

/** Whether a subscription matches one topic; takes no longer than the topic is long, and no memory. */
export function subscriptionMatches(subscription: string, topic: string): boolean {
  let at = 0;
  let topicAt = 0;
  for (;;) {
    const first = subscription.charCodeAt(at);
    if (first === tail && at + 1 === subscription.length) return true;
    if (first === asterisk && isTokenEnd(subscription, at + 1)) {
      at++;
      while (!isTokenEnd(topic, topicAt)) topicAt++;
    } else {
      while (!isTokenEnd(topic, topicAt)) {
        if (subscription.charCodeAt(at) !== topic.charCodeAt(topicAt)) return false;
        at++;
        topicAt++;
      }
      if (!isTokenEnd(subscription, at)) return false;
    }
    if (at === subscription.length || topicAt === topic.length) break;
    at++;
    topicAt++;
  }
  return at === subscription.length && topicAt === topic.length;
}

/** Whether a subscription stands for more than the one topic that it spells. */
export function hasWildcard(subscription: string): boolean {
  for (let at = subscription.indexOf("*"); at >= 0; at = subscription.indexOf("*", at + 1)) {
    if (isTokenEnd(subscription, at + 1) && (at === 0 || subscription[at - 1] === ".")) return true;
  }
  return subscription === ">" || subscription.endsWith(".>");
}

/** Whether the token that begins at `at` is a wildcard. */
export function startsWithWildcard(subscription: string, at: number): boolean {
  const first = subscription.charCodeAt(at);
  if (first === asterisk) return isTokenEnd(subscription, at + 1);
  return first === tail && at + 1 === subscription.length;
}

function isTokenEnd(text: string, at: number): boolean {
  return at === text.length || text.charCodeAt(at) === dot;
}
