/** Whether a series of measurements grows. */

/** One measured series. */
export interface Series {
  readonly name: string;
  readonly unit: string;
  /** In the order they were taken, at equal distances. */
  readonly values: readonly number[];
  /** Growth over the whole series that is no leak: caches fill, the collector has its moods. */
  readonly allowedGrowth: number;
}

/** What is said of a series. */
export interface Trend {
  /** The Theil-Sen slope times the length of the series: what it grew by, outliers ignored. */
  readonly growth: number;
  /** How likely a series without a trend is to rise at least as steadily: one-sided Mann-Kendall. */
  readonly chance: number;
  /** True when it grew by more than is allowed, and that was no chance. */
  readonly isGrowing: boolean;
}

/** A trend that chance brings about less often is one. */
export const significance = 0.01;

/**
 * The Mann-Kendall test for a rising trend, and the Theil-Sen slope: both look at all pairs of
 * measurements and need no assumption about how they are distributed. Growth must be both more than is
 * allowed and no chance: a jump of one collection is neither.
 */
export function trendOf({ values, allowedGrowth }: Series): Trend {
  const slopes: number[] = [];
  let rises = 0;
  for (let early = 0; early < values.length; early++) {
    for (let late = early + 1; late < values.length; late++) {
      const rise = (values[late] ?? 0) - (values[early] ?? 0);
      rises += Math.sign(rise);
      slopes.push(rise / (late - early));
    }
  }
  const growth = middle(slopes) * Math.max(0, values.length - 1);
  const chance = chanceOf(rises, values);
  return { growth, chance, isGrowing: growth > allowedGrowth && chance < significance };
}

function middle(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  const upper = sorted[half] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[half - 1] ?? upper)) / 2;
}

/** Eighteen times the variance of the rises of so many values, and what as many equal ones take off. */
function spread(count: number): number {
  return count * (count - 1) * (2 * count + 5);
}

/** By the normal approximation, which holds from ten values on, with its correction for ties. */
function chanceOf(rises: number, values: readonly number[]): number {
  const count = values.length;
  const ties = new Map<number, number>();
  for (const value of values) ties.set(value, (ties.get(value) ?? 0) + 1);
  const tied = [...ties.values()].reduce((sum, size) => sum + spread(size), 0);
  const variance = (spread(count) - tied) / 18;
  if (variance <= 0) return 1;
  const score = (rises - Math.sign(rises)) / Math.sqrt(variance);
  return upperTail(score);
}

/** The chance of a standard normal value over `score`; Abramowitz and Stegun, 26.2.17, to 8e-8. */
function upperTail(score: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(score));
  const factors = [0.31938153, -0.356563782, 1.781477937, -1.821255978, 1.330274429];
  const sum = factors.reduceRight((rest, factor) => (rest + factor) * t, 0);
  const tail = (Math.exp(-(score * score) / 2) / Math.sqrt(2 * Math.PI)) * sum;
  return score < 0 ? 1 - tail : tail;
}
