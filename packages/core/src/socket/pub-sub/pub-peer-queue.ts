import type { OutgoingMessage } from "../../contracts/protocol.ts";

const smallestRing = 16;

/**
 * Messages that wait for one subscriber, with their numbers, on two rings that grow together: what
 * is queued costs no object of its own (bench scenario: pub-sub, whose publisher outruns readers).
 */
export class PubPeerQueue {
  #messages: (OutgoingMessage | undefined)[] = [];
  #sequences: Uint32Array = new Uint32Array(0);
  #head = 0;
  size = 0;
  /** Of payload. */
  bytes = 0;

  push(message: OutgoingMessage, sequence: number): void {
    if (this.size === this.#messages.length) this.#grow();
    const at = (this.#head + this.size) & (this.#messages.length - 1);
    this.#messages[at] = message;
    this.#sequences[at] = sequence;
    this.size++;
    this.bytes += message.payload.length;
  }

  /** The number of the oldest; look at it before {@link shift}. */
  get sequence(): number {
    return this.#sequences[this.#head] ?? 0;
  }

  shift(): OutgoingMessage | undefined {
    if (this.size === 0) return undefined;
    const message = this.#messages[this.#head];
    this.#messages[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#messages.length - 1);
    this.size--;
    if (message !== undefined) this.bytes -= message.payload.length;
    return message;
  }

  /** Gives back what a burst left behind. Not whenever it is empty: the next burst follows. */
  trim(): void {
    if (this.size > 0) return;
    this.#messages = [];
    this.#sequences = new Uint32Array(0);
    this.#head = 0;
  }

  /** The lengths are powers of two, so that positions wrap by a mask. */
  #grow(): void {
    const length = Math.max(smallestRing, this.size * 2);
    const messages: (OutgoingMessage | undefined)[] = Array.from({ length });
    const sequences = new Uint32Array(length);
    for (let i = 0; i < this.size; i++) {
      const at = (this.#head + i) & (this.#messages.length - 1);
      messages[i] = this.#messages[at];
      sequences[i] = this.#sequences[at] ?? 0;
    }
    this.#messages = messages;
    this.#sequences = sequences;
    this.#head = 0;
  }
}
