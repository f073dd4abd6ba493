import { MsgError } from "../../errors.ts";

/** Sequence numbers from the oldest unsettled job on: the next one must stay below this. */
const maxSpan = 65_536;

/** How far behind the oldest unsettled job a range may reach (docs/wire-protocol.md, "Job / flow"). */
const settledReach = 65_536;

/**
 * The unsettled jobs of one connection, by sequence number.
 *
 * A ring by `sequence & mask` that grows with what is under way: no hashing, nothing allocated for
 * a job. Numbers wrap at 2^32.
 */
export class JobRing<Job extends { readonly bytes: number }> {
  #ring: (Job | undefined)[] = [];
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

  /** Adds a job under the next number; gives that. */
  push(job: Job): number {
    if (this.#span === this.#ring.length) this.#grow();
    const sequence = this.#next;
    this.#ring[sequence & (this.#ring.length - 1)] = job;
    this.#next = (sequence + 1) >>> 0;
    this.size++;
    this.bytes += job.bytes;
    return sequence;
  }

  /**
   * Takes out what is left of a range; numbers that were settled before are skipped.
   *
   * @throws MsgError `MSG_PROTOCOL` when the range reaches beyond what was sent, or too far back.
   */
  take(sequence: number, count: number, onJob: (job: Job) => void): void {
    this.#checkRange(sequence, count);
    // Relative to the oldest, so that a range of settled numbers costs nothing.
    const start = (sequence - this.#oldest) | 0;
    const end = start + count;
    const first = this.#oldest;
    for (let i = Math.max(start, 0); i < end; i++) {
      const job = this.#remove((first + i) >>> 0);
      if (job !== undefined) onJob(job);
    }
    this.#advance();
  }

  /** Takes out everything, oldest first. */
  takeAll(): Job[] {
    const jobs: Job[] = [];
    for (let i = 0, span = this.#span; i < span; i++) {
      const job = this.#remove((this.#oldest + i) >>> 0);
      if (job !== undefined) jobs.push(job);
    }
    this.#advance();
    return jobs;
  }

  #checkRange(sequence: number, count: number): void {
    const fromLowest = (sequence - this.#oldest + settledReach) >>> 0;
    if (fromLowest + count <= settledReach + this.#span) return;
    const text = `peer settled ${count} jobs from ${sequence}, those from ${this.#oldest} to before`;
    throw new MsgError("MSG_PROTOCOL", `${text} ${this.#next} are unsettled`);
  }

  #remove(sequence: number): Job | undefined {
    const place = sequence & (this.#ring.length - 1);
    const job = this.#ring[place];
    if (job === undefined) return undefined;
    this.#ring[place] = undefined;
    this.size--;
    this.bytes -= job.bytes;
    return job;
  }

  #advance(): void {
    const mask = this.#ring.length - 1;
    while (this.#oldest !== this.#next && this.#ring[this.#oldest & mask] === undefined) {
      this.#oldest = (this.#oldest + 1) >>> 0;
    }
  }

  /** Lengths are powers of two up to the longest span, so that no two numbers share a place. */
  #grow(): void {
    const old = this.#ring;
    this.#ring = Array.from({ length: Math.max(64, old.length * 2) });
    for (let i = 0; i < old.length; i++) {
      const sequence = (this.#oldest + i) >>> 0;
      this.#ring[sequence & (this.#ring.length - 1)] = old[sequence & (old.length - 1)];
    }
  }
}
