/** What `all` measures. */
import type { Settings } from "./scenario.ts";

/** One row that is to be measured. */
export interface Plan {
  readonly settings: Settings;
  /** Names, or styles such as `ours/callback`. */
  readonly peers: readonly string[];
  readonly rounds: number;
}

/** Every row of docs/performance.md, within 20 minutes on two cores. */
export const everything: readonly Plan[] = [];
