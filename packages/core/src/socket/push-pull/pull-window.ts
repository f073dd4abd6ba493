/** What it begins with, and never goes below. */
const leastAutoWindow = 1_024;

/** The largest window of the wire (docs/wire-protocol.md, "Job / flow"). */
export const maxWindow = 65_535;

/** How much work may wait here, as far as more than the least window is concerned. */
const workMs = 2;

/** After so much work the window is looked at, however few jobs that were. */
const mostWorkMs = 10;

/**
 * How many jobs one PUSH may have unsettled here.
 *
 * By itself it follows what is really done: a window that is used up within a moment makes the PUSH
 * wait for a message to come and go, and one that holds seconds of work keeps that from other PULLs
 * (bench scenario: push-pull). Time in which there is nothing to do does not count, so the window
 * grows over a slow network too.
 */
export class PullWindow {
  readonly #isFixed: boolean;
  size: number;
  #settled = 0;
  #workedMs = 0;

  constructor(window: number | "auto") {
    this.#isFixed = window !== "auto";
    this.size = window === "auto" ? leastAutoWindow : window;
  }

  /** `count` jobs were settled in a time in which there always was one; true when the size changed. */
  onSettled(count: number, workedMs: number): boolean {
    if (this.#isFixed) return false;
    this.#settled += count;
    this.#workedMs += workedMs;
    if (this.#settled < this.size && this.#workedMs < mostWorkMs) return false;
    const before = this.size;
    const wanted = (this.#settled * workMs) / Math.max(this.#workedMs, Number.MIN_VALUE);
    if (wanted >= before * 2) this.size = Math.min(maxWindow, before * 2);
    else if (wanted < before / 2) this.size = Math.max(leastAutoWindow, Math.floor(wanted));
    this.#settled = this.#workedMs = 0;
    return this.size !== before;
  }
}
