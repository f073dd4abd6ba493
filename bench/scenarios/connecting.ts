/** What a connection costs: to make, and to keep. */
import { setTimeout as delay } from "node:timers/promises";
import { Latencies } from "../harness/latencies.ts";
import type { EndContext, Ends, Measures, Scenario } from "../harness/scenario.ts";
import type { Asker } from "../peers/contender.ts";
import { Counter } from "../peers/contender.ts";
import { connectMany } from "./connect-many.ts";
import { reqRep, requestReplyOf } from "./req-rep.ts";

/** Made and used before anything is measured, so that code is compiled and pools are filled. */
const warmUpConnections = 100;
const settleMs = 200;

async function connectAndAsk(context: EndContext): Promise<Asker> {
  const { place, settings } = context;
  const asker = await requestReplyOf(context).connect(place, 1);
  await asker.request(Buffer.alloc(settings.sizeBytes, 1));
  return asker;
}

/** All at once; each is there when its first request is answered. */
async function storm(context: EndContext): Promise<Measures> {
  const { count } = context.settings;
  await connectMany(warmUpConnections, () => connectAndAsk(context));
  const latencies = new Latencies();
  const startMs = performance.now();
  const connect = async (): Promise<void> => {
    await connectAndAsk(context);
    latencies.add(performance.now() - startMs);
  };
  await Promise.all(Array.from({ length: count }, connect));
  const perSecond = (count / (performance.now() - startMs)) * 1000;
  const { p50Micros, p99Micros } = latencies.quantiles();
  return { perSecond, p50Micros, p99Micros };
}

/** `count` clients of one process, all at once. */
export const connectStorm: Scenario = {
  ...reqRep,
  title: "clients that connect at once, until each had an answer",
  count: 500,
  variantsOf: ({ requestReply }) => (requestReply === undefined ? [] : [""]),
  sender: (context) => Promise.resolve({ counter: new Counter(), run: () => storm(context) }),
  drive: ({ sender }) => sender.ask("run") as Promise<Measures>,
};

interface Memory extends Measures {
  readonly residentBytes: number;
  readonly heapBytes: number;
}

/** What is in use once garbage is collected. */
async function memory(): Promise<Memory> {
  for (let time = 0; time < 3; time++) {
    globalThis.gc?.();
    await delay(settleMs);
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  return { residentBytes: rss, heapBytes: heapUsed + external };
}

/** Of both processes, which each have their own. */
async function memoryOf({ receiver, sender }: Ends): Promise<{ listens: Memory; dials: Memory }> {
  const [one, other] = (await Promise.all([receiver.ask("run"), sender.ask("run")])) as Memory[];
  if (one === undefined || other === undefined) throw new Error("an end has no memory");
  return { listens: one, dials: other };
}

/** `count` connections that were used once. */
export const idleMemory: Scenario = {
  ...reqRep,
  title: "memory of an idle connection: of both sides, and of each",
  count: 1_000,
  variantsOf: ({ requestReply }) => (requestReply === undefined ? [] : [""]),
  async receiver(context) {
    return { ...(await reqRep.receiver(context)), run: memory };
  },
  async sender(context) {
    const kept = await connectMany(warmUpConnections, () => connectAndAsk(context));
    return {
      counter: new Counter(),
      async start() {
        kept.push(...(await connectMany(context.settings.count, () => connectAndAsk(context))));
      },
      run: memory,
    };
  },
  async drive(ends, { count }) {
    const before = await memoryOf(ends);
    await ends.sender.ask("start");
    const after = await memoryOf(ends);
    const grown = (side: "listens" | "dials", of: "residentBytes" | "heapBytes"): number =>
      (after[side][of] - before[side][of]) / count;
    const listeningBytes = grown("listens", "residentBytes");
    const dialingBytes = grown("dials", "residentBytes");
    return {
      residentBytes: listeningBytes + dialingBytes,
      listeningBytes,
      dialingBytes,
      heapBytes: grown("listens", "heapBytes") + grown("dials", "heapBytes"),
    };
  },
};
