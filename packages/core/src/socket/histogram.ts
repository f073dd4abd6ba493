/** Durations, as `stats()` shows them. Milliseconds. */
export interface DurationStats {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Four buckets for each doubling, from 1 microsecond to about an hour. */
const bucketsPerOctave = 4;
const bucketCount = 32 * bucketsPerOctave;

/** A histogram of durations with a relative error of at most a fifth, in a fixed 1 KiB. */
export class DurationHistogram {
  readonly #buckets: Float64Array = new Float64Array(bucketCount);
  #count = 0;
  #maxMs = 0;
  /** What was added last: replies that come together often took equally long. */
  #lastMs = 0;
  #lastBucket = 0;

  add(durationMs: number): void {
    if (durationMs !== this.#lastMs) this.#select(durationMs);
    const bucket = this.#lastBucket;
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
    this.#count++;
  }

  stats(): DurationStats {
    return {
      count: this.#count,
      p50Ms: this.#quantile(0.5),
      p99Ms: this.#quantile(0.99),
      maxMs: this.#maxMs,
    };
  }

  #select(durationMs: number): void {
    const octave = Math.log2(Math.max(durationMs * 1000, 1));
    this.#lastMs = durationMs;
    this.#lastBucket = Math.min(Math.floor(octave * bucketsPerOctave), bucketCount - 1);
    if (durationMs > this.#maxMs) this.#maxMs = durationMs;
  }

  /** The upper edge of the bucket in which the quantile lies. */
  #quantile(quantile: number): number {
    let seen = 0;
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      seen += this.#buckets[bucket] ?? 0;
      if (seen > 0 && seen >= quantile * this.#count) {
        return Math.min(2 ** ((bucket + 1) / bucketsPerOctave) / 1000, this.#maxMs);
      }
    }
    return 0;
  }
}
