/**
 * Gives every decompressor and decoder many damaged inputs, each algorithm in a process of its own.
 *
 *   npm run fuzz -- [--runs 100000] [--seed N] [--only zstd,cbor] [--run K]
 *
 * Each input must give bytes within the limit, or be refused with a code that is allowed; block the
 * event loop for at most 50 ms; and leave no memory behind. What does not is printed with its input
 * and makes the exit code 1. `--run K` takes in one input alone: that of a failure, with its seed.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import type { FuzzCounts } from "./fuzzer.ts";
import { Fuzzer } from "./fuzzer.ts";
import type { TargetReport } from "./supervisor.ts";
import { superviseTarget } from "./supervisor.ts";
import { failureLines, tableLines } from "./table.ts";
import { targets, targetsNamed } from "./targets.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "100000" },
    seed: { type: "string" },
    only: { type: "string" },
    run: { type: "string" },
  },
});

const seed = wholeNumber("seed", values.seed ?? String(Math.floor(Math.random() * 2 ** 31)));
const chosen = values.only?.split(",").flatMap(targetsNamed) ?? targets;

if (values.run === undefined) await fuzzAll(wholeNumber("runs", values.runs));
else await replay(wholeNumber("run", values.run));

async function fuzzAll(runs: number): Promise<void> {
  console.log(`seed ${seed}, ${runs} runs each, node ${process.version}`);
  const reports: TargetReport[] = [];
  for (const { name } of chosen) {
    const startMs = performance.now();
    const report = await superviseTarget(name, { seed, from: 0, to: runs });
    reports.push(report);
    const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
    const told = `${name}: ${seconds} s, ${failureCount(report.counts)} failures`;
    console.log(report.unavailable ?? told);
  }
  for (const line of [...tableLines(reports), ...failureLines(reports, seed)]) console.log(line);
  const isWell = reports.every(({ counts }) => failureCount(counts) === 0);
  process.exitCode = isWell ? 0 : 1;
}

function failureCount({ failures, overall }: FuzzCounts): number {
  return failures.length + overall.length;
}

/** In this process, so that a debugger can be there. */
async function replay(run: number): Promise<void> {
  for (const target of chosen) {
    const open = await target.open();
    if (typeof open === "string") throw new Error(open);
    const counts = await new Fuzzer(target, open.makeCase).run({ seed, from: run, to: run + 1 });
    console.log(target.name, JSON.stringify(counts, undefined, 2));
    if (counts.failures.length > 0) process.exitCode = 1;
  }
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new Error(`--${name} is ${text}, must be a whole number`);
}
