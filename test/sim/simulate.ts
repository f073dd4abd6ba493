import process from "node:process";
import { PubSubScenario } from "./pub-sub.ts";
import { PushPullScenario } from "./push-pull.ts";
import { ReqRepScenario } from "./req-rep.ts";
import type { Scenario } from "./scenario.ts";
import type { Step } from "./schedule.ts";
import { Violation, World } from "./world.ts";

/** What can be simulated. */
export const patterns = ["req-rep", "pub-sub", "push-pull"] as const;

/** One of {@link patterns}. */
export type Pattern = (typeof patterns)[number];

const scenarios: Readonly<Record<Pattern, new (world: World) => Scenario>> = {
  "req-rep": ReqRepScenario,
  "pub-sub": PubSubScenario,
  "push-pull": PushPullScenario,
};

/** Which run. */
export interface RunOptions {
  readonly pattern: Pattern;
  readonly seed: number;
  /** The steps to take, by their numbers. @defaultValue all */
  readonly only?: readonly number[] | undefined;
  /** Whether {@link Run.lines} has every event. @defaultValue false */
  readonly keepsLines?: boolean;
}

/** What came of it. */
export interface Run {
  readonly pattern: Pattern;
  readonly seed: number;
  readonly steps: number;
  /** The same for the same run, wherever and whenever it is run. */
  readonly hash: string;
  readonly lines: readonly string[];
  readonly counts: ReadonlyMap<string, number>;
  /** What was wrong; absent when nothing was. */
  readonly violation: string | undefined;
}

/** Runs one seed to its end, or to the first thing that is wrong. */
export async function simulate(options: RunOptions): Promise<Run> {
  const { pattern, seed, only, keepsLines = false } = options;
  const world = new World(seed, keepsLines);
  const onUnhandled = (reason: unknown): void => {
    world.fail(`a rejection nobody handled: ${stackOf(reason)}`);
  };
  const onUncaught = (error: unknown): void => world.fail(`thrown: ${stackOf(error)}`);
  process.on("unhandledRejection", onUnhandled);
  process.on("uncaughtException", onUncaught);
  // What nobody looks at costs a fifth of the time: a replay with its lines has them.
  const { stackTraceLimit } = Error;
  if (!keepsLines) Error.stackTraceLimit = 0;
  let steps: Step[] = [];
  let violation: string | undefined;
  try {
    const scenario = new scenarios[pattern](world);
    steps = scenario.steps(world.dice("steps"));
    const chosen = only ?? steps.keys();
    await world.settle();
    for (const number of chosen) {
      const step = steps[number];
      if (step === undefined) continue;
      world.note(`step ${number} ${step.op}`);
      await scenario.step(step);
    }
    await scenario.finish();
    scenario.tally();
  } catch (error) {
    violation = error instanceof Violation ? error.message : stackOf(error);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    process.off("unhandledRejection", onUnhandled);
    process.off("uncaughtException", onUncaught);
  }
  const { hash, lines } = world.trace;
  const { counts } = world;
  return { pattern, seed, steps: steps.length, hash, lines, counts, violation };
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
