import type { ItemConsumer, Receivable, ReceiveQueue } from "./receive-queue.ts";

/** A callback that is given everything that arrives. */
export interface Consumer {
  /** Takes the callback away; resolves when the calls under way have ended. */
  stop(): Promise<void>;
}

/** Whether a handler goes on. Bytes, what a REP's gives, are told apart without a search for `then`. */
export function isPromiseLike<T>(result: T | PromiseLike<T>): result is PromiseLike<T> {
  if (typeof result !== "object" || result === null || result instanceof Uint8Array) return false;
  return "then" in result && typeof result.then === "function";
}

/**
 * Calls something for each item, at once when it arrives, at most `concurrency` at a time: a call
 * that goes on after it returned is under way until {@link onCallEnded}.
 */
export abstract class CallingConsumer<T extends Receivable> implements Consumer, ItemConsumer<T> {
  readonly #queue: ReceiveQueue<T>;
  readonly #concurrency: number;
  #running = 0;
  /** A call was made that has not returned. */
  #isCalling = false;
  #isStopped = false;
  #onIdle: (() => void)[] = [];

  constructor(queue: ReceiveQueue<T>, concurrency: number) {
    this.#queue = queue;
    this.#concurrency = concurrency;
    queue.setConsumer(this);
    // Not inside this call: the handler may use what the caller makes of it.
    queueMicrotask(() => this.onItem());
  }

  /** Calls; true when that goes on. */
  protected abstract call(item: T): boolean;

  stop(): Promise<void> {
    if (!this.#isStopped) {
      this.#isStopped = true;
      this.#queue.setConsumer(undefined);
      for (let count = this.#queue.size; count > 0; count--) this.#queue.wakeNext();
    }
    if (this.#running === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }

  /** @internal */
  get takesNow(): boolean {
    return !this.#isCalling && this.#running < this.#concurrency && !this.#isStopped;
  }

  /** @internal */
  onItem(): void {
    while (this.takesNow) {
      const item = this.#queue.take();
      if (item === undefined) break;
      this.#begin(item);
    }
  }

  /** @internal */
  consume(item: T): void {
    this.#begin(item);
    // Something may have come while it was called.
    if (this.#queue.size > 0) this.onItem();
  }

  /** A call that went on is over. */
  protected onCallEnded(): void {
    this.#running--;
    if (this.#running === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
    this.onItem();
  }

  #begin(item: T): void {
    this.#isCalling = true;
    try {
      if (this.call(item)) this.#running++;
    } finally {
      this.#isCalling = false;
    }
  }
}
