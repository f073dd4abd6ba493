/** What it begins with, and never goes below. */
export const leastAutoWindow = 1_024;

/** The largest window of the wire (docs/wire-protocol.md, "Job / flow"). */
export const maxWindow = 65_535;

/** A whole window settled within this is doubled: two of them are still only a moment of work. */
const fastMs = 10;

/** One that takes longer than this is halved. */
const slowMs = 40;

/**
 * How many jobs one PUSH may have unsettled here.
 *
 * By itself it follows what is really done: a window that is used up within milliseconds makes the
 * PUSH wait for a message to come and go, and one that holds seconds of work keeps that from other
 * PULLs (bench scenario: push-pull).
 */
export class PullWindow {
  readonly #isFixed: boolean;
  #size: number;
  #settled = 0;
  #beganMs = 0;

  constructor(window: number | "auto", nowMs: number) {
    this.#isFixed = window !== "auto";
    this.#size = window === "auto" ? leastAutoWindow : window;
    this.#beganMs = nowMs;
  }

  get size(): number {
    return this.#size;
  }

  /** Counts what was settled up to now; true when the size changed. */
  onSettled(count: number, nowMs: number): boolean {
    if (this.#isFixed) return false;
    this.#settled += count;
    if (this.#settled < this.#size) return false;
    const tookMs = nowMs - this.#beganMs;
    this.#settled = 0;
    this.#beganMs = nowMs;
    const before = this.#size;
    if (tookMs <= fastMs) this.#size = Math.min(maxWindow, before * 2);
    else if (tookMs > slowMs) this.#size = Math.max(leastAutoWindow, Math.floor(before / 2));
    return this.#size !== before;
  }
}
