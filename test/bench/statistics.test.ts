import { describe, expect, it } from "vitest";
import { Latencies } from "../../bench/harness/latencies.ts";
import { figure, quantile, ratios } from "../../bench/harness/statistics.ts";

describe("a figure of several rounds", () => {
  it("is the middle one, with the least and the most", () => {
    expect(figure([30, 10, 20])).toEqual({ median: 20, min: 10, max: 30 });
  });

  it("is the mean of the two in the middle when there is an even number", () => {
    expect(figure([1, 100, 2, 4])).toEqual({ median: 3, min: 1, max: 100 });
  });

  it("has four digits", () => {
    expect(figure([1_234_567, 0.000_123_456]).max).toBe(1_235_000);
    expect(figure([0.000_123_456]).median).toBe(0.000_123_5);
  });
});

describe("a ratio", () => {
  it("is taken within each round, so that a slow round harms neither", () => {
    expect(ratios([100, 10, 50], [50, 5, 25])).toEqual({ median: 2, min: 2, max: 2 });
  });

  it("leaves out rounds that only one has", () => {
    expect(ratios([100, 30], [50])).toEqual({ median: 2, min: 2, max: 2 });
  });
});

describe("a quantile", () => {
  const sorted = Array.from({ length: 1_000 }, (_, index) => index + 1);

  it("is a sample that such a share does not exceed", () => {
    expect(quantile(sorted, 0.5)).toBe(500);
    expect(quantile(sorted, 0.99)).toBe(990);
    expect(quantile(sorted, 0.999)).toBe(999);
    expect(quantile(sorted, 1)).toBe(1_000);
  });

  it("is the only sample when there is one, and nothing of none", () => {
    expect(quantile([7], 0.999)).toBe(7);
    expect(quantile([], 0.5)).toBeNaN();
  });
});

describe("latencies", () => {
  it("are sorted as numbers, in microseconds, and forgotten when cleared", () => {
    const latencies = new Latencies();
    for (const elapsedMs of [10, 9, 100]) latencies.add(elapsedMs);
    expect(latencies.quantiles()).toMatchObject({ p50Micros: 10_000, maxMicros: 100_000 });
    latencies.clear();
    expect(latencies.quantiles().p50Micros).toBeNaN();
  });

  it("keep all samples of a long window", () => {
    const latencies = new Latencies();
    for (let sample = 1; sample <= 200_000; sample++) latencies.add(sample / 1_000);
    expect(latencies.count).toBe(200_000);
    expect(latencies.quantiles()).toMatchObject({ p50Micros: 100_000, maxMicros: 200_000 });
  });
});
