import type { Outcome } from "../../scene.ts";
import type { Stage } from "../../stage.ts";
import type { Carrier } from "../carriers.ts";
import { Ends, pause } from "../pairs.ts";
import { AskedFlow } from "./asked-flow.ts";
import { AskingFlow } from "./asking-flow.ts";
import type { Account, Flow, Side } from "./flow.ts";
import { PublishingFlow } from "./publishing-flow.ts";
import { SubscribingFlow } from "./subscribing-flow.ts";

const kinds = [AskingFlow, AskedFlow, SubscribingFlow, PublishingFlow];
const sides: readonly Side[] = ["rust", "ts"];

/** Between two turns of a flow: the machine is shared by all of them. */
const turnPauseMs = 25;
/** Between two restarts of a flow. */
const minLifeMs = 1_000;
const maxLifeMs = 4_000;

interface Result {
  readonly name: string;
  readonly restarts: number;
  readonly account: Account;
}

/** What the flows have in common. */
interface Plan {
  readonly untilMs: number;
  /** One of them failed. */
  isBroken: boolean;
}

/** How long, and whom everything is told. */
export interface MixedOptions {
  readonly durationMs: number;
  readonly log: (line: string) => void;
}

/**
 * Every pair over every transport at once, with restarts of either side; then every message that was
 * sent has arrived, or its loss has a reason.
 */
export async function playMixed(
  program: string,
  carriers: readonly Carrier[],
  stage: Stage,
  { durationMs, log }: MixedOptions,
): Promise<Outcome> {
  const flows = carriers.flatMap((carrier) =>
    kinds.map((Kind) => new Kind(new Ends(program, withOneTransport(carrier), stage))),
  );
  const plan: Plan = { untilMs: performance.now() + durationMs, isBroken: false };
  const results = await Promise.all(flows.map((flow) => playFlow(flow, plan)));
  for (const result of results) log(lineOf(result));
  const faulty = results.filter((result) => faultsOf(result).length > 0);
  const faults = faulty.map((result) => `${result.name}: ${faultsOf(result).join("; ")}`);
  if (faults.length > 0) throw new Error(`not accounted for: ${faults.join("\n")}`);
  const sum = (of: (result: Result) => number): number =>
    results.reduce((total, result) => total + of(result), 0);
  const sent = sum(({ account }) => account.sent);
  const arrived = sum(({ account }) => account.arrived);
  const restarts = sum((result) => result.restarts);
  const note = `${restarts} restarts; of ${sent} sent ${arrived} arrived, and ${sent - arrived} were lost for a known reason`;
  return { messages: arrived, note };
}

/**
 * As an application has it: sockets that come and go, and a transport that stays. Only then does a
 * socket that binds over QUIC wait until the address is free of what was there before, however long
 * a busy machine takes for that.
 */
function withOneTransport(carrier: Carrier): Carrier {
  const transport = carrier.ours();
  return { ...carrier, ours: () => transport };
}

async function playFlow(flow: Flow, plan: Plan): Promise<Result> {
  await flow.start();
  let restarts = 0;
  const life = { isOver: false };
  const traffic = async (): Promise<void> => {
    for (; !life.isOver && !plan.isBroken; await pause(turnPauseMs)) await flow.turn();
  };
  const trouble = async (): Promise<void> => {
    while (!plan.isBroken) {
      const lifeMs = minLifeMs + Math.random() * (maxLifeMs - minLifeMs);
      const leftMs = plan.untilMs - performance.now();
      await pause(Math.max(0, Math.min(lifeMs, leftMs)));
      if (lifeMs > leftMs) break;
      await flow.restart(sides[restarts++ % sides.length] ?? "rust");
    }
    life.isOver = true;
  };
  try {
    await Promise.all([traffic(), trouble()]);
  } catch (error) {
    // The others need not go on.
    plan.isBroken = true;
    throw new Error(`${flow.name}, after ${restarts} restarts: ${String(error)}`, { cause: error });
  }
  return { name: flow.name, restarts, account: await flow.finish() };
}

function faultsOf({ account: { sent, arrived, lost, faults } }: Result): readonly string[] {
  const known = Object.values(lost).reduce((sum, count) => sum + count, arrived);
  return known === sent ? faults : [...faults, `${sent} sent, ${known} known`];
}

function lineOf({ name, restarts, account: { sent, arrived, lost } }: Result): string {
  const reasons = Object.entries(lost).map(([reason, count]) => `${count} ${reason}`);
  const [head, tail] = [`${name}: ${restarts} restarts`, reasons.join(", ") || "none"];
  return `${head}, ${sent} sent, ${arrived} arrived, lost: ${tail}`;
}
