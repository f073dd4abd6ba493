/** Messages one way, as many as go, over `count` connections from one process to another. */
import { Latencies } from "../harness/latencies.ts";
import type { End, EndContext, Scenario } from "../harness/scenario.ts";
import { payloadsOf } from "../compression-data.ts";
import { connectMany } from "./connect-many.ts";
import { Counter } from "../peers/contender.ts";

function oneWayOf({ contender }: EndContext) {
  if (contender.oneWay === undefined) throw new Error(`${contender.name} sends nothing one way`);
  return contender.oneWay;
}

async function sender(context: EndContext, text?: Uint8Array): Promise<End> {
  const { place, variant, settings } = context;
  const oneWay = oneWayOf(context);
  const sends = await connectMany(settings.count, () => oneWay.connect(place, variant));
  const counter = new Counter();
  const payload = text ?? Buffer.alloc(settings.sizeBytes, 1);
  return {
    counter,
    start() {
      for (const send of sends) void send(payload, counter);
      return Promise.resolve();
    },
  };
}

/** One connection. */
export const pushPull: Scenario = {
  title: "one way, as many as go",
  variantsOf({ oneWay, program }, settings) {
    if (oneWay !== undefined) return oneWay.variants ?? [""];
    return program?.scenarios.includes(settings.scenario) === true ? [""] : [];
  },
  async receiver(context) {
    const counter = new Counter();
    const address = await oneWayOf(context).receive(context.place, counter, context.variant);
    return { address, counter };
  },
  sender: (context) => sender(context),
};

/** Several connections, in the first style of each contender. */
export const connections: Scenario = {
  ...pushPull,
  title: "one way over several connections",
  variantsOf: ({ oneWay }) => (oneWay === undefined ? [] : [oneWay.variants?.[0] ?? ""]),
};

/** JSON that compresses to about a fifth, one connection. */
export const compression: Scenario = {
  ...pushPull,
  title: "one way, compressed and plain: 8 KiB of JSON",
  sizeBytes: 8_192,
  variantsOf: ({ oneWay }) => oneWay?.compressors ?? [],
  sender: (context) => sender(context, payloadsOf("json", context.settings.sizeBytes)[0]),
};

const timerMs = 10;

/** How late timers of the sender's process are. */
function watchTimers(): () => Readonly<Record<string, number>> {
  const lateness = new Latencies();
  let setMs = performance.now();
  const onTimer = (): void => {
    const nowMs = performance.now();
    lateness.add(Math.max(0, nowMs - setMs - timerMs));
    setMs = nowMs;
    setTimeout(onTimer, timerMs);
  };
  setTimeout(onTimer, timerMs);
  return () => {
    const { p50Micros, maxMicros } = lateness.quantiles();
    lateness.clear();
    return { lateP50Ms: p50Micros / 1000, lateMaxMs: maxMicros / 1000 };
  };
}

/** A loop of awaited sends at full rate, beside timers of 10 ms. */
export const fairness: Scenario = {
  ...pushPull,
  title: "how late timers are beside a loop of awaited sends",
  headline: "lateMaxMs",
  variantsOf({ oneWay }) {
    if (oneWay === undefined) return [];
    return [oneWay.variants?.find((variant) => variant === "one-by-one") ?? ""];
  },
  async sender(context) {
    const end = await sender(context);
    return { ...end, figures: watchTimers() };
  },
};
