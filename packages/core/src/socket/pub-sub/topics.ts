import { encodeText } from "../../bytes.ts";
import { MsgError } from "../../errors.ts";

/** The most bytes of a topic: a frame's 65,535 less the longest prefix (docs/wire-protocol.md). */
const maxTopicBytes = 65_525;

const loneSurrogate = /\p{Surrogate}/u;

/** @throws MsgError `MSG_INVALID_TOPIC` unless messages may be published under it. */
export function checkPublishTopic(topic: string): void {
  checkTopic(topic);
  // As a rule it has neither.
  if (!topic.includes("*") && !topic.includes(">")) return;
  for (const token of topic.split(".")) {
    if (token === "*" || token === ">") {
      throw invalid(topic, `has the token "${token}", which only a subscription may have`);
    }
  }
}

/** @throws MsgError `MSG_INVALID_TOPIC` unless it may be subscribed to. */
export function checkSubscription(topic: string): void {
  checkTopic(topic);
  const tokens = topic.split(".");
  const tail = tokens.indexOf(">");
  if (tail >= 0 && tail < tokens.length - 1) {
    throw invalid(topic, 'has the token ">" before its end, it may only be the last');
  }
}

/** @throws MsgError `MSG_INVALID_TOPIC` unless it is text of a legal length, which is all a prefix is. */
export function checkPrefixTopic(topic: string): void {
  checkString(topic);
  checkText(topic);
}

function checkTopic(topic: string): void {
  checkString(topic);
  if (topic.startsWith("MSG")) throw invalid(topic, 'begins with "MSG", which is reserved');
  checkText(topic);
}

function checkString(topic: string): void {
  if (typeof topic === "string") return;
  throw new MsgError("MSG_INVALID_TOPIC", `topic is ${typeof topic}, must be a string`);
}

function checkText(topic: string): void {
  if (loneSurrogate.test(topic))
    throw invalid(topic, "has a lone surrogate: it is not well-formed");
  // A UTF-16 unit is at most three bytes.
  if (topic.length * 3 <= maxTopicBytes) return;
  const { length } = encodeText(topic);
  if (length > maxTopicBytes) {
    throw invalid(topic, `has ${length} bytes, must be at most ${maxTopicBytes}`);
  }
}

function invalid(topic: string, why: string): MsgError {
  const shown = topic.length > 60 ? `${topic.slice(0, 60)}...` : topic;
  return new MsgError("MSG_INVALID_TOPIC", `topic ${JSON.stringify(shown)} ${why}`);
}
