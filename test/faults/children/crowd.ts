/** Many connections to one REP: idle ones, or one for each of many requests. */
import { setTimeout as pause } from "node:timers/promises";
import type { Transport } from "msg-ts";
import { MsgError, ReqSocket } from "msg-ts";
import { onOrders, settings, tellReady } from "../child-side.ts";
import { events, IdLog } from "../id-log.ts";
import { transportOf } from "../network.ts";
import type { CallsReport, CrowdSettings } from "../roles.ts";
import { payloadOf } from "../payloads.ts";

const { network, address, epoch, logFile, payloadBytes } = settings() as CrowdSettings;
const transport = transportOf(network);
const log = new IdLog(logFile);
const counts = { connected: 0, sent: 0, answered: 0 };
const rejections: Record<string, number> = {};
const slowest = { ms: 0 };
const maxAtOnce = 64;
const slotMs = 5;
const idle = new Set<ReqSocket>();

/** One request, and then silence: over QUIC nobody sees a dialer that never said anything. */
async function connectIdle(): Promise<void> {
  const id = counts.sent++;
  const req = new ReqSocket(transport, { timeoutMs: 60_000 });
  idle.add(req);
  await req.connect(address);
  log.write(events.requestSent, id, epoch);
  try {
    await req.request(payloadOf(epoch, id, payloadBytes));
  } catch (error) {
    log.write(events.requestRejected, id, epoch);
    throw error;
  }
  log.write(events.requestAnswered, id, epoch);
  counts.connected++;
}

/** Links of one `Quic` share a connection: here each is to have its own, with its handshake. */
function ownTransport(): Transport {
  return network.transport === "quic" ? transportOf(network) : transport;
}

async function call(): Promise<void> {
  const id = counts.sent++;
  const startMs = performance.now();
  const req = new ReqSocket(ownTransport(), { timeoutMs: 30_000 });
  log.write(events.requestSent, id, epoch);
  try {
    await req.connect(address);
    await req.request(payloadOf(epoch, id, payloadBytes));
    log.write(events.requestAnswered, id, epoch);
    counts.answered++;
    slowest.ms = Math.max(slowest.ms, performance.now() - startMs);
  } catch (error) {
    log.write(events.requestRejected, id, epoch);
    const code = MsgError.is(error) ? error.code : String(error);
    rejections[code] = (rejections[code] ?? 0) + 1;
  } finally {
    await req.close({ lingerMs: 0 });
  }
}

/**
 * Begins calls as they are due, for so long. Late ones are made up for, but no more are under way at a
 * time than `maxAtOnce`: a server that cannot keep up is to be seen by its rate, not drowned.
 */
async function callFor(seconds: number, perSecond: number): Promise<CallsReport> {
  const startMs = performance.now();
  const calls = new Set<Promise<void>>();
  for (let passedMs = 0; passedMs < 1000 * seconds; passedMs = performance.now() - startMs) {
    const due = Math.min((passedMs / 1000) * perSecond, counts.sent + maxAtOnce - calls.size);
    while (counts.sent < due) {
      const one: Promise<void> = call().finally(() => calls.delete(one));
      calls.add(one);
    }
    await pause(slotMs);
  }
  await Promise.all(calls);
  const tookSeconds = (performance.now() - startMs) / 1000;
  const { sent, answered } = counts;
  return { sent, answered, seconds: tookSeconds, slowestMs: slowest.ms, rejections };
}

onOrders({
  /** In batches, so that no more wait to be accepted than a listener lets wait. */
  connectIdle: async (count: number) => {
    for (let done = 0; done < count; done += 100) {
      await Promise.all(Array.from({ length: Math.min(100, count - done) }, connectIdle));
    }
    return counts.connected;
  },
  /** What is unanswered is rejected, and told so. */
  leave: async () => {
    await Promise.all(Array.from(idle, (req) => req.close({ lingerMs: 0 })));
  },
  call: ({ seconds, perSecond }: { seconds: number; perSecond: number }) =>
    callFor(seconds, perSecond),
});
tellReady({}, () => counts);
