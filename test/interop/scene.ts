import type { Stage } from "./stage.ts";

/** What came of a scene that held. */
export interface Outcome {
  /** Messages, requests and replies that arrived and were checked. */
  readonly messages: number;
  /** What was seen, where that is the point of the scene. */
  readonly note?: string;
}

/** One thing that two implementations do together. */
export interface Scene {
  /** Who dials whom: `ts REQ -> rust REP`. */
  readonly pair: string;
  readonly transport: string;
  /** What is special about it: a compressor, a token, a restart. */
  readonly what: string;
  /** True where it needs the machine for itself. @defaultValue false */
  readonly isHeavy?: boolean;
  /** @defaultValue 60_000 */
  readonly withinMs?: number;
  /** Rejects when it does not hold. */
  readonly run: (stage: Stage) => Promise<Outcome>;
}

/** Something that is not run, and why. */
export interface Skip {
  readonly what: string;
  readonly why: string;
}

/** The scenes with one other implementation. */
export interface Suite {
  readonly name: string;
  /** Builds or installs the peers; resolves to why that is not possible, or to the scenes. */
  readonly prepare: (request: Request) => Promise<Prepared | Unavailable>;
}

/** What was asked for on the command line. */
interface Request {
  /** Only mixed traffic with restarts, for so many minutes; `undefined` for all scenes. */
  readonly mixedMinutes: number | undefined;
}

/** A suite that can be run. */
interface Prepared {
  /** What it talks to, with versions. */
  readonly title: string;
  readonly scenes: readonly Scene[];
  readonly skips: readonly Skip[];
  /** Frees what was made for all scenes. */
  readonly dispose: () => void;
}

/** A suite that cannot. */
interface Unavailable {
  readonly unavailable: string;
}
