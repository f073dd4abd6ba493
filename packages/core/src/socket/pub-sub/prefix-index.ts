import { encodeText } from "../../bytes.ts";
import type { Subscribers } from "./subscribers.ts";
import { SubscriberCollector, withoutSubscriber, withSubscriber } from "./subscribers.ts";

/** How many topics are remembered with who wants them. */
const maxRemembered = 4_096;

interface Found<S> {
  readonly others: readonly S[];
  readonly all: readonly S[];
}

/**
 * Who wants all topics that begin in some way.
 *
 * A topic costs a look-up for each length that prefixes have and that is not over its own; what was
 * found is found again until a prefix comes or goes.
 */
export class PrefixIndex<S> {
  readonly #byPrefix: Map<string, Subscribers<S>> = new Map();
  /** How many prefixes there are of each length. */
  readonly #lengths: Map<number, number> = new Map();
  readonly #found: SubscriberCollector<S> = new SubscriberCollector();
  readonly #remembered: Map<string, Found<S>> = new Map();

  /** How many prefixes somebody wants. */
  get size(): number {
    return this.#byPrefix.size;
  }

  /** @param prefix - one character for each byte. Adding it again changes nothing. */
  add(prefix: string, subscriber: S): void {
    const before = this.#byPrefix.get(prefix);
    this.#byPrefix.set(prefix, withSubscriber(before, subscriber));
    if (before === undefined) this.#countLength(prefix.length, 1);
    this.#remembered.clear();
  }

  remove(prefix: string, subscriber: S): void {
    const before = this.#byPrefix.get(prefix);
    if (before === undefined) return;
    const after = withoutSubscriber(before, subscriber);
    if (after === undefined) {
      this.#byPrefix.delete(prefix);
      this.#countLength(prefix.length, -1);
    } else this.#byPrefix.set(prefix, after);
    this.#remembered.clear();
  }

  /** Everybody of `others`, and who wants the topic by a prefix; each once, in a list that does not change. */
  match(topic: string, others: readonly S[]): readonly S[] {
    const known = this.#remembered.get(topic);
    return known?.others === others ? known.all : this.#find(topic, byteString(topic), others);
  }

  /** As {@link match}, of a topic that is given as prefixes are. Do not use both. */
  matchBytes(topic: string, others: readonly S[]): readonly S[] {
    const known = this.#remembered.get(topic);
    return known?.others === others ? known.all : this.#find(topic, topic, others);
  }

  #find(topic: string, bytes: string, others: readonly S[]): readonly S[] {
    this.#found.add(others);
    for (const length of this.#lengths.keys()) {
      if (length <= bytes.length) this.#found.add(this.#byPrefix.get(bytes.slice(0, length)));
    }
    const all = this.#found.take();
    if (this.#remembered.size >= maxRemembered) this.#remembered.clear();
    this.#remembered.set(topic, { others, all });
    return all;
  }

  #countLength(length: number, change: number): void {
    const count = (this.#lengths.get(length) ?? 0) + change;
    if (count > 0) this.#lengths.set(length, count);
    else this.#lengths.delete(length);
  }
}

const ascii = /^\p{ASCII}*$/u;

/** One character for each byte of the UTF-8. */
function byteString(text: string): string {
  if (ascii.test(text)) return text;
  let bytes = "";
  for (const byte of encodeText(text)) bytes += String.fromCharCode(byte);
  return bytes;
}
