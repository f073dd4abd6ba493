/** Fuzzes one target in a process of its own: `fuzz.ts <plan as JSON>`, started by `../supervisor.ts`. */
import { openSync, writeSync } from "node:fs";
import process from "node:process";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Fuzzer } from "../fuzzer.ts";
import { collectGarbage, MemoryWatch } from "../memory-watch.ts";
import type { ChildPlan, ChildReport } from "../supervisor.ts";
import { targetNamed } from "../targets.ts";

/** Reports are apart by this many runs. */
const reportRuns = 1_000;

const plan = JSON.parse(process.argv[2] ?? "") as ChildPlan;

/** Written before each run: what is read after a crash. */
const progress = openSync(plan.progressFile, "w");
const runField = new Uint32Array(1);

const target = targetNamed(plan.target);
const makeCase = await target.open();
if (typeof makeCase === "string") await tell({ type: "unavailable", why: makeCase });
else {
  const fuzzer = new Fuzzer(target, makeCase, {
    beforeRun: writeProgress,
    afterLarge: collectGarbage,
  });
  const reports = Math.ceil((plan.to - plan.from) / reportRuns);
  const halfway = plan.from + Math.floor(reports / 2) * reportRuns;
  let memory: MemoryWatch | undefined;
  for (let from = plan.from; from < plan.to; from += reportRuns) {
    const to = Math.min(plan.to, from + reportRuns);
    await fuzzer.run({ seed: plan.seed, from, to });
    if (from === halfway) memory?.halfway();
    // The first runs load what is loaded once.
    memory ??= await MemoryWatch.start();
    await tell({ type: "counts", counts: fuzzer.counts, memory: await memory.report() });
  }
}
process.disconnect();

function writeProgress(run: number): void {
  runField[0] = run;
  writeSync(progress, runField, 0, runField.byteLength, 0);
}

async function tell(report: ChildReport): Promise<void> {
  await new Promise<void>((resolve) => {
    process.send?.(report, undefined, {}, () => resolve());
  });
  await nextTurn();
}
