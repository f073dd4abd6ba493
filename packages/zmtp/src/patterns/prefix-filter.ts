/** Topics whose verdict is remembered: a subscriber sees few, again and again. */
const maxRemembered = 1_024;

/**
 * What a subscriber wants. Publishers filter too, but not all do, and what was under way when a
 * subscription ended still comes.
 */
export class PrefixFilter {
  readonly #prefixes: Set<string> = new Set();
  /** How many prefixes there are of each length. */
  readonly #lengths: Map<number, number> = new Map();
  readonly #verdicts: Map<string, boolean> = new Map();

  /** Prefixes and topics are texts of one character for each byte. */
  add(prefix: string): void {
    if (this.#prefixes.has(prefix)) return;
    this.#prefixes.add(prefix);
    this.#lengths.set(prefix.length, (this.#lengths.get(prefix.length) ?? 0) + 1);
    this.#verdicts.clear();
  }

  delete(prefix: string): void {
    if (!this.#prefixes.delete(prefix)) return;
    const left = (this.#lengths.get(prefix.length) ?? 0) - 1;
    if (left > 0) this.#lengths.set(prefix.length, left);
    else this.#lengths.delete(prefix.length);
    this.#verdicts.clear();
  }

  matches(topic: string): boolean {
    const known = this.#verdicts.get(topic);
    if (known !== undefined) return known;
    let isWanted = false;
    for (const length of this.#lengths.keys()) {
      if (length <= topic.length && this.#prefixes.has(topic.slice(0, length))) isWanted = true;
    }
    if (this.#verdicts.size >= maxRemembered) this.#verdicts.clear();
    this.#verdicts.set(topic, isWanted);
    return isWanted;
  }
}
