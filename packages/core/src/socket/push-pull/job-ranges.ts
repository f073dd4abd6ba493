/** The most jobs one flow frame may settle (docs/wire-protocol.md, "Job / flow"). */
const maxRange = 65_536;

interface Range {
  readonly start: number;
  count: number;
}

/** Sequence numbers gathered over a while, given back as few ranges. Numbers wrap at 2^32. */
export class JobRanges {
  /** Ranges that ended; the numbers go on with the following one. */
  #ranges: Range[] = [];
  #start = 0;
  #count = 0;

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Adds a number; each only once. */
  add(sequence: number): void {
    if (this.#count > 0) {
      if ((this.#start + this.#count) >>> 0 === sequence) {
        this.#count++;
        return;
      }
      this.#ranges.push({ start: this.#start, count: this.#count });
    }
    this.#start = sequence;
    this.#count = 1;
  }

  /** Takes everything out: neighbours together, oldest first, at most 65,536 numbers at a time. */
  drain(write: (start: number, count: number) => void): void {
    if (this.#count === 0) return;
    const ranges = this.#ranges;
    ranges.push({ start: this.#start, count: this.#count });
    this.#ranges = [];
    this.#count = 0;
    for (const { start, count } of ranges.length > 1 ? merged(ranges) : ranges) {
      for (let done = 0; done < count; done += maxRange) {
        write((start + done) >>> 0, Math.min(maxRange, count - done));
      }
    }
  }
}

function merged(ranges: readonly Range[]): Range[] {
  // All are within a window of each other, so the sign of the difference is their order, also
  // across the wrap.
  const sorted = ranges.toSorted((a, b) => (a.start - b.start) | 0);
  const result: Range[] = [];
  for (const { start, count } of sorted) {
    const last = result.at(-1);
    if (last !== undefined && (last.start + last.count) >>> 0 === start) last.count += count;
    else result.push({ start, count });
  }
  return result;
}
