import { performance } from "node:perf_hooks";
import process from "node:process";
import { MsgError } from "@msg-ts/core";
import { hex } from "@msg-ts/testing";
import type { Case, CaseMaker, Target } from "./case.ts";
import { Random } from "./random.ts";

/** No call may block the event loop for longer. */
const maxBlockedMs = 50;

/** A slow call counts when it is slow this many times more: the machine may be busy. */
const slowRepeats = 3;

/** A call that takes no longer is not looked at twice. */
const neverSlowMs = 1;

/** Of an input that failed, this much is shown. */
const maxShownBytes = 4_096;

/** Which inputs are made, and taken in. */
export interface FuzzPlan {
  readonly seed: number;
  /** The first run. */
  readonly from: number;
  /** Behind the last run. */
  readonly to: number;
  /** Longer inputs are left out. @defaultValue Infinity */
  readonly maxInputBytes?: number;
}

/** An input that should not have come to what it came to. */
export interface Failure {
  readonly what: string;
  readonly run: number;
  readonly how: string;
  /** The input, its first 4,096 bytes. */
  readonly hex: string;
  readonly bytes: number;
}

/** What came of many inputs. */
export interface FuzzCounts {
  runs: number;
  accepted: number;
  readonly refused: Record<string, number>;
  slowestMs: number;
  readonly failures: Failure[];
  /** What is wrong, but not with one input. */
  readonly overall: string[];
}

/** Makes counts of nothing. */
export function noCounts(): FuzzCounts {
  return { runs: 0, accepted: 0, refused: {}, slowestMs: 0, failures: [], overall: [] };
}

/** How one call ended, and how long it kept the main thread busy. */
interface Outcome {
  readonly code?: string;
  readonly wrong?: string | undefined;
  readonly blockedMs: number;
}

/** What a fuzzer tells while it runs. */
export interface FuzzHooks {
  /** Is told each run before its input is taken in. */
  readonly beforeRun?: (run: number) => void;
  /** A large input was taken in: its memory may be collected. */
  readonly afterLarge?: () => Promise<void>;
}

/** Takes in the inputs of a plan, one at a time. */
export class Fuzzer {
  readonly counts: FuzzCounts = noCounts();
  readonly #target: Target;
  readonly #makeCase: CaseMaker;

  readonly #hooks: FuzzHooks;

  constructor(target: Target, makeCase: CaseMaker, hooks: FuzzHooks = {}) {
    this.#target = target;
    this.#makeCase = makeCase;
    this.#hooks = hooks;
  }

  async run(plan: FuzzPlan): Promise<FuzzCounts> {
    const { seed, from, to, maxInputBytes = Infinity } = plan;
    for (let run = from; run < to; run++) {
      this.#hooks.beforeRun?.(run);
      const made = this.#makeCase(Random.ofRun(seed, run));
      if (made.input.length > maxInputBytes) continue;
      await this.#take(run, made);
    }
    return this.counts;
  }

  async #take(run: number, made: Case): Promise<void> {
    const before = new Uint8Array(made.input);
    const outcome = await outcomeOf(made, this.#target);
    const blockedMs = await this.#confirmed(outcome.blockedMs, made);
    const isChanged = Buffer.compare(before, made.input) !== 0;

    this.counts.runs++;
    if (outcome.code === undefined) this.counts.accepted++;
    else this.counts.refused[outcome.code] = (this.counts.refused[outcome.code] ?? 0) + 1;
    this.counts.slowestMs = Math.max(this.counts.slowestMs, blockedMs);

    const fail = (what: string): void => {
      this.counts.failures.push({ run, what, how: made.how, ...shownInput(before) });
    };
    if (outcome.wrong !== undefined) fail(outcome.wrong);
    if (isChanged) fail("changed its input");
    if (blockedMs > maxBlockedMs) {
      fail(`blocked for ${blockedMs.toFixed(0)} ms, at most ${maxBlockedMs}`);
    }
  }

  /**
   * The longest turn of the event loop in a call that seemed to be slow, or slower than all before:
   * the least of several calls, because another process may have had the processor meanwhile.
   */
  async #confirmed(blockedMs: number, made: Case): Promise<number> {
    const suspectMs = Math.min(maxBlockedMs, Math.max(neverSlowMs, this.counts.slowestMs));
    let leastMs = blockedMs;
    for (let repeat = 0; repeat < slowRepeats && leastMs > suspectMs; repeat++) {
      await this.#collectAfter(made);
      leastMs = Math.min(leastMs, await longestTurnMs(made));
    }
    await this.#collectAfter(made);
    return leastMs;
  }

  async #collectAfter({ isLarge }: Case): Promise<void> {
    if (isLarge === true) await this.#hooks.afterLarge?.();
  }
}

/** An input as a failure shows it. */
export function shownInput(input: Uint8Array): Pick<Failure, "hex" | "bytes"> {
  return { hex: hex(input.subarray(0, maxShownBytes)), bytes: input.length };
}

/**
 * Takes one input in, and looks at every turn of the event loop until the result is there. A turn is
 * no longer than the processor time that this process had in it.
 */
async function longestTurnMs(made: Case): Promise<number> {
  let longestMs = 0;
  let isOver = false;
  let startMs = performance.now();
  let startCpu = process.cpuUsage();
  const onTurn = (): void => {
    const { user, system } = process.cpuUsage(startCpu);
    const turnMs = Math.min(performance.now() - startMs, (user + system) / 1000);
    longestMs = Math.max(longestMs, turnMs);
    startMs = performance.now();
    startCpu = process.cpuUsage();
    if (!isOver) setImmediate(onTurn);
  };
  try {
    const taken = made.take();
    onTurn();
    await taken;
  } catch {
    // How it ends was judged before.
  }
  isOver = true;
  onTurn();
  return longestMs;
}

/**
 * Takes one input in. While the result is awaited nothing else happens here, so that all the time in
 * which the event loop is not idle was taken by the call: in one turn, or in many.
 */
async function outcomeOf(made: Case, target: Target): Promise<Outcome> {
  const utilisation = performance.eventLoopUtilization();
  const startMs = performance.now();
  let inPlaceMs: number | undefined;
  const blockedMs = (): number => inPlaceMs ?? performance.eventLoopUtilization(utilisation).active;
  try {
    const taken = made.take();
    if (!(taken instanceof Promise)) inPlaceMs = performance.now() - startMs;
    const result: unknown = await taken;
    return { blockedMs: blockedMs(), wrong: made.wrongResult(result) };
  } catch (error) {
    return { blockedMs: blockedMs(), ...refusalOf(error, made, target) };
  }
}

function refusalOf(error: unknown, made: Case, target: Target): Omit<Outcome, "blockedMs"> {
  if (!MsgError.is(error)) return { code: "other", wrong: `threw ${String(error)}` };
  const { code } = error;
  if (!target.refusals.includes(code)) return { code, wrong: `refused with ${code}` };
  return { code, wrong: made.wrongRefusal(code) };
}
