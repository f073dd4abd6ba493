import { MsgError } from "../../errors.ts";
import type { Compression, WirePayload } from "../../wire/compression.ts";
import { listenToAbort, unlistenToAbort } from "../abort-listeners.ts";
import type { Linked } from "../linked-queue.ts";
import { LinkedQueue } from "../linked-queue.ts";
import { abortReason, quietly } from "../waiter-list.ts";

/** A `publish` that waits. */
class WaitingPublish implements Linked<WaitingPublish> {
  readonly topic: string;
  readonly plainBytes: number;
  /** Absent while it is being compressed. */
  payload: WirePayload | undefined;
  resolve!: () => void;
  reject!: (error: unknown) => void;
  readonly promise: Promise<void> = new Promise((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });
  previousInQueue: WaitingPublish | undefined;
  nextInQueue: WaitingPublish | undefined;
  inQueue: object | undefined;

  constructor(topic: string, plainBytes: number) {
    this.topic = topic;
    this.plainBytes = plainBytes;
  }
}

/** What a {@link PublishQueue} needs of its socket. */
export interface PublishQueueContext {
  readonly compression: Compression;
  readonly maxWaiting: number;
  readonly maxWaitingBytes: number;
  /** Whether a subscriber of this topic has to be waited for. */
  isHeldUp(topic: string): boolean;
  deliver(topic: string, compression: number, bytes: Uint8Array, plainBytes: number): void;
  /** A payload could not be compressed. */
  onFailed(error: MsgError): void;
  /** A compressor is done: what waited for it may go, by {@link PublishQueue.pump}. */
  onCompressed(): void;
}

/**
 * Keeps messages in the order of their `publish` while some of them have to wait: for a compressor,
 * or for a slow subscriber. As a rule it is empty and costs nothing.
 */
export class PublishQueue {
  readonly #context: PublishQueueContext;
  readonly #queue: LinkedQueue<WaitingPublish> = new LinkedQueue();
  #bytes = 0;

  constructor(context: PublishQueueContext) {
    this.#context = context;
  }

  get size(): number {
    return this.#queue.size;
  }

  /** @throws MsgError `MSG_HIGH_WATER_MARK`, `MSG_COMPRESS_FAILED` */
  publish(topic: string, bytes: Uint8Array, signal?: AbortSignal): undefined | Promise<void> {
    if (signal?.aborted === true) return quietly(Promise.reject(abortReason(signal)));
    const { compression } = this.#context;
    const mustWait = this.#queue.size > 0 || this.#context.isHeldUp(topic);
    if (mustWait) this.#checkRoom(bytes.length);
    else if (!compression.applies(bytes.length)) {
      this.#context.deliver(topic, 0, bytes, bytes.length);
      return undefined;
    }
    const payload = compression.compress(bytes);
    const isLater = payload instanceof Promise;
    // A compressor is the application's: it may have published something itself.
    if (!isLater && this.#queue.size === 0 && !this.#context.isHeldUp(topic)) {
      this.#context.deliver(topic, payload.compression, payload.bytes, bytes.length);
      return undefined;
    }
    const waiting = new WaitingPublish(topic, bytes.length);
    this.#queue.append(waiting);
    this.#bytes += bytes.length;
    if (signal !== undefined) this.#watch(waiting, signal);
    if (isLater) this.#awaitPayload(waiting, payload);
    else waiting.payload = payload;
    return quietly(waiting.promise);
  }

  /** Delivers what need not wait any more, in order. */
  pump(): void {
    for (let first = this.#queue.first; first !== undefined; first = this.#queue.first) {
      if (first.payload === undefined || this.#context.isHeldUp(first.topic)) return;
      this.#remove(first);
      const { compression, bytes } = first.payload;
      this.#context.deliver(first.topic, compression, bytes, first.plainBytes);
      first.resolve();
    }
  }

  /** Rejects all that waits; gives how many. */
  rejectAll(error: MsgError): number {
    const count = this.#queue.size;
    for (let first = this.#queue.first; first !== undefined; first = this.#queue.first) {
      this.#remove(first);
      first.reject(error);
    }
    return count;
  }

  #awaitPayload(waiting: WaitingPublish, later: Promise<WirePayload>): void {
    later.then(
      (payload) => {
        waiting.payload = payload;
        this.#context.onCompressed();
      },
      (error: MsgError) => {
        if (!this.#remove(waiting)) return;
        waiting.reject(error);
        this.#context.onFailed(error);
        this.#context.onCompressed();
      },
    );
  }

  #watch(waiting: WaitingPublish, signal: AbortSignal): void {
    const onAbort = (): void => {
      if (!this.#remove(waiting)) return;
      waiting.reject(abortReason(signal));
      this.pump();
    };
    listenToAbort(signal, onAbort);
    const forget = (): void => unlistenToAbort(signal, onAbort);
    waiting.promise.then(forget, forget);
  }

  #remove(waiting: WaitingPublish): boolean {
    if (!this.#queue.remove(waiting)) return false;
    this.#bytes -= waiting.plainBytes;
    return true;
  }

  #checkRoom(bytes: number): void {
    const { maxWaiting, maxWaitingBytes } = this.#context;
    if (this.#queue.size >= maxWaiting) {
      const text = `${this.#queue.size} calls of publish wait, maxWaiting is ${maxWaiting}`;
      throw new MsgError("MSG_HIGH_WATER_MARK", text);
    }
    const total = this.#bytes + bytes;
    if (this.#bytes === 0 || total <= maxWaitingBytes) return;
    const text = `${total} bytes would wait, maxWaitingBytes is ${maxWaitingBytes}`;
    throw new MsgError("MSG_HIGH_WATER_MARK", text);
  }
}
