/** Workers of a PUSH that are killed at random, at full rate. */
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { waitFor } from "@msg-ts/testing";
import type { Campaign, CampaignContext, CampaignResult } from "../campaign.ts";
import { makeEffectsFile, readEffects } from "../effects.ts";
import { makeNetwork } from "../make-network.ts";
import type { Network } from "../network.ts";
import { addressOf, transportNames } from "../network.ts";
import type { Planted } from "../planted.ts";
import { environmentOf } from "../planted.ts";
import { growthMs, Worker } from "../worker.ts";

const crew = 3;
const usualMinutes = 1;
const shortMinutes = 0.1;

/** What the PUSH says when every job has its end. */
interface PusherEnd {
  readonly sent: number;
  readonly acknowledged: number;
  readonly redelivered: number;
  readonly unacknowledged: number;
  readonly undeliverable: readonly number[];
}

class Crew {
  readonly workers: Worker[] = [];
  readonly attemptFiles: string[] = [];
  readonly effectsFile: string;
  highestBytes = 0;
  readonly #network: Network;
  readonly #address: string;
  readonly #planted: Planted;

  constructor(network: Network, address: string, planted: Planted) {
    this.#planted = planted;
    this.#network = network;
    this.#address = address;
    this.effectsFile = join(network.folder, "effects");
    makeEffectsFile(this.effectsFile);
  }

  async hire(): Promise<Worker> {
    const attemptsFile = join(this.#network.folder, `attempts-${this.attemptFiles.length}`);
    this.attemptFiles.push(attemptsFile);
    const { effectsFile } = this;
    const [network, address] = [this.#network, this.#address];
    const worker = new Worker(
      "puller",
      { network, address, effectsFile, attemptsFile },
      { env: environmentOf(this.#planted.puller) },
    );
    this.workers.push(worker);
    await worker.ready;
    return worker;
  }

  async kill(at: number): Promise<void> {
    const [victim] = this.workers.splice(at, 1);
    await victim?.kill();
    this.highestBytes = Math.max(this.highestBytes, victim?.highestBytes ?? 0);
  }

  async end(): Promise<void> {
    while (this.workers.length > 0) await this.kill(0);
  }
}

async function killedWorkers(context: CampaignContext): Promise<CampaignResult> {
  const { random, isShort, transport, folder, planted = {} } = context;
  const minutes = context.minutes ?? (isShort ? shortMinutes : usualMinutes);
  const network = await makeNetwork(transport, folder);
  const address = addressOf(network, "jobs");
  const pusher = new Worker(
    "pusher",
    { network, address, payloadBytes: 64 },
    { env: environmentOf(planted.pusher) },
  );
  const workers = new Crew(network, String(await pusher.ready), planted);
  let [faults, recoveryMs] = [0, 0];
  try {
    await Promise.all(Array.from({ length: crew }, () => workers.hire()));
    await pusher.ask("work");
    const endMs = performance.now() + minutes * 60_000;
    while (performance.now() < endMs) {
      await pause(random.between(50, 1_000));
      for (const worker of [pusher, ...workers.workers]) worker.sampleMemory();
      await workers.kill(random.below(workers.workers.length));
      faults++;
      // The others get on with it, before another one takes its place.
      recoveryMs = Math.max(
        recoveryMs,
        await growthMs(pusher, ["acknowledged"], { ...pusher.progress }),
      );
      await workers.hire();
    }
    const end = await pusher.ask<PusherEnd>("stop");
    const { problems, notes, account } = judge(workers, end, minutes);
    pusher.sampleMemory();
    pusher.ask("close").catch(() => {});
    await waitFor(() => pusher.hasEnded, { what: "the PUSH ends by itself", withinMs: 15_000 });
    const highestBytes = Math.max(workers.highestBytes, pusher.highestBytes);
    return { faults, accounts: { jobs: account }, highestBytes, recoveryMs, problems, notes };
  } finally {
    await workers.end();
    await pusher.kill();
  }
}

function judge(workers: Crew, end: PusherEnd, minutes: number) {
  const { sent, acknowledged, redelivered, unacknowledged, undeliverable } = end;
  const effects = readEffects(workers.effectsFile, workers.attemptFiles, sent);
  const { done, missing, attempts, repeated, doubled } = effects;
  const problems: string[] = [];
  const hold = (isRight: boolean, what: string): void => {
    if (!isRight) problems.push(what);
  };
  const dropped = undeliverable.length;
  hold(acknowledged === sent - dropped, `${acknowledged} acknowledged of ${sent} sent`);
  hold(unacknowledged === 0, `${unacknowledged} jobs have no end`);
  hold(done >= acknowledged, `${acknowledged} acknowledged, ${done} done`);
  hold(doubled === 0, `${doubled} jobs came twice as a first delivery`);
  hold(attempts - repeated <= sent, `${attempts - repeated} first deliveries of ${sent} jobs`);
  const perSecond = Math.round(sent / (60 * minutes));
  const notes = [
    `${acknowledged} jobs acknowledged = ${done} effects of ${sent} jobs, about ${perSecond}/s`,
    `${redelivered} delivered again, ${attempts} attempts, ${repeated} of them looked up first, ${doubled} effects twice`,
  ];
  const unaccounted = Math.max(0, missing - dropped);
  const account = { sent, delivered: done, reportedLost: missing - unaccounted, unaccounted };
  return { problems, notes, account: { ...account, problems: [] } };
}

/** Campaigns on workers. */
export const workerCampaigns: readonly Campaign[] = [
  {
    name: "killed-workers",
    what: "one of three workers killed with SIGKILL at random, again and again, at full rate",
    transports: transportNames,
    run: killedWorkers,
  },
];
