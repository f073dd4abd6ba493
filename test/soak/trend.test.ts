import { describe, expect, it } from "vitest";
import { Random } from "../fuzz/random.ts";
import { trendOf } from "./trend.ts";

const random = new Random(20_261_129);

/** So many values that rise by `rise` each, with noise of up to `noise`. */
function series(count: number, rise: number, noise: number) {
  const values = Array.from({ length: count }, (_, at) => 100 + at * rise + random.below(noise));
  return { name: "heap", unit: "MiB", values, allowedGrowth: 20 };
}

describe("the trend of a series", () => {
  it("is none in noise", () => {
    const found = Array.from({ length: 100 }, () => trendOf(series(60, 0, 50)));
    expect(found.filter(({ isGrowing }) => isGrowing)).toEqual([]);
    expect(found.filter(({ chance }) => chance < 0.01).length).toBeLessThan(6);
  });

  it("is growth where a leak hides in noise", () => {
    const found = Array.from({ length: 100 }, () => trendOf(series(60, 1, 50)));
    expect(found.filter(({ isGrowing }) => isGrowing).length).toBeGreaterThan(95);
    for (const { growth } of found) expect(growth).toBeGreaterThan(20);
  });

  it("is none where it grows steadily by what is allowed", () => {
    const { growth, chance, isGrowing } = trendOf(series(60, 0.3, 1));
    expect([growth > 15, chance < 1e-6, isGrowing]).toEqual([true, true, false]);
  });

  it("is not made by one jump at the end, nor by values that never change", () => {
    const flat = series(59, 0, 1);
    expect(trendOf({ ...flat, values: [...flat.values, 10_000] }).isGrowing).toBe(false);
    expect(trendOf(flat)).toEqual({ growth: 0, chance: 1, isGrowing: false });
  });

  it("has the chances of a table of the Mann-Kendall test", () => {
    // S = 45 of 45 pairs, Var(S) = 125: z = 44 / sqrt(125) = 3.935, one-sided p = 4.2e-5.
    const rising = { ...series(0, 0, 1), values: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] };
    expect(trendOf(rising).chance).toBeCloseTo(4.15e-5, 6);
    expect(trendOf({ ...rising, values: rising.values.toReversed() }).chance).toBeCloseTo(1, 3);
  });
});
