/** A number of several rounds. */
export interface Figure {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Sums up the rounds, to four digits. */
export function figure(samples: readonly number[]): Figure {
  const sorted = samples.toSorted((a, b) => a - b);
  return {
    median: fourDigits(middle(sorted)),
    min: fourDigits(sorted[0]),
    max: fourDigits(sorted.at(-1)),
  };
}

/** The value that a share of the samples does not exceed, by the nearest rank; NaN of none. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const rank = Math.max(1, Math.ceil(share * sorted.length));
  return sorted[rank - 1] ?? Number.NaN;
}

/** The quotient of each round, so that what the machine did in a round falls on both. */
export function ratios(above: readonly number[], below: readonly number[]): Figure {
  const rounds = Math.min(above.length, below.length);
  const quotients: number[] = [];
  for (let round = 0; round < rounds; round++) {
    quotients.push((above[round] ?? Number.NaN) / (below[round] ?? Number.NaN));
  }
  return figure(quotients);
}

/** Rounds to four digits: more are noise. */
export function fourDigits(value = Number.NaN): number {
  return Number(value.toPrecision(4));
}

/** Of an even number the mean of the two in the middle. */
function middle(sorted: readonly number[]): number {
  const half = Math.floor(sorted.length / 2);
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[half - 1] ?? Number.NaN)) / 2;
}
