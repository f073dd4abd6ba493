import { parseArgs } from "node:util";
import { contenderNames } from "../peers/names.ts";
import type { TransportName } from "../peers/contender.ts";
import { scenarios } from "../scenarios/names.ts";
import type { Plan } from "./plan.ts";
import { everything } from "./plan.ts";
import type { Pin, Settings } from "./scenario.ts";

/** The words of the command line, checked. */
export interface BenchOptions {
  readonly plan: readonly Plan[];
  readonly json: boolean;
  readonly record: boolean;
}

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
    `  --peers A,B        of ${contenderNames.join(", ")}, or a style such as ours/callback; all`,
    "  --rounds N         1 or more; 3",
    "  --pin none|one|two both processes on one core, or each on its own; none",
    "  --warm-up N        milliseconds before the window; 300",
    "  --window N         milliseconds that are counted; 1000",
    "  --json             one object with every figure and the ratios",
    "  --record           adds a line for each row to bench/history",
  ].join("\n");
}

/** @throws UsageError */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values, positionals } = parse(args);
  const [first] = positionals;
  const plan = first === "all" ? everything : positionals.map((name) => planOf(name, values));
  if (plan.length === 0) throw new UsageError("which scenario?");
  const rounds = values.rounds === undefined ? undefined : number("rounds", values.rounds, 1);
  return {
    plan: rounds === undefined ? plan : plan.map((one) => ({ ...one, rounds })),
    json: values.json,
    record: values.record,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        size: { type: "string" },
        transport: { type: "string", default: "tcp" },
        peers: { type: "string" },
        rounds: { type: "string" },
        pin: { type: "string", default: "none" },
        "warm-up": { type: "string", default: "300" },
        window: { type: "string", default: "1000" },
        json: { type: "boolean", default: false },
        record: { type: "boolean", default: false },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

type Values = ReturnType<typeof parse>["values"];

function planOf(name: string, values: Values): Plan {
  const scenario = scenarios[name];
  if (scenario === undefined) throw new UsageError(`there is no scenario "${name}"`);
  const settings: Settings = {
    scenario: name,
    transport: oneOf("transport", values.transport, ["tcp", "ipc"]) as TransportName,
    sizeBytes: number("size", values.size ?? String(scenario.sizeBytes ?? 64), 0),
    count: scenario.count ?? 1,
    pin: oneOf("pin", values.pin, ["none", "one", "two"]) as Pin,
    warmUpMs: number("warm-up", values["warm-up"], 0),
    windowMs: number("window", values.window, 1),
  };
  return { settings, peers: peersOf(values.peers), rounds: 3 };
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
