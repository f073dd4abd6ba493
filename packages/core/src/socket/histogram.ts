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

/**
 * A histogram of durations with a relative error of at most a fifth. It takes at most 1 KiB, and
 * only for as many doublings as lie between the shortest and the longest one seen.
 */
export class DurationHistogram {
  /** The buckets from `#first` on. */
  #buckets: number[] = [];
  #first = 0;
  #count = 0;
  #maxMs = 0;
  /** What was added last, and its bucket: replies that come together often took equally long. */
  #lastMs = -1;
  #lastPlace = 0;

  add(durationMs: number): void {
    if (durationMs !== this.#lastMs) this.#select(durationMs);
    const place = this.#lastPlace;
    this.#buckets[place] = (this.#buckets[place] ?? 0) + 1;
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
    const bucket = Math.min(Math.floor(octave * bucketsPerOctave), bucketCount - 1);
    const place = bucket - this.#first;
    if (place < 0 || place >= this.#buckets.length) this.#widen(bucket);
    this.#lastPlace = bucket - this.#first;
    this.#lastMs = durationMs;
    if (durationMs > this.#maxMs) this.#maxMs = durationMs;
  }

  /** By whole doublings. */
  #widen(bucket: number): void {
    const octaveStart = bucket - (bucket % bucketsPerOctave);
    const end = this.#first + this.#buckets.length;
    const first = end === 0 ? octaveStart : Math.min(this.#first, octaveStart);
    const length = Math.max(end, octaveStart + bucketsPerOctave) - first;
    this.#buckets = Array.from({ length }, (_, place) => this.#at(first + place));
    this.#first = first;
  }

  #at(bucket: number): number {
    return this.#buckets[bucket - this.#first] ?? 0;
  }

  /** The upper edge of the bucket in which the quantile lies. */
  #quantile(quantile: number): number {
    let seen = 0;
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      seen += this.#at(bucket);
      if (seen > 0 && seen >= quantile * this.#count) {
        return Math.min(2 ** ((bucket + 1) / bucketsPerOctave) / 1000, this.#maxMs);
      }
    }
    return 0;
  }
}
