import { MsgError } from "../../errors.ts";
import { listenToAbort, unlistenToAbort } from "../abort-listeners.ts";
import { LinkedQueue } from "../linked-queue.ts";
import type { PushJob } from "./push-job.ts";
import type { Runtime } from "../../runtime.ts";
import type { WaitOptions } from "../waiter-list.ts";
import { abortReason, quietly } from "../waiter-list.ts";

/** How much may wait. */
export interface WaitingLimits {
  readonly maxWaiting: number;
  readonly maxWaitingBytes: number;
}

/** New jobs that no PULL has yet, in the order of their `send()`. */
export class WaitingSends<Target> {
  readonly #runtime: Runtime;
  readonly #limits: WaitingLimits;
  readonly #onGivenUp: () => void;
  readonly #queue: LinkedQueue<PushJob<Target>> = new LinkedQueue();
  bytes = 0;

  /** @param onGivenUp - a sender waits no more for its job: those behind it may be able to go. */
  constructor(runtime: Runtime, limits: WaitingLimits, onGivenUp: () => void) {
    this.#runtime = runtime;
    this.#limits = limits;
    this.#onGivenUp = onGivenUp;
  }

  get size(): number {
    return this.#queue.size;
  }

  get first(): PushJob<Target> | undefined {
    return this.#queue.first;
  }

  /**
   * Checks that a payload may wait. One always may, however large.
   *
   * @throws MsgError `MSG_HIGH_WATER_MARK`
   */
  assertRoom(bytes: number): void {
    const { maxWaiting, maxWaitingBytes } = this.#limits;
    if (this.size >= maxWaiting) {
      const text = `${this.size} jobs wait for a PULL, maxWaiting is ${maxWaiting}`;
      throw new MsgError("MSG_HIGH_WATER_MARK", text);
    }
    if (this.size === 0 || this.bytes + bytes <= maxWaitingBytes) return;
    const text = `${this.bytes + bytes} bytes would wait for a PULL`;
    throw new MsgError("MSG_HIGH_WATER_MARK", `${text}, maxWaitingBytes is ${maxWaitingBytes}`);
  }

  /** Adds a job behind all others. */
  append(job: PushJob<Target>): void {
    this.#queue.append(job);
    this.bytes += job.bytes;
  }

  /** Adds a job whose sender waits; the promise resolves when it is taken. */
  appendAndWait(
    job: PushJob<Target>,
    { signal, timeoutMs = Infinity }: WaitOptions,
  ): Promise<void> {
    const promise = new Promise<void>((resolve, reject) => {
      const onAbort = (): void => {
        if (signal !== undefined) this.#giveUp(job, abortReason(signal));
      };
      const onTimeout = (): void => {
        const text = `no PULL took the job within ${timeoutMs} ms`;
        this.#giveUp(job, new MsgError("MSG_TIMEOUT", text));
      };
      const timer =
        timeoutMs === Infinity ? undefined : this.#runtime.setTimer(onTimeout, timeoutMs);
      job.waiting = { resolve, reject, signal, onAbort, timer };
      if (signal !== undefined) listenToAbort(signal, onAbort);
    });
    this.append(job);
    return quietly(promise);
  }

  /** Takes a job out because a PULL gets it: its sender need not wait any more. */
  accept(job: PushJob<Target>): void {
    this.#takeOut(job)?.resolve();
  }

  /**
   * Takes a job out because it cannot be sent.
   *
   * @returns false when nobody was told, because nobody waits for it.
   */
  fail(job: PushJob<Target>, error: Error): boolean {
    const waiting = this.#takeOut(job);
    waiting?.reject(error);
    return waiting !== undefined;
  }

  /** Takes out everything. */
  failAll(error: Error): void {
    for (let job = this.first; job !== undefined; job = this.first) this.fail(job, error);
  }

  #giveUp(job: PushJob<Target>, reason: Error): void {
    this.fail(job, reason);
    this.#onGivenUp();
  }

  #takeOut(job: PushJob<Target>): PushJob<Target>["waiting"] {
    if (!this.#queue.remove(job)) return undefined;
    this.bytes -= job.bytes;
    const { waiting } = job;
    job.waiting = undefined;
    this.#runtime.clearTimer(waiting?.timer);
    if (waiting?.signal !== undefined) unlistenToAbort(waiting.signal, waiting.onAbort);
    return waiting;
  }
}
