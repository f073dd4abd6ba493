import type { MessageBatch, OutgoingMessage } from "../../contracts/protocol.ts";
import type { Runtime } from "../../runtime.ts";
import type { PubPeer } from "./pub-peer.ts";

/** From this many bytes on a batch is written at once: its chunk is free for the next subscriber. */
const writtenAtOnceBytes = 16 * 1024;

/**
 * Gives messages to their subscribers.
 *
 * What goes to several is encoded once, gathered until the tick ends, the batch is full or the
 * subscribers are others, and then copied to one subscriber after the other: with many of them, to
 * visit each for each message costs more than all the rest (bench scenario: pub-sub-64).
 *
 * - Each subscriber is given its messages in the order of {@link deliver}.
 * - What is gathered is not in any queue yet: {@link flush} comes before whatever looks at those.
 */
export class FanOut {
  readonly #runtime: Runtime;
  readonly #isBatching: boolean;
  #batch: MessageBatch | undefined;
  #protocol: object | undefined;
  #subscribers: readonly PubPeer[] = [];
  #isScheduled = false;
  /** To write a subscriber's batch asks for a flush again. */
  #isFlushing = false;
  readonly #onEndOfTick: () => void = () => {
    this.#isScheduled = false;
    this.flush();
  };

  /** @param isBatching - false gives every message to its subscribers at once. */
  constructor(runtime: Runtime, isBatching: boolean) {
    this.#runtime = runtime;
    this.#isBatching = isBatching;
  }

  deliver(subscribers: readonly PubPeer[], message: OutgoingMessage): void {
    if (this.#add(subscribers, message)) return;
    this.flush();
    if (this.#add(subscribers, message)) return;
    for (let i = 0; i < subscribers.length; i++) (subscribers[i] as PubPeer).deliver(message);
  }

  /** Gives out what was gathered. */
  flush(): void {
    const batch = this.#batch;
    if (this.#isFlushing || batch === undefined || batch.bytes === 0) return;
    this.#isFlushing = true;
    try {
      const subscribers = this.#subscribers;
      const isLarge = batch.bytes >= writtenAtOnceBytes;
      for (const subscriber of subscribers) {
        if (!subscriber.isReady) continue;
        subscriber.deliverBatch(batch);
        if (isLarge) subscriber.connection.outbox.flush();
      }
    } finally {
      batch.clear();
      this.#subscribers = [];
      this.#isFlushing = false;
    }
  }

  /** Gives back the memory of batches, when nothing is in it; it is taken again for the next. */
  trim(): void {
    if (this.#batch?.bytes === 0) this.#batch = undefined;
  }

  /** Gathers it; false when it has to go by itself, or behind what was gathered. */
  #add(subscribers: readonly PubPeer[], message: OutgoingMessage): boolean {
    if (subscribers.length === 1 || !this.#isBatching) return false;
    const isOpen = this.#batch !== undefined && this.#batch.bytes > 0;
    if (isOpen ? !isSame(subscribers, this.#subscribers) : !this.#open(subscribers)) return false;
    if (this.#batch?.add(message) !== true) return false;
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      this.#runtime.endOfTick(this.#onEndOfTick);
    }
    return true;
  }

  /** Makes an empty batch for these; false when they do not speak the same protocol. */
  #open(subscribers: readonly PubPeer[]): boolean {
    const [first] = subscribers;
    const protocol = first?.connection.protocol;
    if (!subscribers.every(({ connection }) => connection.protocol === protocol)) return false;
    if (this.#batch === undefined || this.#protocol !== protocol) {
      this.#batch = first?.newBatch();
      this.#protocol = protocol;
    }
    this.#subscribers = subscribers;
    return true;
  }
}

function isSame(some: readonly PubPeer[], others: readonly PubPeer[]): boolean {
  if (some === others) return true;
  const { length } = some;
  if (length !== others.length) return false;
  for (let i = 0; i < length; i++) if (some[i] !== others[i]) return false;
  return true;
}
