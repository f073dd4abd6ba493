import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { targetNamed } from "./targets.ts";
import type { Failure, FuzzCounts, FuzzPlan } from "./fuzzer.ts";
import { noCounts, shownInput } from "./fuzzer.ts";
import type { MemoryReport } from "./memory-watch.ts";
import { memoryFailures } from "./memory-watch.ts";
import { Random } from "./random.ts";

/** What a child process is told. */
export interface ChildPlan extends FuzzPlan {
  readonly target: string;
  /** Where it writes the number of each run, before the run. */
  readonly progressFile: string;
}

/** What a child process tells. */
export type ChildReport =
  | { readonly type: "unavailable"; readonly why: string }
  | { readonly type: "counts"; readonly counts: FuzzCounts; readonly memory: MemoryReport };

/** What came of fuzzing one target. */
export interface TargetReport {
  readonly target: string;
  /** Why it could not be fuzzed here. */
  readonly unavailable?: string;
  readonly counts: FuzzCounts;
  readonly peakBytes: number;
  /** Of the last process, from its first runs to its last; absent when it told nothing. */
  readonly heap?: Pick<MemoryReport, "heapBefore" | "heapAfter"> | undefined;
}

/** A run that takes longer never ends. */
const maxRunMs = 60_000;

/** After so many crashes the rest is left. */
const maxCrashes = 20;

const root = fileURLToPath(new URL("../..", import.meta.url));
const childFile = fileURLToPath(new URL("children/fuzz.ts", import.meta.url));

/** How one child process ended. */
interface ChildEnd {
  readonly last: ChildReport | undefined;
  /** The run it was at. */
  readonly run: number;
  /** Absent when it ended in order. */
  readonly crash: string | undefined;
}

/**
 * Fuzzes a target in child processes: one, and another one from the next run on after each crash or
 * run without an end, which count as failures.
 */
export async function superviseTarget(target: string, plan: FuzzPlan): Promise<TargetReport> {
  const counts = noCounts();
  let peakBytes = 0;
  let heap: TargetReport["heap"];
  let from = plan.from;
  for (let crashes = 0; from < plan.to && crashes < maxCrashes; crashes++) {
    const end = await runChild({ ...plan, from, target });
    if (end.last?.type === "unavailable") {
      return { target, unavailable: end.last.why, counts, peakBytes };
    }
    if (end.last !== undefined) {
      addCounts(counts, end.last.counts);
      peakBytes = Math.max(peakBytes, end.last.memory.peak);
      heap = end.last.memory;
      counts.overall.push(...memoryFailures(end.last.memory));
    }
    if (end.crash === undefined) break;
    counts.failures.push(await crashFailure(target, plan.seed, end.run, end.crash));
    from = end.run + 1;
  }
  return { target, counts, peakBytes, heap };
}

async function runChild(plan: FuzzPlan & { readonly target: string }): Promise<ChildEnd> {
  const folder = mkdtempSync(join(tmpdir(), "msg-ts-fuzz-"));
  const progressFile = join(folder, "run");
  const told: ChildPlan = { ...plan, progressFile };
  const child = fork(childFile, [JSON.stringify(told)], {
    cwd: root,
    execArgv: ["--conditions=@msg-ts/source", "--import", "./dev/register.mjs", "--expose-gc"],
    // One call at a time needs no more, and allocators keep memory for each thread.
    env: { ...process.env, UV_THREADPOOL_SIZE: "1" },
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  let last: ChildReport | undefined;
  child.on("message", (report) => (last = report as ChildReport));
  const watch = watchProgress(progressFile, plan.from, () => child.kill("SIGKILL"));
  try {
    const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
    const run = readProgress(progressFile) ?? plan.from;
    if (watch.isStuck()) return { last, run, crash: `took over ${maxRunMs / 1000} s` };
    const crash = code === 0 ? undefined : `ended the process with ${signal ?? code}`;
    return { last, run, crash };
  } finally {
    watch.stop();
    rmSync(folder, { recursive: true });
  }
}

/** Calls `onStuck` once a child is at the same run for too long. */
function watchProgress(file: string, from: number, onStuck: () => void) {
  let isStuck = false;
  let at = from;
  const timer = setInterval(() => {
    const run = readProgress(file) ?? from;
    isStuck = run === at;
    if (isStuck) onStuck();
    at = run;
  }, maxRunMs);
  return { isStuck: () => isStuck, stop: () => clearInterval(timer) };
}

function readProgress(file: string): number | undefined {
  try {
    const content = readFileSync(file);
    return content.length < 4 ? undefined : new Uint32Array(Uint8Array.from(content).buffer)[0];
  } catch {
    return undefined;
  }
}

function addCounts(sum: FuzzCounts, more: FuzzCounts): void {
  sum.runs += more.runs;
  sum.accepted += more.accepted;
  sum.slowestMs = Math.max(sum.slowestMs, more.slowestMs);
  sum.failures.push(...more.failures);
  for (const [code, count] of Object.entries(more.refused)) {
    sum.refused[code] = (sum.refused[code] ?? 0) + count;
  }
}

/** Makes the input again that a child did not survive: making one takes in nothing. */
async function crashFailure(
  name: string,
  seed: number,
  run: number,
  what: string,
): Promise<Failure> {
  const open = await targetNamed(name).open();
  if (typeof open === "string") throw new Error(open);
  const { input, how } = open.makeCase(Random.ofRun(seed, run));
  return { run, what, how, ...shownInput(input) };
}
