/** How many topics a generation holds, how many matches, and how long a remembered topic may be. */
const maxTopics = 4_096;
const maxMatches = 131_072;
const maxTopicLength = 256;

/** What was found for a topic. */
export interface Match<S> {
  readonly subscribers: readonly S[];
  /** The change of wildcards up to which it is known to be right. */
  version: number;
}

/**
 * Remembers what was found for topics. Bounded, in two generations: what was not asked for during a
 * whole one is forgotten.
 */
export class MatchCache<S> {
  #young: Map<string, Match<S>> = new Map();
  #old: Map<string, Match<S>> = new Map();
  #youngMatches = 0;

  get(topic: string): Match<S> | undefined {
    const match = this.#young.get(topic);
    if (match !== undefined) return match;
    const old = this.#old.get(topic);
    if (old !== undefined) this.set(topic, old);
    return old;
  }

  set(topic: string, match: Match<S>): void {
    if (topic.length > maxTopicLength) return;
    this.#youngMatches += match.subscribers.length;
    if (this.#young.size >= maxTopics || this.#youngMatches > maxMatches) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngMatches = match.subscribers.length;
    }
    this.#young.set(topic, match);
  }

  delete(topic: string): void {
    if (topic.length > maxTopicLength) return;
    this.#young.delete(topic);
    this.#old.delete(topic);
  }
}
