import type { Credentials } from "../network/transports.ts";

/** What a check is run with. */
export interface CheckContext {
  readonly credentials: Credentials;
  readonly seed: number;
  readonly isShort: boolean;
  /** Adds what was measured to bench/history. */
  readonly isRecorded: boolean;
}

/** What came out. */
export interface CheckResult {
  /** For the reader: tables, numbers. */
  readonly lines: readonly string[];
  /** Empty when all is well. */
  readonly failures: readonly string[];
}

/** One thing that is to hold over QUIC. */
export interface Check {
  readonly name: string;
  readonly title: string;
  readonly run: (context: CheckContext) => Promise<CheckResult>;
}
