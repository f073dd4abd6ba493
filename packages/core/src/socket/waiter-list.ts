import { MsgError } from "../errors.ts";
import { checkDelay } from "../option-checks.ts";
import type { Runtime, TimerHandle } from "../runtime.ts";
import { listenToAbort, unlistenToAbort } from "./abort-listeners.ts";

/** How long a call may wait, and what else ends the wait. */
export interface WaitOptions {
  /** Milliseconds, 0 to 2_147_483_647, or `Infinity` to wait for ever. */
  readonly timeoutMs?: number | undefined;
  /** Ends the wait: the promise rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
}

interface Waiter<T> {
  resolve(value: T): void;
  reject(error: unknown): void;
  timer: TimerHandle;
  readonly signal: AbortSignal | undefined;
  readonly onAbort: () => void;
}

/**
 * Calls that wait for something to happen, first come first served. Each ends by being resolved,
 * by its deadline, by its signal or with the list, and leaves nothing behind. A promise that nobody
 * awaits never ends the process.
 */
export class WaiterList<T> {
  /** Made for the first one: most lists of an idle socket never have any. */
  #waiters: Set<Waiter<T>> | undefined;
  readonly #runtime: Runtime;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  get size(): number {
    return this.#waiters?.size ?? 0;
  }

  /** @param timeoutError - makes the error for a deadline that passed. */
  wait(options: WaitOptions, timeoutError: (timeoutMs: number) => MsgError): Promise<T> {
    const { timeoutMs = Infinity, signal } = options;
    checkDelay("timeoutMs", timeoutMs);
    if (signal?.aborted === true) return quietly(Promise.reject(abortReason(signal)));
    const promise = new Promise<T>((resolve, reject) => {
      const waiter: Waiter<T> = {
        resolve,
        reject,
        timer: undefined,
        signal,
        onAbort: () => this.#settle(waiter)?.reject(signal && abortReason(signal)),
      };
      if (timeoutMs !== Infinity) {
        const onTimeout = (): void => this.#settle(waiter)?.reject(timeoutError(timeoutMs));
        waiter.timer = this.#runtime.setTimer(onTimeout, timeoutMs);
      }
      if (signal !== undefined) listenToAbort(signal, waiter.onAbort);
      this.#waiters ??= new Set();
      this.#waiters.add(waiter);
    });
    return quietly(promise);
  }

  /** Waits until it is resolved, or rejected, or the time has passed, whichever comes first. */
  async waitAtMost(timeoutMs: number): Promise<void> {
    await this.wait({ timeoutMs }, timeIsOver).catch(() => {});
  }

  /** Resolves the one that waits longest. False when none waits. */
  resolveFirst(value: T): boolean {
    for (const waiter of this.#waiters ?? []) {
      this.#settle(waiter)?.resolve(value);
      return true;
    }
    return false;
  }

  resolveAll(value: T): void {
    for (const waiter of this.#waiters ?? []) this.#settle(waiter)?.resolve(value);
  }

  rejectAll(error: MsgError): void {
    for (const waiter of this.#waiters ?? []) this.#settle(waiter)?.reject(error);
  }

  #settle(waiter: Waiter<T>): Waiter<T> | undefined {
    if (this.#waiters?.delete(waiter) !== true) return undefined;
    this.#runtime.clearTimer(waiter.timer);
    if (waiter.signal !== undefined) unlistenToAbort(waiter.signal, waiter.onAbort);
    return waiter;
  }
}

function timeIsOver(timeoutMs: number): MsgError {
  return new MsgError("MSG_TIMEOUT", `took over ${timeoutMs} ms`);
}

/** What a signal rejects with: its reason, as everywhere on the platform. */
export function abortReason(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error
    ? reason
    : new DOMException("this operation was aborted", "AbortError");
}

/** Marks a promise as handled: a rejection that nobody awaits must not end the process. */
export function quietly<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
