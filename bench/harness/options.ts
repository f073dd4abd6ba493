import { parseArgs } from "node:util";
import { contenderNames } from "../peers/names.ts";
import type { TransportName } from "../peers/contender.ts";
import { scenarios } from "../scenarios/names.ts";
import type { Plan } from "./plan.ts";
import { everything, settingsOf } from "./plan.ts";
import type { Pin } from "./scenario.ts";

/** The words of the command line, checked. */
export interface BenchOptions {
  readonly plan: readonly Plan[];
  readonly json: boolean;
  readonly record: boolean;
}

const usualRounds = 3;

/** The command line says something that cannot be. */
export class UsageError extends Error {}

/** How to call it. */
export function usage(): string {
  const lines = Object.entries(scenarios).map(
    ([name, { title }]) => `  ${name.padEnd(18)} ${title}`,
  );
  return [
    "npm run bench -- <scenario>... | all [options]",
    "",
    ...lines,
    "",
    "  --size N           bytes of a payload, 0 or more; 64",
    "  --transport T      tcp or ipc; tcp",
    `  --peers A,B        ${contenderNames.join(", ")}, or a style such as ours/callback; all`,
    "  --rounds N         1 or more; 3",
    "  --pin none|one|two both processes on one core, or each on its own; none",
    "  --warm-up N        milliseconds before the window; 300",
    "  --window N         milliseconds that are counted; 1000",
    "  --json             one object with every figure and the ratios",
    "  --record           adds a line for each row to bench/history",
  ].join("\n");
}

/** Runs a command with the words behind its name; tells how to call it when they cannot be. */
export async function runCommand(
  command: (args: readonly string[]) => Promise<void>,
): Promise<void> {
  try {
    await command(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\n\n${usage()}`);
    process.exitCode = 2;
  }
}

/** @throws UsageError */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values, positionals } = parse(args);
  const [first] = positionals;
  if (first === undefined) throw new UsageError("which scenario?");
  const plan =
    first === "all" ? wholePlan(values) : positionals.map((name) => planOf(name, values));
  return { plan: plan.map((one) => timed(one, values)), json: values.json, record: values.record };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        size: { type: "string" },
        transport: { type: "string" },
        peers: { type: "string" },
        rounds: { type: "string" },
        pin: { type: "string" },
        "warm-up": { type: "string" },
        window: { type: "string" },
        json: { type: "boolean", default: false },
        record: { type: "boolean", default: false },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

type Values = ReturnType<typeof parse>["values"];

/** Every row, of the contenders that were asked for. */
function wholePlan(values: Values): readonly Plan[] {
  for (const name of ["size", "transport", "pin"] as const) {
    if (values[name] !== undefined) throw new UsageError(`--${name} does not go with all`);
  }
  const asked = peersOf(values.peers);
  const isAsked = (peer: string): boolean =>
    asked.includes(peer) || asked.includes(peer.split("/")[0] ?? "");
  return everything
    .map((plan) => ({ ...plan, peers: plan.peers.filter(isAsked) }))
    .filter(({ peers }) => peers.length > 0);
}

function planOf(name: string, values: Values): Plan {
  if (scenarios[name] === undefined) throw new UsageError(`there is no scenario "${name}"`);
  const { transport = "tcp", pin = "none", size } = values;
  const settings = settingsOf({
    scenario: name,
    transport: oneOf("transport", transport, ["tcp", "ipc", "secure"]) as TransportName,
    sizeBytes: size === undefined ? undefined : number("size", size, 0),
    pin: oneOf("pin", pin, ["none", "one", "two"]) as Pin,
  });
  return { settings, peers: peersOf(values.peers), rounds: usualRounds };
}

function timed({ settings, peers, rounds }: Plan, values: Values): Plan {
  const { "warm-up": warmUp, window } = values;
  return {
    settings: {
      ...settings,
      warmUpMs: warmUp === undefined ? settings.warmUpMs : number("warm-up", warmUp, 0),
      windowMs: window === undefined ? settings.windowMs : number("window", window, 1),
    },
    peers,
    rounds: values.rounds === undefined ? rounds : number("rounds", values.rounds, 1),
  };
}

function peersOf(text: string | undefined): readonly string[] {
  const peers = text?.split(",") ?? contenderNames;
  for (const peer of peers) oneOf("peers", peer.split("/")[0] ?? "", contenderNames);
  return peers;
}

function oneOf(name: string, value: string, choices: readonly string[]): string {
  if (choices.includes(value)) return value;
  throw new UsageError(`--${name} is "${value}", must be one of ${choices.join(", ")}`);
}

function number(name: string, text: string, least: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least) return value;
  throw new UsageError(`--${name} is ${text}, must be a whole number, ${least} or more`);
}
