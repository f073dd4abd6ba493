/** `count` requests under way at a time, each answered with its own payload. */
import { Latencies } from "../harness/latencies.ts";
import type { EndContext, Scenario } from "../harness/scenario.ts";
import type { Asker } from "../peers/contender.ts";
import { Counter } from "../peers/contender.ts";

/** @throws Error for a contender without the pattern. */
export function requestReplyOf({ contender }: EndContext) {
  if (contender.requestReply === undefined) throw new Error(`${contender.name} does not answer`);
  return contender.requestReply;
}

/** One at a time, each timed. */
async function askInTurn(asker: Asker, payload: Uint8Array, counter: Counter, into: Latencies) {
  for (let sentMs = performance.now(); ;) {
    const answer = await asker.request(payload);
    const nowMs = performance.now();
    into.add(nowMs - sentMs);
    counter.messages += 1;
    counter.bytes += asker.bytesOf(answer);
    sentMs = nowMs;
  }
}

async function askOn(asker: Asker, payload: Uint8Array, counter: Counter): Promise<void> {
  for (;;) {
    const answer = await asker.request(payload);
    counter.messages += 1;
    counter.bytes += asker.bytesOf(answer);
  }
}

function pingPong(
  asker: Asker,
  payload: Uint8Array,
  inFlight: number,
  counter: Counter,
  latencies: Latencies,
): void {
  let sentMs = performance.now();
  asker.pingPong?.(payload, inFlight, (bytes) => {
    counter.messages += 1;
    counter.bytes += bytes;
    if (inFlight > 1) return;
    const nowMs = performance.now();
    latencies.add(nowMs - sentMs);
    sentMs = nowMs;
  });
}

/** Keeps requests under way without end; times them only when there is one at a time. */
function ask(
  asker: Asker,
  payload: Uint8Array,
  inFlight: number,
  counter: Counter,
  latencies: Latencies,
): void {
  if (asker.pingPong !== undefined) pingPong(asker, payload, inFlight, counter, latencies);
  else if (inFlight === 1) void askInTurn(asker, payload, counter, latencies);
  else for (let worker = 0; worker < inFlight; worker++) void askOn(asker, payload, counter);
}

/** One request at a time, or many. */
export const reqRep: Scenario = {
  title: "requests, each answered with its own payload",
  variantsOf({ requestReply, program }, settings) {
    if (requestReply !== undefined) return [""];
    return program?.scenarios.includes(settings.scenario) === true ? [""] : [];
  },
  async receiver(context) {
    const counter = new Counter();
    const { place, settings } = context;
    const address = await requestReplyOf(context).serve(place, counter, settings.count);
    return { address, counter };
  },
  async sender(context) {
    const { sizeBytes, count } = context.settings;
    const asker = await requestReplyOf(context).connect(context.place, count);
    const counter = new Counter();
    const latencies = new Latencies();
    ask(asker, Buffer.alloc(sizeBytes, 1), count, counter, latencies);
    return {
      counter,
      figures() {
        if (count > 1) return {};
        const { p50Micros, p99Micros, p999Micros } = latencies.quantiles();
        latencies.clear();
        return { p50Micros, p99Micros, p999Micros };
      },
    };
  },
};
