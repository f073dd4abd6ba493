import { describe, expect, it } from "vitest";
import { PullWindow } from "../../../src/socket/push-pull/pull-window.ts";

/** Does a number of jobs, in pieces as ticks bring them, each job in `jobMs`. */
function work(window: PullWindow, jobs: number, jobMs: number): void {
  for (let done = 0; done < jobs; done += 500) window.onSettled(500, 500 * jobMs);
}

describe("the window of a PULL", () => {
  it("stays as it is when it is a number", () => {
    const window = new PullWindow(7);
    expect(window.onSettled(1_000_000, 0)).toBe(false);
    expect(window.size).toBe(7);
  });

  it("begins with 1,024 and doubles while it holds less than a millisecond of work", () => {
    const window = new PullWindow("auto");
    const sizes = [window.size];
    for (let count = 0; count < 2_000; count++) {
      if (window.onSettled(500, 0.05)) sizes.push(window.size);
    }
    // 0.1 us for each job: 20,000 are 2 ms.
    expect(sizes).toEqual([1_024, 2_048, 4_096, 8_192, 16_384]);
  });

  it("reaches the largest window of the wire when jobs take no time", () => {
    const window = new PullWindow("auto");
    work(window, 1_000_000, 0);
    expect(window.size).toBe(65_535);
  });

  it("does not grow for jobs that take long", () => {
    const window = new PullWindow("auto");
    work(window, 100_000, 0.01);
    expect(window.size).toBe(1_024);
  });

  it("shrinks within 10 ms of work when jobs begin to take long", () => {
    const window = new PullWindow("auto");
    work(window, 1_000_000, 0);
    expect(window.onSettled(1, 10)).toBe(true);
    expect(window.size).toBeLessThan(16_384);
    window.onSettled(1, 10);
    expect(window.size).toBe(1_024);
  });

  it("tells of a change only", () => {
    const window = new PullWindow("auto");
    expect(window.onSettled(1_023, 0)).toBe(false);
    expect(window.onSettled(1, 0)).toBe(true);
    expect(window.onSettled(2_048, 0.15)).toBe(true);
    // What it holds is about 2 ms: no reason to change.
    expect(window.onSettled(4_096, 2)).toBe(false);
  });
});
