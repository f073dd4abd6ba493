/** Many connections. */
import { setTimeout as pause } from "node:timers/promises";
import type { Campaign, CampaignContext, CampaignResult } from "../campaign.ts";
import type { Pair } from "../pair.ts";
import { Worker } from "../worker.ts";
import { onPair } from "./life.ts";

/** Each has as many descriptors as its host lets it. */
const holders = 2;

/** Waits until the server has accepted as many: to a dialer, what the kernel holds is connected. */
async function peersOf(pair: Pair, atLeast: number): Promise<number> {
  const endMs = performance.now() + 60_000;
  for (;;) {
    const { rep } = await pair.server.ask<{ rep: { peers: number } }>("stats");
    if (rep.peers >= atLeast) return rep.peers;
    if (performance.now() > endMs) throw new Error(`${rep.peers} peers of ${atLeast} after 60 s`);
    await pause(50);
  }
}

async function idleCrowd(context: CampaignContext): Promise<CampaignResult> {
  const idle = context.isShort ? 1_000 : 10_000;
  return onPair(context, {}, async (pair) => {
    const crowds = Array.from({ length: holders }, () => new Worker("crowd", pair.crowd()));
    try {
      await Promise.all(crowds.map((crowd) => crowd.ready));
      await Promise.all(crowds.map((crowd) => crowd.ask("connectIdle", idle / holders, 600_000)));
      await pair.recovers();
      const peers = await peersOf(pair, idle);
      const share = await pair.server.ask<number>("cpuShare", 1_000);
      // All of them at once, without a word.
      await pair.fault(() => Promise.all(crowds.map((crowd) => crowd.kill())).then(() => {}));
      const note = `${peers} peers, ${(100 * share).toFixed(0)} % of a core beside the traffic`;
      return { notes: [note] };
    } finally {
      await Promise.all(crowds.map((crowd) => crowd.kill()));
    }
  });
}

/** Campaigns with many connections. */
export const crowdCampaigns: readonly Campaign[] = [
  {
    name: "idle-crowd",
    what: "10,000 idle connections beside the traffic, all killed at once",
    transports: ["tcp", "ipc", "tls", "quic"],
    run: idleCrowd,
  },
];
