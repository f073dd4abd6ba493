import process from "node:process";

const mebibyte = 1024 * 1024;

/**
 * What a process may take at most, beyond what it had after its first runs: twice the largest limit
 * that a call is given, 64 MiB, and as much again as garbage that is not collected yet.
 */
const maxPeakGrowthBytes = 256 * mebibyte;

/** What it may have more of at the end, when all garbage is collected: no call may leave anything. */
const maxLeftBytes = 48 * mebibyte;
const maxLeftExternalBytes = 8 * mebibyte;

/** Memory of a process, in bytes. */
export interface MemoryReport {
  /** The most that was resident at any time. */
  readonly peak: number;
  readonly peakGrowth: number;
  /** Resident at the end, beyond what it was after the first runs. */
  readonly left: number;
  /** The same of memory outside the heap, where results are. */
  readonly leftExternal: number;
}

/** Compares the memory of this process with what it was at first. Needs `--expose-gc`. */
export class MemoryWatch {
  readonly #resident: number;
  readonly #external: number;

  constructor() {
    collect();
    const { rss, external } = process.memoryUsage();
    this.#resident = rss;
    this.#external = external;
  }

  report(): MemoryReport {
    collect();
    const { rss, external } = process.memoryUsage();
    const peak = process.resourceUsage().maxRSS * 1024;
    return {
      peak,
      peakGrowth: peak - this.#resident,
      left: rss - this.#resident,
      leftExternal: external - this.#external,
    };
  }
}

/** What is wrong with the memory of a process, in words. */
export function memoryFailures(report: MemoryReport): readonly string[] {
  return [
    ...over("memory grew by", report.peakGrowth, maxPeakGrowthBytes),
    ...over("memory that was left is", report.left, maxLeftBytes),
    ...over("memory outside the heap that was left is", report.leftExternal, maxLeftExternalBytes),
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

function collect(): void {
  if (globalThis.gc === undefined) throw new Error("memory is watched with --expose-gc only");
  globalThis.gc();
  globalThis.gc();
}
