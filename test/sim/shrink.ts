import type { Run, RunOptions } from "./simulate.ts";
import { simulate } from "./simulate.ts";

/** How many runs may be spent on one failure. */
const mostRuns = 150;

/** A failure with as few of its steps as could be found. */
export interface Shrunk {
  readonly run: Run;
  readonly steps: readonly number[];
}

/** What is the same for two failures of one kind. */
export function kindOf(violation: string): string {
  return (violation.split("\n")[0] ?? "").replace(/[\d.]+/g, "N").slice(0, 120);
}

/** Leaves out steps, larger parts first, as long as the run fails in the same way. */
export async function shrink(failed: Run): Promise<Shrunk> {
  const { pattern, seed, violation = "" } = failed;
  const kind = kindOf(violation);
  let best = failed;
  let steps: readonly number[] = Array.from({ length: failed.steps }, (_, number) => number);
  let runs = 0;
  for (
    let size = Math.ceil(steps.length / 2);
    size >= 1;
    size = size === 1 ? 0 : Math.ceil(size / 2)
  ) {
    for (let at = 0; at < steps.length && runs < mostRuns;) {
      const fewer = steps.toSpliced(at, size);
      const options: RunOptions = { pattern, seed, only: fewer };
      const run = await simulate(options);
      runs++;
      if (run.violation !== undefined && kindOf(run.violation) === kind) {
        steps = fewer;
        best = run;
      } else at += size;
    }
  }
  return { run: best, steps };
}

/** The command that runs it again, with every event. */
export function replayCommand({ run, steps }: Shrunk): string {
  const { pattern, seed } = run;
  const some = steps.length === 0 ? "none" : steps.join(",");
  return `npm run test:sim -- --pattern ${pattern} --seed ${seed} --seeds 1 --steps ${some} --trace`;
}
