/** Round trips at half of the rate that is possible: does a queue form? */
import { setTimeout as delay } from "node:timers/promises";
import { Latencies } from "../harness/latencies.ts";
import type { Measures, Scenario, Settings } from "../harness/scenario.ts";
import { quantile } from "../harness/statistics.ts";
import type { Asker } from "../peers/contender.ts";
import { Counter } from "../peers/contender.ts";
import { reqRep, requestReplyOf } from "./req-rep.ts";

/** Requests under way while the highest rate is looked for. */
const busyInFlight = 256;
/** Timing every one would make garbage of its own, and measure the collector of that. */
const timedOneOf = 8;
/** A contender that cannot hold the rate is not drowned; what it owes counts as latency. */
const mostInFlight = 4_096;

/** Requests in a row for a while; gives each round trip in milliseconds. */
async function inTurn(asker: Asker, payload: Uint8Array, forMs: number): Promise<number[]> {
  const tripsMs: number[] = [];
  const endMs = performance.now() + forMs;
  for (let sentMs = performance.now(); sentMs < endMs;) {
    await asker.request(payload);
    const nowMs = performance.now();
    tripsMs.push(nowMs - sentMs);
    sentMs = nowMs;
  }
  return tripsMs;
}

/** As many as go for a while; gives how many a second. */
async function highestRate(asker: Asker, payload: Uint8Array, settings: Settings): Promise<number> {
  const state = { answered: 0, isOver: false };
  const worker = async (): Promise<void> => {
    while (!state.isOver) {
      await asker.request(payload);
      state.answered += 1;
    }
  };
  const workers = Array.from({ length: busyInFlight }, worker);
  await delay(settings.warmUpMs);
  const startMs = performance.now();
  const before = state.answered;
  await delay(settings.windowMs);
  const perSecond = ((state.answered - before) / (performance.now() - startMs)) * 1000;
  state.isOver = true;
  await Promise.all(workers);
  return perSecond;
}

/**
 * Sends at a rate, whatever the answers do. Each round trip counts from when it should have begun, so
 * that a stall is not hidden by what was not sent during it.
 */
function atRate(asker: Asker, payload: Uint8Array, perSecond: number, forMs: number) {
  const latencies = new Latencies();
  const total = Math.max(1, Math.floor((perSecond * forMs) / 1000));
  const startMs = performance.now();
  let sent = 0;
  let answered = 0;
  return new Promise<Latencies>((resolve, reject) => {
    const onAnswer = (): void => {
      answered += 1;
      if (answered === total) resolve(latencies);
    };
    const askTimed = async (dueMs: number): Promise<void> => {
      await asker.request(payload);
      latencies.add(performance.now() - dueMs);
      onAnswer();
    };
    // A timer is too coarse: each turn of the event loop sends what is due.
    const turn = (): void => {
      const due = Math.min(total, ((performance.now() - startMs) / 1000) * perSecond);
      for (; sent < due && sent - answered < mostInFlight; sent++) {
        if (sent % timedOneOf !== 0) asker.request(payload).then(onAnswer, reject);
        else askTimed(startMs + (sent / perSecond) * 1000).catch(reject);
      }
      if (sent < total) setImmediate(turn);
    };
    turn();
  });
}

async function measure(asker: Asker, payload: Uint8Array, settings: Settings): Promise<Measures> {
  await inTurn(asker, payload, settings.warmUpMs);
  const idle = await inTurn(asker, payload, settings.windowMs / 2);
  const idleP50Micros =
    quantile(
      idle.toSorted((a, b) => a - b),
      0.5,
    ) * 1000;
  const highestPerSecond = await highestRate(asker, payload, settings);
  const perSecond = highestPerSecond / 2;
  await atRate(asker, payload, perSecond, settings.warmUpMs);
  const latencies = await atRate(asker, payload, perSecond, settings.windowMs);
  const { p50Micros, p99Micros, p999Micros } = latencies.quantiles();
  return {
    p99OverIdle: p99Micros / idleP50Micros,
    idleP50Micros,
    p50Micros,
    p99Micros,
    p999Micros,
    loadPerSecond: perSecond,
  };
}

/** Half of the highest rate. */
export const load: Scenario = {
  ...reqRep,
  title: "round trips at half of the highest rate",
  count: busyInFlight,
  variantsOf: ({ requestReply }) => (requestReply === undefined ? [] : [""]),
  async sender(context) {
    const { place, settings } = context;
    const asker = await requestReplyOf(context).connect(place, settings.count);
    const payload = Buffer.alloc(settings.sizeBytes, 1);
    return { counter: new Counter(), run: () => measure(asker, payload, settings) };
  },
  drive: ({ sender }) => sender.ask("run") as Promise<Measures>,
};
