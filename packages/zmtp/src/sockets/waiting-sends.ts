import type { Linked } from "@msg-ts/core/building";
import {
  abortReason,
  checkDelay,
  LinkedQueue,
  listenToAbort,
  quietly,
  unlistenToAbort,
} from "@msg-ts/core/building";
import type { Runtime, TimerHandle, WaitOptions } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";

/** A call of `send` that waits. */
class Call implements Linked<Call> {
  readonly attempt: () => boolean;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  /** Ends its timer and its listener. */
  leave: () => void = () => {};
  previousInQueue: Call | undefined;
  nextInQueue: Call | undefined;
  inQueue: object | undefined;

  constructor(attempt: () => boolean, resolve: () => void, reject: (error: Error) => void) {
    this.attempt = attempt;
    this.resolve = resolve;
    this.reject = reject;
  }
}

/** Calls of `send` that wait until they can be served, in their order; none overtakes another. */
export class WaitingSends {
  readonly #runtime: Runtime;
  readonly #maxWaiting: number;
  readonly #calls: LinkedQueue<Call> = new LinkedQueue();
  /** Called when one gave up: those behind it may be served. */
  readonly #onGaveUp: () => void;

  constructor(runtime: Runtime, maxWaiting: number, onGaveUp: () => void) {
    this.#runtime = runtime;
    this.#maxWaiting = maxWaiting;
    this.#onGaveUp = onGaveUp;
  }

  get size(): number {
    return this.#calls.size;
  }

  /**
   * Has a call wait for its turn. Rejects with `MSG_TIMEOUT`, what {@link close} is given, or the
   * signal's reason.
   *
   * @param attempt - serves it, if that is possible now.
   * @throws MsgError `MSG_HIGH_WATER_MARK` when too many wait, `MSG_INVALID_OPTION`
   */
  wait(
    attempt: () => boolean,
    { timeoutMs = Infinity, signal }: WaitOptions,
    what: string,
  ): Promise<void> {
    checkDelay("timeoutMs", timeoutMs);
    if (signal?.aborted === true) return quietly(Promise.reject(abortReason(signal)));
    if (this.size >= this.#maxWaiting) {
      const text = `${this.size} calls of send wait, maxWaiting is ${this.#maxWaiting}`;
      throw new MsgError("MSG_HIGH_WATER_MARK", text);
    }
    return quietly(this.#wait(attempt, timeoutMs, signal, what));
  }

  /** Serves those that can be, oldest first. */
  pump(): void {
    for (let first = this.#calls.first; first !== undefined; first = this.#calls.first) {
      if (!first.attempt()) return;
      this.#calls.remove(first);
      first.leave();
      first.resolve();
    }
  }

  /** Ends the waiting of all. */
  close(error: MsgError): void {
    for (let first = this.#calls.shift(); first !== undefined; first = this.#calls.shift()) {
      first.leave();
      first.reject(error);
    }
  }

  #wait(
    attempt: () => boolean,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    what: string,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const call = new Call(attempt, resolve, reject);
      const giveUp = (error: Error): void => {
        if (!this.#calls.remove(call)) return;
        call.leave();
        reject(error);
        this.#onGaveUp();
      };
      const onAbort = (): void => giveUp(signal === undefined ? new Error() : abortReason(signal));
      let timer: TimerHandle;
      if (timeoutMs !== Infinity) {
        const text = `${what} within ${timeoutMs} ms`;
        timer = this.#runtime.setTimer(() => giveUp(new MsgError("MSG_TIMEOUT", text)), timeoutMs);
      }
      if (signal !== undefined) listenToAbort(signal, onAbort);
      call.leave = () => {
        this.#runtime.clearTimer(timer);
        if (signal !== undefined) unlistenToAbort(signal, onAbort);
      };
      this.#calls.append(call);
    });
  }
}
