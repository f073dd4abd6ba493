import type { Runtime, TimerHandle } from "../../runtime.ts";

/** A time is waited for in so many parts. */
const parts = 5;

/** So many parts may be late: a loop that always is must not wait for ever. */
const maxLateParts = 20;

/**
 * Calls back, once, when somebody else had so much time to answer. Time in which our own event loop
 * stood still is none of theirs: what came meanwhile is not read yet.
 */
export class PatientTimer {
  readonly #runtime: Runtime;
  readonly #partMs: number;
  readonly #callback: () => void;
  #left = parts;
  #late = 0;
  #dueMs = 0;
  #timer: TimerHandle;

  constructor(runtime: Runtime, delayMs: number, callback: () => void) {
    this.#runtime = runtime;
    this.#partMs = delayMs / parts;
    this.#callback = callback;
    this.#wait();
  }

  stop(): void {
    this.#runtime.clearTimer(this.#timer);
  }

  #wait(): void {
    this.#dueMs = this.#runtime.now() + this.#partMs;
    this.#timer = this.#runtime.setTimer(() => this.#onPart(), this.#partMs);
  }

  #onPart(): void {
    const isLate = this.#runtime.now() - this.#dueMs > this.#partMs;
    if (isLate && this.#late < maxLateParts) this.#late++;
    else this.#left--;
    if (this.#left > 0) this.#wait();
    else this.#callback();
  }
}
