/** Processes that are killed, stopped, started again, or stand still. */
import { setTimeout as pause } from "node:timers/promises";
import type { Campaign, CampaignContext, CampaignResult } from "../campaign.ts";
import { transportNames } from "../network.ts";
import type { PairOptions } from "../pair.ts";
import { Pair } from "../pair.ts";

/** Runs a campaign on a pair, and ends both processes whatever comes of it. */
export async function onPair(
  context: CampaignContext,
  options: PairOptions,
  harm: (pair: Pair) => Promise<Partial<CampaignResult> | undefined>,
): Promise<CampaignResult> {
  const pair = await Pair.start(context, options);
  try {
    const more = await harm(pair);
    return await pair.finish(more);
  } finally {
    await pair.end();
  }
}

/** Large messages, so that a receiver that stands still loses some: exactly counted ones. */
const heavyFeed = { burst: 20, everyMs: 10, bytes: 4_096 };

async function restartStorm(context: CampaignContext): Promise<CampaignResult> {
  const { random, isShort } = context;
  const times = isShort ? 3 : 100;
  const endMs = performance.now() + (context.minutes ?? Infinity) * 60_000;
  return onPair(context, {}, async (pair) => {
    for (let count = 0; count < 2 * times && performance.now() < endMs; count++) {
      await pause(random.between(20, 300));
      await pair.fault(async () => {
        if (count % 2 === 0) {
          await pair.killServer();
          await pair.startServer();
        } else {
          await pair.killClient();
          await pair.startClient();
        }
      });
    }
    return undefined;
  });
}

async function stopAndGo(context: CampaignContext): Promise<CampaignResult> {
  const { random, isShort } = context;
  return onPair(context, { feed: heavyFeed }, async (pair) => {
    for (let count = 0; count < (isShort ? 4 : 20); count++) {
      const victim = count % 2 === 0 ? pair.server : pair.client;
      await pause(random.between(50, 300));
      await pair.fault(async () => {
        victim.signal("SIGSTOP");
        await pause(random.between(200, isShort ? 1_000 : 6_000));
        victim.signal("SIGCONT");
      });
    }
    return undefined;
  });
}

async function blockedLoop(context: CampaignContext): Promise<CampaignResult> {
  const blockMs = context.isShort ? 1_500 : 5_000;
  return onPair(context, { feed: heavyFeed }, async (pair) => {
    for (let round = 0; round < (context.isShort ? 1 : 3); round++) {
      for (const victim of [pair.server, pair.client]) {
        await pair.fault(() => victim.ask("block", blockMs));
      }
    }
    return undefined;
  });
}

/** Campaigns on the lives of processes. */
export const lifeCampaigns: readonly Campaign[] = [
  {
    name: "restart-storm",
    what: "each side killed with SIGKILL under load and started again, 100 times",
    transports: transportNames,
    run: restartStorm,
  },
  {
    name: "stop-and-go",
    what: "SIGSTOP of either side for up to 6 s, then SIGCONT",
    transports: transportNames,
    run: stopAndGo,
  },
  {
    name: "blocked-loop",
    what: "the event loop of either side blocked for 5 s",
    transports: transportNames,
    run: blockedLoop,
  },
];
