import { subscriptionMatches } from "./subscription-matches.ts";

/** How many of the last changes are remembered. */
const remembered = 16;

/**
 * Which subscriptions with wildcards came and went last: so that what was found for a topic need
 * not be looked for again because of changes that do not concern it.
 */
export class WildcardChanges {
  /** How many there were. */
  version = 0;
  readonly #last: string[] = Array.from({ length: remembered }, () => "");

  add(subscription: string): void {
    this.#last[this.version % remembered] = subscription;
    this.version++;
  }

  /** Whether one since `version` concerns the topic; yes also when there were too many to tell. */
  concern(topic: string, version: number): boolean {
    if (this.version - version > remembered) return true;
    for (let at = version; at < this.version; at++) {
      if (subscriptionMatches(this.#last[at % remembered] ?? "", topic)) return true;
    }
    return false;
  }
}
