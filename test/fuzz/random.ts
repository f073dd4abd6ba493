import { seededRandom } from "@msg-ts/testing";

/** Chance that can be repeated: the same seed gives the same choices. */
export class Random {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = seededRandom(seed);
  }

  /** The chance of one run, which does not depend on the runs before: any run can be made alone. */
  static ofRun(seed: number, run: number): Random {
    let mixed = Math.imul(seed, 0x9e3779b1) ^ Math.imul(run + 1, 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0xc2b2ae35);
    return new Random(mixed ^ (mixed >>> 13));
  }

  /** A whole number from 0, less than `limit`; 0 when that is 0. */
  below(limit: number): number {
    return Math.floor(this.#next() * limit);
  }

  /** A whole number from `min` to `max`, both included. */
  between(min: number, max: number): number {
    return min + this.below(max - min + 1);
  }

  /** From 0, less than `limit`, the small ones far more often. */
  small(limit: number): number {
    return Math.floor(limit ** this.#next()) - 1;
  }

  oneIn(count: number): boolean {
    return this.below(count) === 0;
  }

  pick<T>(list: readonly T[]): T {
    const picked = list[this.below(list.length)];
    if (picked === undefined) throw new Error("there is nothing to pick from");
    return picked;
  }

  bytes(length: number): Uint8Array {
    const result = new Uint8Array(length);
    for (let at = 0; at < length; at++) result[at] = this.below(256);
    return result;
  }
}
