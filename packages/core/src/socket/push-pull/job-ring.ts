import { MsgError } from "../../errors.ts";

/** Sequence numbers from the oldest unsettled job on: the next one must stay below this. */
const maxSpan = 65_536;

/** How far behind the oldest unsettled job a range may reach (docs/wire-protocol.md, "Job / flow"). */
const settledReach = 65_536;

/** What is told of an entry that is taken out. */
export type OnEntry<Entry> = (entry: Entry, endsAtByte: number) => void;

/**
 * The unsettled jobs of one connection, by sequence number.
 *
 * A ring by `sequence & mask` that grows with what is under way: no hashing, and nothing allocated
 * for a job, because an object for each that lives until its acknowledgement is what a collector
 * pays most for (bench scenario: push-pull). Numbers wrap at 2^32.
 */
export class JobRing<Entry extends object> {
  #entries: (Entry | undefined)[] = [];
  #sizes: Uint32Array = new Uint32Array(0);
  #ends: Float64Array = new Float64Array(0);
  #mask = -1;
  #oldest: number;
  #next: number;
  /** Jobs in it, and bytes of their payloads. */
  size = 0;
  bytes = 0;

  /** @param firstSequence - 0 on the wire; others in tests. */
  constructor(firstSequence = 0) {
    this.#oldest = this.#next = firstSequence;
  }

  /** False when the next number would be too far from the oldest unsettled one. */
  get hasSequence(): boolean {
    return this.#span < maxSpan;
  }

  /** From the oldest unsettled number to the next one. */
  get #span(): number {
    return (this.#next - this.#oldest) >>> 0;
  }

  /** Adds a job of so many bytes under the next number; gives that. */
  push(entry: Entry, bytes: number): number {
    const sequence = this.#next;
    if ((sequence - this.#oldest) >>> 0 > this.#mask) this.#grow();
    const place = sequence & this.#mask;
    this.#entries[place] = entry;
    this.#sizes[place] = bytes;
    this.#next = (sequence + 1) >>> 0;
    this.size++;
    this.bytes += bytes;
    return sequence;
  }

  /** Notes where the job that was added last ends in what its connection was given. */
  setEnd(endsAtByte: number): void {
    this.#ends[(this.#next - 1) & this.#mask] = endsAtByte;
  }

  /**
   * Takes out what is left of a range; numbers that were settled before are skipped.
   *
   * @throws MsgError `MSG_PROTOCOL` when the range reaches beyond what was sent, or too far back.
   */
  take(sequence: number, count: number, onEntry?: OnEntry<Entry>): void {
    this.#checkRange(sequence, count);
    // Relative to the oldest, so that a range of settled numbers costs nothing.
    const start = (sequence - this.#oldest) | 0;
    const end = start + count;
    this.#remove(Math.max(start, 0), end, onEntry);
  }

  /** Takes out everything, oldest first. */
  takeAll(onEntry: OnEntry<Entry>): void {
    this.#remove(0, this.#span, onEntry);
  }

  /** Takes out those that end at a byte or before; gives how many. All before the last must be there. */
  takeUpTo(endsAtByte: number): number {
    const span = this.#span;
    let count = 0;
    while (count < span && (this.#ends[(this.#oldest + count) & this.#mask] ?? 0) <= endsAtByte) {
      count++;
    }
    if (count > 0) this.#remove(0, count, undefined);
    return count;
  }

  #checkRange(sequence: number, count: number): void {
    const fromLowest = (sequence - this.#oldest + settledReach) >>> 0;
    if (fromLowest + count <= settledReach + this.#span) return;
    const text = `peer settled ${count} jobs from ${sequence}, those from ${this.#oldest} to before`;
    throw new MsgError("MSG_PROTOCOL", `${text} ${this.#next} are unsettled`);
  }

  /** @param start - counted from the oldest, as `end` is. */
  #remove(start: number, end: number, onEntry: OnEntry<Entry> | undefined): void {
    const entries = this.#entries;
    const sizes = this.#sizes;
    const mask = this.#mask;
    const oldest = this.#oldest;
    let count = 0;
    let bytes = 0;
    for (let i = start; i < end; i++) {
      const place = (oldest + i) & mask;
      const entry = entries[place];
      if (entry === undefined) continue;
      entries[place] = undefined;
      count++;
      bytes += sizes[place] ?? 0;
      onEntry?.(entry, this.#ends[place] ?? 0);
    }
    this.size -= count;
    this.bytes -= bytes;
    if (start === 0) this.#advance();
  }

  #advance(): void {
    const entries = this.#entries;
    const mask = this.#mask;
    const next = this.#next;
    let oldest = this.#oldest;
    while (oldest !== next && entries[oldest & mask] === undefined) oldest = (oldest + 1) >>> 0;
    this.#oldest = oldest;
  }

  /** Lengths are powers of two up to the longest span, so that no two numbers share a place. */
  #grow(): void {
    const entries = this.#entries;
    const sizes = this.#sizes;
    const ends = this.#ends;
    const oldMask = this.#mask;
    const length = Math.max(64, entries.length * 2);
    this.#mask = length - 1;
    this.#entries = Array.from({ length });
    this.#sizes = new Uint32Array(length);
    this.#ends = new Float64Array(length);
    for (let i = 0; i < entries.length; i++) {
      const from = (this.#oldest + i) & oldMask;
      const to = (this.#oldest + i) & this.#mask;
      this.#entries[to] = entries[from];
      this.#sizes[to] = sizes[from] ?? 0;
      this.#ends[to] = ends[from] ?? 0;
    }
  }
}
