/** A timer that was set; only {@link Runtime.clearTimer} takes it. */
export type TimerHandle = unknown;

/**
 * Time, chance and scheduling, as an argument: tests pass a simulated one.
 *
 * Promises:
 * - no callback runs inside the call that scheduled it;
 * - callbacks of one kind run in the order they were scheduled.
 */
export interface Runtime {
  /** Milliseconds on a clock that never goes back. */
  now(): number;
  /** Microseconds since 1970 by the wall clock, for timestamps only. */
  wallClockMicros(): number;
  /** A number from 0 (inclusive) to 1 (exclusive). */
  random(): number;
  /** Runs `callback` once, not before `delayMs`. `Infinity` and delays over 2^31-1 ms wait for 2^31-1 ms. */
  setTimer(callback: () => void, delayMs: number): TimerHandle;
  /** Forgets a timer. One that ran, or `undefined`, is ignored. */
  clearTimer(timer: TimerHandle): void;
  /** Runs `callback` after the code and the promise reactions that run now, before any I/O. */
  endOfTick(callback: () => void): void;
  /** Runs `callback` after I/O and timers had their turn. */
  nextTurn(callback: () => void): void;
}

/** The longest delay `setTimeout` honours: past it, it fires at once. */
export const maxTimerMs: number = 2 ** 31 - 1;

interface HostProcess {
  nextTick?(callback: () => void): void;
}

const host = globalThis as {
  readonly process?: HostProcess;
  readonly setImmediate?: (callback: () => void) => unknown;
};

// Looked up once: `performance` is a getter of the global object, as costly as the clock behind it.
const clock = performance;
const nextTick = host.process?.nextTick?.bind(host.process);
const setImmediate = host.setImmediate;

/** The real clock, `process.nextTick` and `setImmediate` where they exist, else their nearest web relatives. */
export const hostRuntime: Runtime = {
  now: () => clock.now(),
  wallClockMicros: () => Date.now() * 1000,
  random: () => Math.random(),
  setTimer: (callback, delayMs) => setTimeout(callback, Math.min(delayMs, maxTimerMs)),
  clearTimer: (timer) => clearTimeout(timer as Parameters<typeof clearTimeout>[0]),
  endOfTick: nextTick ?? ((callback) => queueMicrotask(callback)),
  nextTurn: (callback) => {
    if (setImmediate === undefined) setTimeout(callback, 0);
    else setImmediate(callback);
  },
};
