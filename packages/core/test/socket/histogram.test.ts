import { seededRandom } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import { DurationHistogram } from "../../src/socket/histogram.ts";

/** The duration that a share of all is not longer than. */
function exactQuantile(durationsMs: readonly number[], share: number): number {
  const sorted = durationsMs.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

describe("a histogram of durations", () => {
  it("knows nothing while it is empty", () => {
    expect(new DurationHistogram().stats()).toEqual({ count: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 });
  });

  it("is right within a fifth for durations of all lengths, in any order", () => {
    const random = seededRandom(3);
    for (let round = 0; round < 50; round++) {
      const histogram = new DurationHistogram();
      const added: number[] = [];
      const octaves = 1 + random() * 30;
      const lowest = random() * (31 - octaves);
      for (let count = 0; count < 200; count++) {
        const durationMs = 2 ** (lowest + random() * octaves) / 1000;
        const times = random() < 0.2 ? 5 : 1;
        for (let time = 0; time < times; time++) histogram.add(durationMs);
        added.push(...Array.from({ length: times }, () => durationMs));
      }
      const { count, p50Ms, p99Ms, maxMs } = histogram.stats();
      expect(count).toBe(added.length);
      expect(maxMs).toBe(Math.max(...added));
      for (const [found, share] of [
        [p50Ms, 0.5],
        [p99Ms, 0.99],
      ] as const) {
        const exact = exactQuantile(added, share);
        expect(found).toBeGreaterThanOrEqual(exact * 0.999);
        expect(found).toBeLessThanOrEqual(exact * 1.2);
      }
    }
  });

  it("takes what is shorter than a microsecond and longer than an hour", () => {
    const histogram = new DurationHistogram();
    for (const durationMs of [10_000_000, 0, 0, 0, 10_000_000]) histogram.add(durationMs);
    expect(histogram.stats()).toEqual({
      count: 5,
      p50Ms: 2 ** 0.25 / 1000,
      p99Ms: 2 ** 32 / 1000,
      maxMs: 10_000_000,
    });
  });
});
