import { Buffer } from "node:buffer";
import { closeSync, openSync, readSync } from "node:fs";

/** Says how many milliseconds a thread waited so far for a processor that others had. */
export type WaitClock = () => number;

/**
 * How late turns of the event loop are because of what runs in them, and not because the machine had
 * other work: a timer is due each `intervalMs`, and what the thread waited for a processor meanwhile is
 * taken off what it is late.
 */
export class OwnDelay {
  readonly #intervalMs: number;
  readonly #now: () => number;
  readonly #waited: WaitClock;
  #lastMs: number;
  #lastWaitedMs: number;
  #delays: number[] = [];

  constructor(intervalMs: number, waited: WaitClock, now: () => number = () => performance.now()) {
    this.#intervalMs = intervalMs;
    this.#now = now;
    this.#waited = waited;
    this.#lastMs = now();
    this.#lastWaitedMs = waited();
  }

  /** Call it from the timer. */
  tick(): void {
    const [nowMs, waitedMs] = [this.#now(), this.#waited()];
    const lateMs = nowMs - this.#lastMs - this.#intervalMs;
    this.#delays.push(Math.max(0, lateMs - (waitedMs - this.#lastWaitedMs)));
    this.#lastMs = nowMs;
    this.#lastWaitedMs = waitedMs;
  }

  /** So many of 100 turns were late by no more, since it was asked before; what is under way is left out. */
  take(percentile: number): number {
    const sorted = this.#delays.toSorted((a, b) => a - b);
    this.#delays = [];
    this.#lastMs = this.#now();
    this.#lastWaitedMs = this.#waited();
    return sorted[Math.ceil((sorted.length * percentile) / 100) - 1] ?? 0;
  }
}

/**
 * What Linux counts for the main thread of this process, in its second number (sched-stats, section
 * /proc/<pid>/schedstat); absent where it counts nothing.
 */
export function mainThreadWait(): WaitClock | undefined {
  const memory = Buffer.alloc(128);
  let file: number;
  try {
    file = openSync("/proc/self/schedstat", "r");
  } catch {
    return undefined;
  }
  const waited = (): number => {
    const text = memory.toString("latin1", 0, readSync(file, memory, 0, memory.length, 0));
    return Number(text.split(" ")[1]) / 1e6;
  };
  if (Number.isFinite(waited())) return waited;
  closeSync(file);
  return undefined;
}
