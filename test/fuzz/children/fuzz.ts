/** Fuzzes one target in a process of its own: `fuzz.ts <plan as JSON>`, started by `../supervisor.ts`. */
import { openSync, writeSync } from "node:fs";
import process from "node:process";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { OpenTarget } from "../case.ts";
import { Fuzzer } from "../fuzzer.ts";
import type { MemoryReport } from "../memory-watch.ts";
import { collectGarbage, MemoryWatch } from "../memory-watch.ts";
import type { ChildPlan, ChildReport } from "../supervisor.ts";
import { targetNamed } from "../targets.ts";

/** Reports are apart by this many runs. */
const reportRuns = 1_000;

/** So many large results are taken at the end. */
const largeResults = 16;

const plan = JSON.parse(process.argv[2] ?? "") as ChildPlan;

/** Written before each run: what is read after a crash. */
const progress = openSync(plan.progressFile, "w");
const runField = new Uint32Array(1);

const target = targetNamed(plan.target);
const open = await target.open();
if (typeof open === "string") await tell({ type: "unavailable", why: open });
else {
  await fuzz(open);
  await open.close?.();
}
process.disconnect();

async function fuzz({ makeCase, takeLarge }: OpenTarget): Promise<void> {
  const hooks = { beforeRun: writeProgress, afterLarge: collectGarbage };
  const fuzzer = new Fuzzer(target, makeCase, hooks);
  const halfway = plan.from + Math.floor((plan.to - plan.from) / 2 / reportRuns) * reportRuns;
  let memory: MemoryWatch | undefined;
  let report: MemoryReport | undefined;
  for (let from = plan.from; from < plan.to; from += reportRuns) {
    const to = Math.min(plan.to, from + reportRuns);
    await fuzzer.run({ seed: plan.seed, from, to });
    if (from === halfway) memory?.halfway();
    // The first runs load what is loaded once.
    memory ??= await MemoryWatch.start();
    report = await memory.report();
    await tell({ type: "counts", counts: fuzzer.counts, memory: report });
  }
  if (takeLarge === undefined || report === undefined) return;
  report = { ...report, leftOfLarge: await leftOf(takeLarge) };
  await tell({ type: "counts", counts: fuzzer.counts, memory: report });
}

/** What many calls leave in memory, beyond what the first one did. */
async function leftOf(call: () => Promise<void>): Promise<number> {
  let before = 0;
  for (let count = 0; count <= largeResults; count++) {
    await call();
    await collectGarbage();
    if (count === 0) before = process.memoryUsage().rss;
  }
  return process.memoryUsage().rss - before;
}

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
