import process from "node:process";
import { setImmediate as nextTurn } from "node:timers/promises";

const mebibyte = 1024 * 1024;

/**
 * What a process may take at most, beyond what it had after its first runs: twice the largest limit
 * that a call is given, 64 MiB, and as much again for the window of a decoder that is not freed yet
 * and for garbage that is not collected yet.
 */
const maxPeakGrowthBytes = 256 * mebibyte;

/**
 * What it may have more of when all garbage is collected: no call may leave anything. What was freed
 * is not always given back to the system, or only later, so that the least of many looks counts.
 */
const maxLeftBytes = 96 * mebibyte;
const maxLeftExternalBytes = 8 * mebibyte;

/** Of the heap the same, as it is when all garbage is collected: what code and counts grow by is less. */
const maxLeftHeapBytes = 16 * mebibyte;

const collections = 3;

/** What many results of 64 MiB may leave: as much as one or two of them. */
const maxLeftOfLargeBytes = 128 * mebibyte;

/** Memory of a process, in bytes. */
export interface MemoryReport {
  /** The most that was resident at any time. */
  readonly peak: number;
  readonly peakGrowth: number;
  /** Resident, beyond what it was after the first runs: the least since halfway. */
  readonly left: number;
  /** The same of memory outside the heap, where results are, and as it is now. */
  readonly leftExternal: number;
  /** What is used of the heap, after the first runs and now, when all garbage is collected. */
  readonly heapBefore: number;
  readonly heapAfter: number;
  /** Resident, of many results of 64 MiB, once they are collected. */
  readonly leftOfLarge?: number;
}

/** Compares the memory of this process with what it was at first. Needs `--expose-gc`. */
export class MemoryWatch {
  readonly #resident: number;
  readonly #external: number;
  readonly #heap: number;
  #leastLeft = Infinity;

  private constructor({ rss, external, heapUsed }: NodeJS.MemoryUsage) {
    this.#resident = rss;
    this.#external = external;
    this.#heap = heapUsed;
  }

  static async start(): Promise<MemoryWatch> {
    await collectGarbage();
    return new MemoryWatch(process.memoryUsage());
  }

  /** Forgets how little there was before: called once, when half of the runs are over. */
  halfway(): void {
    this.#leastLeft = Infinity;
  }

  async report(): Promise<MemoryReport> {
    await collectGarbage();
    const { rss, external, heapUsed } = process.memoryUsage();
    this.#leastLeft = Math.min(this.#leastLeft, rss - this.#resident);
    const peak = process.resourceUsage().maxRSS * 1024;
    return {
      peak,
      peakGrowth: peak - this.#resident,
      left: this.#leastLeft,
      leftExternal: external - this.#external,
      heapBefore: this.#heap,
      heapAfter: heapUsed,
    };
  }
}

/** What is wrong with the memory of a process, in words. */
export function memoryFailures(report: MemoryReport): readonly string[] {
  return [
    ...over("memory grew by", report.peakGrowth, maxPeakGrowthBytes),
    ...over("memory that was left is", report.left, maxLeftBytes),
    ...over("memory outside the heap that was left is", report.leftExternal, maxLeftExternalBytes),
    ...over("heap that was left is", report.heapAfter - report.heapBefore, maxLeftHeapBytes),
    ...over("16 results of 64 MiB left", report.leftOfLarge ?? 0, maxLeftOfLargeBytes),
  ];
}

function over(what: string, actual: number, most: number): readonly string[] {
  return actual > most
    ? [`${what} ${shownMebibytes(actual)}, at most ${shownMebibytes(most)}`]
    : [];
}

/** Bytes for people. */
export function shownMebibytes(bytes: number): string {
  return `${(bytes / mebibyte).toFixed(1)} MiB`;
}

/** Collects all garbage. What native packages lend is given back in later turns of the event loop. */
export async function collectGarbage(): Promise<void> {
  if (globalThis.gc === undefined) throw new Error("memory is watched with --expose-gc only");
  for (let round = 0; round < collections; round++) {
    globalThis.gc();
    await nextTurn();
  }
}
