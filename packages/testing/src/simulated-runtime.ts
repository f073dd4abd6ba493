import { setImmediate as nextRealTurn } from "node:timers/promises";
import type { Runtime, TimerHandle } from "@msg-ts/core";

/** How a {@link SimulatedRuntime} begins. */
export interface SimulatedRuntimeOptions {
  /** Of {@link SimulatedRuntime.random}. @defaultValue 1 */
  readonly seed?: number;
  /** Instead of the seeded numbers. */
  readonly random?: () => number;
  /** @defaultValue 1_700_000_000_000_000 */
  readonly wallClockMicros?: number;
}

interface Timer {
  readonly callback: () => void;
  readonly dueMs: number;
}

/** Over this many callbacks in one run something feeds itself. */
const maxCallbacks = 1_000_000;

/** The longest delay of a timer, as in the contract. */
const maxTimerMs = 2 ** 31 - 1;

/**
 * A clock that moves only when told, seeded chance, and queues that run only when told.
 *
 * Nothing runs by itself: {@link run} runs what is queued, {@link advance} lets time pass. Code with
 * promises in it needs {@link settle} or {@link pass}, which let promise reactions run in between.
 */
export class SimulatedRuntime implements Runtime {
  readonly random: () => number;
  readonly #wallClockStart: number;
  #nowMs = 0;
  /** In the order they were set. */
  readonly #timers: Set<Timer> = new Set();
  #ticks: (() => void)[] = [];
  #turns: (() => void)[] = [];

  constructor(options: SimulatedRuntimeOptions = {}) {
    this.random = options.random ?? seededRandom(options.seed ?? 1);
    this.#wallClockStart = options.wallClockMicros ?? 1_700_000_000_000_000;
  }

  now(): number {
    return this.#nowMs;
  }

  wallClockMicros(): number {
    return this.#wallClockStart + Math.round(this.#nowMs * 1000);
  }

  setTimer(callback: () => void, delayMs: number): TimerHandle {
    const timer: Timer = { callback, dueMs: this.#nowMs + Math.min(delayMs, maxTimerMs) };
    this.#timers.add(timer);
    return timer;
  }

  clearTimer(timer: TimerHandle): void {
    this.#timers.delete(timer as Timer);
  }

  endOfTick(callback: () => void): void {
    this.#ticks.push(callback);
  }

  nextTurn(callback: () => void): void {
    this.#turns.push(callback);
  }

  /** Milliseconds until each timer that is set, the nearest first. */
  get timersInMs(): readonly number[] {
    const left = Array.from(this.#timers, (timer) => timer.dueMs - this.#nowMs);
    return left.toSorted((a, b) => a - b);
  }

  /** True when nothing waits for the end of the tick or for the next turn. */
  get isAtRest(): boolean {
    return this.#ticks.length === 0 && this.#turns.length === 0;
  }

  /** Ends the tick: runs the callbacks of {@link endOfTick}, and those they add. */
  runTicks(): void {
    for (let count = 0; this.#ticks.length > 0; count++) {
      if (count > maxCallbacks) throw new Error("ticks never come to rest");
      this.#ticks.shift()?.();
    }
  }

  /** Ends the tick and runs one turn: the callbacks of {@link nextTurn} that wait now. */
  runTurn(): void {
    this.runTicks();
    const turn = this.#turns;
    this.#turns = [];
    for (const callback of turn) {
      callback();
      this.runTicks();
    }
  }

  /** Runs one callback: the oldest for the end of the tick, else the oldest for the next turn. */
  runOne(): void {
    (this.#ticks.shift() ?? this.#turns.shift())?.();
  }

  /**
   * Lets time pass up to the next timer, at most `ms`, and runs that one alone.
   *
   * @returns false when none was due: all of `ms` has passed.
   */
  runTimer(ms: number): boolean {
    const endMs = this.#nowMs + ms;
    const due = this.#takeDue(endMs);
    if (due === undefined) this.#nowMs = endMs;
    else due.callback();
    return due !== undefined;
  }

  /**
   * Runs `first` and the callbacks of {@link nextTurn} that wait now as one tick that does not end:
   * what `first` leaves for the end of its tick is still undone when the others run.
   */
  runTurnWithoutTicks(first: () => void): void {
    const turn = this.#turns;
    this.#turns = [];
    first();
    for (const callback of turn) callback();
  }

  /** Runs ticks and turns until nothing is queued. Time stands still. */
  run(): void {
    for (let count = 0; !this.isAtRest; count++) {
      if (count > maxCallbacks) throw new Error("turns never come to rest");
      this.runTurn();
    }
  }

  /** Lets time pass: runs what is queued, and the timers that fall due in their order. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    this.run();
    for (let due = this.#takeDue(endMs); due !== undefined; due = this.#takeDue(endMs)) {
      due.callback();
      this.run();
    }
    this.#nowMs = endMs;
  }

  /** As {@link run}, and lets promise reactions run too, until nothing moves any more. */
  async settle(): Promise<void> {
    for (let restingTurns = 0; restingTurns < 3;) {
      restingTurns = this.isAtRest ? restingTurns + 1 : 0;
      this.runTurn();
      // A turn of the real loop: all promise reactions that can run have run after it.
      await nextRealTurn();
    }
  }

  /** As {@link advance}, and lets promise reactions run before, between and after the timers. */
  async pass(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await this.settle();
    for (let due = this.#takeDue(endMs); due !== undefined; due = this.#takeDue(endMs)) {
      due.callback();
      await this.settle();
    }
    this.#nowMs = endMs;
  }

  #takeDue(endMs: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueMs <= endMs && (next === undefined || timer.dueMs < next.dueMs)) next = timer;
    }
    if (next === undefined) return undefined;
    this.clearTimer(next);
    this.#nowMs = Math.max(this.#nowMs, next.dueMs);
    return next;
  }
}

/** Evenly spread numbers from 0 to 1 that are the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
