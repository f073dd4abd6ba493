import type * as compat from "@msg-ts/zmtp/compat";
import type { Stage } from "./stage.ts";

/** The classes of zeromq.js, as this layer has them; zeromq.js itself is used as if it were this. */
export type Zmq = typeof compat;

/** Which of the two is played. */
export type Side = "zeromq.js" | "ours";

/** What the bytes go over. */
export type Carrier = "tcp" | "ipc" | "inproc";

/** All that zeromq.js tests over. */
export const carriers: readonly Carrier[] = ["tcp", "ipc", "inproc"];

/** Why what ours gives is not what zeromq.js gives. */
export type Difference =
  /** What a user would rather have. */
  | { readonly better: string }
  /** Another choice, which is neither. */
  | { readonly other: string }
  /** What zeromq.js has and this layer has not. */
  | { readonly worse: string };

/** One thing that an application does with either. */
export interface Scenario {
  readonly what: string;
  /** @defaultValue TCP alone */
  readonly over?: readonly Carrier[];
  /** Plays it, and says in a few words what came of it. What it throws is what came of it too. */
  readonly run: (stage: Stage) => Promise<string>;
  /** What has to come of it with ours. */
  readonly ours: string;
  /** Has to be there where zeromq.js gives another, and must not where it gives the same. */
  readonly difference?: Difference;
}

/** Scenarios of one kind. */
export interface Group {
  readonly title: string;
  readonly scenarios: readonly Scenario[];
}
