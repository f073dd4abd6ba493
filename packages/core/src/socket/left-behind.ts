import type { ReadGate } from "../contracts/protocol.ts";
import type { ReceiveLimits } from "./receive-queue.ts";

/** Somebody who can be kept from being read. */
interface Readable {
  readonly gate: ReadGate;
}

/**
 * What peers that are gone left in a queue. All of them together may have what one peer may have:
 * at that bound nobody is read from, until half of it was taken. Without it, who comes and goes all
 * the time would fill the memory of an application that does not keep up.
 */
export class LeftBehind<Source extends Readable> {
  readonly #limits: ReceiveLimits;
  readonly #living: () => Iterable<Source>;
  /** Whose gates are held. */
  readonly #held: Set<Source> = new Set();
  #messages = 0;
  #bytes = 0;
  #isFull = false;

  /** @param living - who may be read from now. */
  constructor(limits: ReceiveLimits, living: () => Iterable<Source>) {
    this.#limits = limits;
    this.#living = living;
  }

  /** A peer came. */
  onCame(source: Source): void {
    if (this.#isFull) this.#hold(source);
  }

  /** A peer went: what happens to its gate is nobody's business any more. */
  onWent(source: Source): void {
    if (this.#held.delete(source)) source.gate.release();
  }

  add(messages: number, bytes: number): void {
    this.#messages += messages;
    this.#bytes += bytes;
    const { maxMessages, maxBytes } = this.#limits;
    if (this.#isFull || (this.#messages < maxMessages && this.#bytes < maxBytes)) return;
    this.#isFull = true;
    for (const source of this.#living()) this.#hold(source);
  }

  remove(messages: number, bytes: number): void {
    this.#messages -= messages;
    this.#bytes -= bytes;
    const { maxMessages, maxBytes } = this.#limits;
    if (!this.#isFull || this.#messages > maxMessages / 2 || this.#bytes > maxBytes / 2) return;
    this.#isFull = false;
    const held = [...this.#held];
    this.#held.clear();
    for (const { gate } of held) gate.release();
  }

  #hold(source: Source): void {
    this.#held.add(source);
    source.gate.hold();
  }
}
