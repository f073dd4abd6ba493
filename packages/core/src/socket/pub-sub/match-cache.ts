import { subscriptionMatches } from "./subscription-matches.ts";

/** How many topics a generation holds, how many matches, and how long a remembered topic may be. */
const maxTopics = 4_096;
const maxMatches = 131_072;
const maxTopicLength = 256;

/** How many changes of subscriptions with wildcards a match may have missed and still be put right. */
const recentChanges = 16;

/** What was found for a topic. */
interface Match<S> {
  readonly subscribers: readonly S[];
  /** The change up to which it is known to be right. */
  version: number;
}

/**
 * Remembers who wants a topic.
 *
 * - A change makes those matches be looked for again that it concerns, and no others: who
 *   subscribes all the time does not slow down what others are sent. Only after more than
 *   {@link recentChanges} changes with wildcards between two messages of a topic it is looked for
 *   again whatever they were.
 * - Bounded: two generations; what was not asked for during a whole one is forgotten.
 */
export class MatchCache<S> {
  #young: Map<string, Match<S>> = new Map();
  #old: Map<string, Match<S>> = new Map();
  #youngMatches = 0;
  /** The one that was asked for last. */
  #lastTopic = "";
  #last: Match<S> | undefined;
  /** Counts changes of subscriptions with wildcards; the last ones are in `#recent`. */
  #version = 0;
  readonly #recent: string[] = Array.from({ length: recentChanges }, () => "");

  /** Who wants it, when that is known. */
  get(topic: string): readonly S[] | undefined {
    let match = this.#last;
    if (match === undefined || topic !== this.#lastTopic) {
      match = this.#young.get(topic) ?? this.#getOld(topic);
      if (match === undefined) return undefined;
      this.#last = match;
      this.#lastTopic = topic;
    }
    if (match.version !== this.#version && !this.#isStillRight(match, topic)) return undefined;
    return match.subscribers;
  }

  set(topic: string, subscribers: readonly S[]): void {
    if (topic.length > maxTopicLength) return;
    this.#last = undefined;
    this.#add(topic, { subscribers, version: this.#version });
  }

  /** A subscription of exactly this topic was added or taken away. */
  onChange(topic: string): void {
    if (topic.length > maxTopicLength) return;
    this.#young.delete(topic);
    this.#old.delete(topic);
    this.#last = undefined;
  }

  /** A subscription with wildcards was added or taken away. */
  onWildcardChange(subscription: string): void {
    this.#recent[this.#version % recentChanges] = subscription;
    this.#version++;
  }

  #getOld(topic: string): Match<S> | undefined {
    const match = this.#old.get(topic);
    if (match !== undefined) this.#add(topic, match);
    return match;
  }

  #add(topic: string, match: Match<S>): void {
    this.#youngMatches += match.subscribers.length;
    if (this.#young.size >= maxTopics || this.#youngMatches > maxMatches) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngMatches = match.subscribers.length;
    }
    this.#young.set(topic, match);
  }

  /** Makes up for the changes it missed, unless one of them concerns it or they were too many. */
  #isStillRight(match: Match<S>, topic: string): boolean {
    if (this.#version - match.version > recentChanges) return false;
    for (let version = match.version; version < this.#version; version++) {
      if (subscriptionMatches(this.#recent[version % recentChanges] ?? "", topic)) return false;
    }
    match.version = this.#version;
    return true;
  }
}
