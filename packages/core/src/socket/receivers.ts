import { MsgError } from "../errors.ts";
import { checkDelay } from "../option-checks.ts";
import type { Runtime, TimerHandle } from "../runtime.ts";
import { listenToAbort, unlistenToAbort } from "./abort-listeners.ts";
import { CallingConsumer, isPromiseLike } from "./calling-consumer.ts";
import type { Receivable, ReceiveQueue } from "./receive-queue.ts";
import type { WaitOptions } from "./waiter-list.ts";
import { abortReason, quietly } from "./waiter-list.ts";

/** What becomes of an item when its consumer is done with it. */
export interface Settler<T> {
  accept(item: T): void;
  giveBack(item: T): void;
}

/**
 * Takes one item, waiting for it.
 *
 * Rejects with `MSG_CLOSED`, `MSG_TIMEOUT`, or the signal's reason.
 */
export function receiveOne<T extends Receivable>(
  queue: ReceiveQueue<T>,
  runtime: Runtime,
  { timeoutMs = Infinity, signal }: WaitOptions,
): Promise<T> {
  checkDelay("timeoutMs", timeoutMs);
  if (signal?.aborted === true) return quietly(Promise.reject(abortReason(signal)));
  const item = queue.take();
  return item === undefined
    ? quietly(receiveLater(queue, runtime, timeoutMs, signal))
    : Promise.resolve(item);
}

function receiveLater<T extends Receivable>(
  queue: ReceiveQueue<T>,
  runtime: Runtime,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let timer: TimerHandle;
    const sleeper = {
      wake: (): void => {
        const item = queue.take();
        if (item !== undefined) finish(() => resolve(item));
        else if (queue.isClosed)
          finish(() => reject(new MsgError("MSG_CLOSED", "socket was closed")));
        else queue.sleep(sleeper);
      },
    };
    const finish = (settle: () => void): void => {
      runtime.clearTimer(timer);
      if (signal !== undefined) unlistenToAbort(signal, onAbort);
      settle();
    };
    const giveUp = (error: Error): void => {
      queue.cancelSleep(sleeper);
      finish(() => reject(error));
    };
    const onAbort = (): void => giveUp(signal === undefined ? new Error() : abortReason(signal));
    if (timeoutMs !== Infinity) {
      const text = `nothing arrived within ${timeoutMs} ms`;
      timer = runtime.setTimer(() => giveUp(new MsgError("MSG_TIMEOUT", text)), timeoutMs);
    }
    if (signal !== undefined) listenToAbort(signal, onAbort);
    queue.sleep(sleeper);
    if (queue.isClosed) sleeper.wake();
  });
}

/**
 * What `for await` walks over, by items or by batches; ends when the socket is closed.
 *
 * Asking for the next one accepts the one before; leaving the loop in any other way than through
 * its end gives that one back. Several iterators share the items.
 */
export class ReceiveIterator<
  T extends Receivable,
  Result,
> implements AsyncIterableIterator<Result> {
  readonly #queue: ReceiveQueue<T>;
  readonly #take: (queue: ReceiveQueue<T>) => Result | undefined;
  readonly #settle: (result: Result, isAccepted: boolean) => void;
  readonly #sleepers: Set<{ wake(): void }> = new Set();
  #current: Result | undefined;
  #isDone = false;

  /** @param take - gives the next result, or `undefined` when there is none yet. */
  constructor(
    queue: ReceiveQueue<T>,
    take: (queue: ReceiveQueue<T>) => Result | undefined,
    settle: (result: Result, isAccepted: boolean) => void,
  ) {
    this.#queue = queue;
    this.#take = take;
    this.#settle = settle;
  }

  next(): Promise<IteratorResult<Result>> {
    this.#settleCurrent(true);
    if (this.#isDone) return Promise.resolve({ value: undefined, done: true });
    const result = this.#take(this.#queue);
    if (result === undefined) return this.#nextLater();
    this.#current = result;
    return Promise.resolve({ value: result, done: false });
  }

  return(): Promise<IteratorResult<Result>> {
    this.#isDone = true;
    this.#settleCurrent(false);
    for (const sleeper of this.#sleepers) {
      this.#queue.cancelSleep(sleeper);
      sleeper.wake();
    }
    return Promise.resolve({ value: undefined, done: true });
  }

  throw(error: unknown): Promise<IteratorResult<Result>> {
    void this.return();
    return Promise.reject(error);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #nextLater(): Promise<IteratorResult<Result>> {
    for (;;) {
      if (this.#isDone) {
        // It may have been woken for an item, before it returned: that one is for the next.
        if (this.#queue.size > 0) this.#queue.wakeNext();
        return { value: undefined, done: true };
      }
      if (this.#queue.isClosed) return { value: undefined, done: true };
      const result = this.#take(this.#queue);
      if (result !== undefined) {
        this.#settleCurrent(true);
        this.#current = result;
        return { value: result, done: false };
      }
      await this.#sleep();
    }
  }

  #sleep(): Promise<void> {
    return new Promise((resolve) => {
      const sleeper = {
        wake: (): void => {
          this.#sleepers.delete(sleeper);
          resolve();
        },
      };
      this.#sleepers.add(sleeper);
      this.#queue.sleep(sleeper);
    });
  }

  #settleCurrent(isAccepted: boolean): void {
    const current = this.#current;
    this.#current = undefined;
    if (current !== undefined) this.#settle(current, isAccepted);
  }
}

/**
 * Calls a handler for each item. One that returns a promise is under way until that is settled;
 * what becomes of the item then says the {@link Settler}.
 */
export class QueueConsumer<T extends Receivable> extends CallingConsumer<T> {
  readonly #handler: (item: T) => unknown;
  readonly #settler: Settler<T>;
  readonly #onError: (error: unknown, item: T) => void;

  constructor(
    queue: ReceiveQueue<T>,
    handler: (item: T) => unknown,
    concurrency: number,
    settler: Settler<T>,
    onError: (error: unknown, item: T) => void,
  ) {
    super(queue, concurrency);
    this.#handler = handler;
    this.#settler = settler;
    this.#onError = onError;
  }

  protected override call(item: T): boolean {
    let result: unknown;
    try {
      result = this.#handler(item);
    } catch (error) {
      this.#fail(item, error);
      return false;
    }
    if (!isPromiseLike(result)) {
      this.#settler.accept(item);
      return false;
    }
    result.then(
      () => {
        this.#settler.accept(item);
        this.onCallEnded();
      },
      (error: unknown) => {
        this.#fail(item, error);
        this.onCallEnded();
      },
    );
    return true;
  }

  #fail(item: T, error: unknown): void {
    this.#settler.giveBack(item);
    this.#onError(error, item);
  }
}
