/** The most jobs one flow frame may settle (docs/wire-protocol.md, "Job / flow"). */
const maxRange = 65_536;

interface Range {
  readonly start: number;
  count: number;
}

/** Sequence numbers gathered over a tick, given back as few ranges. Numbers wrap at 2^32. */
export class JobRanges {
  #ranges: Range[] = [];

  get isEmpty(): boolean {
    return this.#ranges.length === 0;
  }

  /** Adds a number; each only once. */
  add(sequence: number): void {
    const last = this.#ranges.at(-1);
    if (last !== undefined && (last.start + last.count) >>> 0 === sequence) last.count++;
    else this.#ranges.push({ start: sequence, count: 1 });
  }

  /** Takes everything out: neighbours together, oldest first, at most 65,536 numbers at a time. */
  drain(write: (start: number, count: number) => void): void {
    const ranges = this.#ranges;
    this.#ranges = [];
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
