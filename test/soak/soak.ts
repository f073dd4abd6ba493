import type { Network } from "../faults/network.ts";

/** What the process that is measured is started with. */
export interface SoakSettings {
  readonly networks: readonly Network[];
  readonly seed: number;
}

/** One look at it. */
export interface Sample {
  readonly heapBytes: number;
  readonly residentBytes: number;
  readonly handles: number;
  /** 99 of 100 turns of the event loop were late by no more, since the last sample. */
  readonly delayMs: number;
  /** The same without what others had of the processor; absent where the host does not tell. */
  readonly ownDelayMs: number | undefined;
  /** Processor time since the sample before, without that of the collections that it forced. */
  readonly cpuMicros: number;
  /** Requests, jobs and messages that ended since then. */
  readonly ended: number;
  /** What went wrong so far. */
  readonly failures: readonly string[];
}

/** What it says when all is closed. */
export interface SoakEnd {
  readonly wrong: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
  /** How often which kind of socket came and went. */
  readonly churned: Readonly<Record<string, number>>;
  readonly lanes: number;
}
