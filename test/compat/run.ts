/** Plays scenarios in processes that may crash or hang. */
import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Play } from "./scenarios/all.ts";
import { plays } from "./scenarios/all.ts";
import type { Carrier, Side } from "./scenarios/scenario.ts";

const player = fileURLToPath(new URL("children/player.ts", import.meta.url));

/** What a scenario may take, its own processes included. */
const withinMs = 60_000;

/** What came of one play on both sides. */
export interface Result {
  readonly what: string;
  readonly carrier: Carrier;
  readonly theirs: string;
  readonly ours: string;
}

/** Plays what is chosen with one side; gives what came of each. */
export async function playAll(side: Side, chosen: readonly Play[]): Promise<readonly string[]> {
  const outcomes: string[] = [];
  let child: ChildProcess | undefined;
  for (const play of chosen) {
    child ??= await start(side);
    let outcome = await ask(child, plays.indexOf(play));
    if (hasEnded(child)) {
      // What was played before it may have done that: alone, it is nobody's fault but its own.
      const before = outcome;
      child = await start(side);
      outcome = await ask(child, plays.indexOf(play));
      console.log(`${side}: ${play.scenario.what} (${play.carrier}): ${before}; alone: ${outcome}`);
      if (hasEnded(child)) child = undefined;
    }
    outcomes.push(outcome);
  }
  // libzmq may wait for ever for a process that ends in order.
  child?.kill("SIGKILL");
  return outcomes;
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

async function start(side: Side): Promise<ChildProcess> {
  const child = fork(player, [side], {
    execArgv: [...process.execArgv, "--expose-gc", "--no-warnings"],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const first = await next(child);
  if (first !== "ready") throw new Error(`a player of ${side} did not start: ${first}`);
  return child;
}

async function ask(child: ChildProcess, index: number): Promise<string> {
  const outcome = next(child);
  child.send(index);
  return outcome;
}

/** What a player says next; if it says nothing in time it is killed. */
function next(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    const end = (outcome: string): void => {
      clearTimeout(timer);
      child.off("message", onMessage);
      child.off("exit", onExit);
      resolve(outcome);
    };
    const onMessage = (outcome: unknown): void => end(String(outcome));
    const onExit = (code: number | null, signal: string | null): void => {
      end(`the process ends: ${signal ?? `exit code ${code}`}`);
    };
    const timer = setTimeout(() => {
      child.off("exit", onExit);
      child.once("exit", () => end(`not over after ${withinMs / 1_000} s`));
      child.kill("SIGKILL");
    }, withinMs);
    child.on("message", onMessage);
    child.on("exit", onExit);
  });
}
