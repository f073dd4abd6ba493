import { quantile } from "./statistics.ts";

type QuantileName = "p50Micros" | "p99Micros" | "p999Micros" | "maxMicros";

/** Round trips of one window, in microseconds. */
export class Latencies {
  #samples: Float64Array = new Float64Array(65_536);
  #count = 0;

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  add(elapsedMs: number): void {
    if (this.#count === this.#samples.length) {
      const larger = new Float64Array(this.#count * 2);
      larger.set(this.#samples);
      this.#samples = larger;
    }
    this.#samples[this.#count++] = elapsedMs * 1000;
  }

  clear(): void {
    this.#count = 0;
  }

  /** Quantiles of what was added since {@link clear}; all NaN when nothing was. */
  quantiles(): Readonly<Record<QuantileName, number>> {
    const sorted = this.#samples.slice(0, this.#count).toSorted();
    return {
      p50Micros: quantile(sorted, 0.5),
      p99Micros: quantile(sorted, 0.99),
      p999Micros: quantile(sorted, 0.999),
      maxMicros: quantile(sorted, 1),
    };
  }
}
