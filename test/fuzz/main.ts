/**
 * Gives everything that takes in bytes from outside many damaged inputs, each target in a process of
 * its own.
 *
 *   npm run fuzz -- [--runs 100000] [--seed N] [--only zstd,wire-req] [--run K]
 *   npm run fuzz -- --minutes N [--seed N] [--only connection-rep] [--keep]
 *   npm run fuzz -- --only wire-req --input HEX
 *
 * Each input must be taken in as the target's oracle says, or be refused with a code that is allowed;
 * block the event loop for at most 50 ms; and leave no memory behind. What does not is printed with its
 * input and makes the exit code 1. With `--minutes`, which the targets share, inputs that reach new code
 * are changed further; `--keep` writes them into `corpus/`. `--run K` and `--input HEX` take in one
 * input alone: that of a failure. One that failed belongs into `failed/`, from where `npm test` replays it.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { bytes } from "@msg-ts/testing";
import type { FuzzCounts } from "./fuzzer.ts";
import { Fuzzer } from "./fuzzer.ts";
import type { GuidedResult } from "./guided-run.ts";
import { runGuided } from "./guided-run.ts";
import type { TargetReport } from "./supervisor.ts";
import { superviseTarget } from "./supervisor.ts";
import { failureLines, guidedLines, tableLines } from "./table.ts";
import { targets, targetsNamed } from "./targets.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "100000" },
    seed: { type: "string" },
    only: { type: "string" },
    run: { type: "string" },
    minutes: { type: "string" },
    keep: { type: "boolean", default: false },
    input: { type: "string" },
  },
});

const seed = wholeNumber("seed", values.seed ?? String(Math.floor(Math.random() * 2 ** 31)));
const chosen = values.only?.split(",").flatMap(targetsNamed) ?? targets;

if (values.input !== undefined) await takeIn(bytes(values.input));
else if (values.minutes !== undefined) await fuzzFor(Number(values.minutes));
else if (values.run === undefined) await fuzzAll(wholeNumber("runs", values.runs));
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

/** The targets share the time. */
async function fuzzFor(minutes: number): Promise<void> {
  if (!(minutes > 0)) throw new Error(`--minutes is ${minutes}, must be over 0`);
  console.log(`seed ${seed}, ${minutes} minutes, node ${process.version}`);
  const results: GuidedResult[] = [];
  for (const { name } of chosen) {
    const result = await runGuided(name, seed, (60 * minutes) / chosen.length, values.keep);
    results.push(result);
    console.log(`${name}: ${result.unavailable ?? `${failureCount(result.counts)} failures`}`);
  }
  for (const line of guidedLines(results)) console.log(line);
  const runs = results.reduce((sum, { counts }) => sum + counts.runs, 0);
  const failed = results.reduce((sum, { counts }) => sum + failureCount(counts), 0);
  console.log(`${runs} inputs, ${failed} failures, seed ${seed}`);
  process.exitCode = failed === 0 ? 0 : 1;
}

function failureCount({ failures, overall }: FuzzCounts): number {
  return failures.length + overall.length;
}

/** In this process, so that a debugger can be there. */
async function takeIn(input: Uint8Array): Promise<void> {
  for (const target of chosen) {
    const open = await target.open();
    if (typeof open === "string") throw new Error(open);
    const fuzzer = new Fuzzer(target, () => open.caseOf(input));
    const counts = await fuzzer.run({ seed: 0, from: 0, to: 1 });
    await open.close?.();
    console.log(target.name, JSON.stringify(counts, undefined, 2));
    if (counts.failures.length > 0) process.exitCode = 1;
  }
}

/** The same for a run. */
async function replay(run: number): Promise<void> {
  for (const target of chosen) {
    const open = await target.open();
    if (typeof open === "string") throw new Error(open);
    const counts = await new Fuzzer(target, open.makeCase).run({ seed, from: run, to: run + 1 });
    await open.close?.();
    console.log(target.name, JSON.stringify(counts, undefined, 2));
    if (counts.failures.length > 0) process.exitCode = 1;
  }
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new Error(`--${name} is ${text}, must be a whole number`);
}
