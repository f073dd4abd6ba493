import { readFileSync } from "node:fs";
import { NetLab } from "@msg-ts/testing";
import type { MixedLoad, MixedReport } from "../network/mixed-load.ts";
import { runMixed } from "../network/mixed-load.ts";
import { Pair } from "../network/pair.ts";
import type { Credentials, NetworkTransport } from "../network/transports.ts";
import type { Condition } from "./conditions.ts";
import { partedWorker } from "./parted-worker.ts";

/** What a campaign is run with. */
export interface CampaignOptions {
  readonly transport: NetworkTransport;
  readonly credentials: Credentials;
  readonly conditions: readonly Condition[];
  readonly load: MixedLoad;
  readonly seed: number;
}

/** What came of one condition: a report, or why there is none. */
export interface Outcome {
  readonly name: string;
  readonly seconds: number;
  readonly report?: MixedReport;
  readonly error?: string;
  readonly recoveryMs: number;
  readonly lostPackets: number;
  /** The most that one of both processes ever had resident. */
  readonly highestBytes: number;
}

/** What came of all of them. */
export interface CampaignReport {
  readonly outcomes: readonly Outcome[];
  /** In one line, and whether it is as it should be. */
  readonly worker: { readonly text: string; readonly isWell: boolean };
}

const requestTimeoutMs = 120_000;

/** Runs every condition on the same sockets, one after another; a pair that fails is replaced. */
export async function runCampaign(options: CampaignOptions): Promise<CampaignReport> {
  const { transport, credentials, conditions, seed } = options;
  const lab = await NetLab.create({ hosts: ["server", "client", "other"], seed });
  let pair: Pair | undefined;
  const outcomes: Outcome[] = [];
  try {
    for (const condition of conditions) {
      await lab.setFaults(condition.faults);
      const startMs = performance.now();
      try {
        pair ??= await Pair.start({ transport, credentials }, { lab });
        outcomes.push(await runCondition({ lab, pair }, condition, options));
      } catch (error) {
        const seconds = (performance.now() - startMs) / 1_000;
        outcomes.push(failure(condition, seconds, error));
        await lab.heal();
        await pair?.stop();
        pair = undefined;
      }
    }
    await lab.setFaults({ delayMs: 5 });
    pair ??= await Pair.start({ transport, credentials }, { lab });
    return { outcomes, worker: await partedWorker({ lab, pair }) };
  } finally {
    await pair?.stop();
    await lab.close();
  }
}

async function runCondition(
  scene: { readonly lab: NetLab; readonly pair: Pair },
  condition: Condition,
  { load }: CampaignOptions,
): Promise<Outcome> {
  const startMs = performance.now();
  const before = await lostSoFar(scene.lab);
  let recoveryMs = Number.NaN;
  const report = await runMixed(scene.pair, load, requestTimeoutMs, async () => {
    recoveryMs = (await condition.during?.(scene)) ?? Number.NaN;
  });
  const lostPackets = (await lostSoFar(scene.lab)) - before;
  const seconds = (performance.now() - startMs) / 1_000;
  const { client, server } = scene.pair;
  const highestBytes = Math.max(highestOf(client.pid), highestOf(server.pid));
  return { name: condition.name, seconds, report, recoveryMs, lostPackets, highestBytes };
}

/** As the kernel counts it: what is looked at now and then misses the peak. */
function highestOf(pid: number | undefined): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmHWM:\s*(\d+)/m.exec(status)?.[1]) * 1_024;
}

async function lostSoFar(lab: NetLab): Promise<number> {
  const { ways, deviceDrops } = await lab.counts();
  if (deviceDrops > 0) throw new Error(`the lab itself lost ${deviceDrops} packets`);
  return ways.reduce((sum, { lost, blocked }) => sum + lost + blocked, 0);
}

function failure({ name }: Condition, seconds: number, error: unknown): Outcome {
  const text = error instanceof Error ? error.message : String(error);
  const unknown = { recoveryMs: Number.NaN, lostPackets: Number.NaN, highestBytes: Number.NaN };
  return { name, seconds, error: text, ...unknown };
}
