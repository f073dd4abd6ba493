/**
 * Runs the six sockets on a simulated clock and network, with faults from seeds.
 *
 *   npm run test:sim -- [--seeds 1000] [--seed N] [--pattern push-pull] [--minutes M]
 *
 * Each seed of each pattern is a run of its own: `--seeds 1 --seed N --pattern p` repeats one, step
 * by step, `--trace` prints every event of it, and `--steps 3,7` takes some of its steps only. What
 * goes wrong is printed with the smallest schedule that was found and the command that repeats it,
 * and makes the exit code 1. With `--minutes` it goes on until they are over.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import type { Run } from "./simulate.ts";
import { patterns, simulate } from "./simulate.ts";
import { kindOf, replayCommand, shrink } from "./shrink.ts";
import { Summary } from "./summary.ts";

/** Of one kind of failure, the first of all is enough. */
const mostShown = 10;

const { values } = parseArgs({
  options: {
    seeds: { type: "string" },
    seed: { type: "string" },
    pattern: { type: "string" },
    minutes: { type: "string" },
    steps: { type: "string" },
    trace: { type: "boolean", default: false },
  },
});

const base = wholeNumber("seed", values.seed ?? String(Math.floor(Math.random() * 2 ** 30)));
const minutes = values.minutes === undefined ? Infinity : Number(values.minutes);
if (!(minutes > 0)) throw new Error(`--minutes is ${values.minutes}, must be more than 0`);
const defaultSeeds = minutes === Infinity ? 1_000 : Number.MAX_SAFE_INTEGER;
const seeds = values.seeds === undefined ? defaultSeeds : wholeNumber("seeds", values.seeds);
const chosen = patterns.filter((name) => values.pattern === undefined || name === values.pattern);
if (chosen.length === 0) {
  throw new Error(`--pattern is ${values.pattern}, must be one of ${patterns.join(", ")}`);
}
const only = values.steps?.split(",").flatMap((text) => (text === "none" ? [] : [Number(text)]));

const startMs = performance.now();
const summary = new Summary();
const shown = new Map<string, number>();
console.log(`base seed ${base}, node ${process.version}`);
for (let i = 0; i < seeds && performance.now() - startMs < minutes * 60_000; i++) {
  for (const pattern of chosen) {
    const run = await simulate({ pattern, seed: base + i, only, keepsLines: values.trace });
    summary.add(run);
    if (values.trace) for (const line of run.lines) console.log(line);
    if (run.violation !== undefined) await show(run);
  }
}
for (const line of summary.lines((performance.now() - startMs) / 1000)) console.log(line);
console.log(`base seed ${base}: ${summary.failures} of ${summary.runs} runs failed`);
process.exitCode = summary.failures === 0 && summary.runs > 0 ? 0 : 1;

async function show(run: Run): Promise<void> {
  const kind = `${run.pattern} ${kindOf(run.violation ?? "")}`;
  const count = (shown.get(kind) ?? 0) + 1;
  shown.set(kind, count);
  console.log(`FAILED ${run.pattern} seed ${run.seed}: ${run.violation}`);
  if (count > 1 || shown.size > mostShown || only !== undefined) return;
  const shrunk = await shrink(run);
  console.log(`  ${shrunk.steps.length} of ${run.steps} steps: ${shrunk.run.violation}`);
  console.log(`  ${replayCommand(shrunk)}`);
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new Error(`--${name} is ${text}, must be a whole number`);
}
