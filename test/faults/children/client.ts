/** Dials with a REQ, a PUSH and a SUB, and writes down what it sends and what becomes of it. */
import { setTimeout as pause } from "node:timers/promises";
import { MsgError, PushSocket, ReqSocket, SubSocket } from "msg-ts";
import { onOrders, settings, tellReady } from "../child-side.ts";
import { events, IdLog } from "../id-log.ts";
import { transportOf } from "../network.ts";
import type { ClientSettings, Resolution } from "../roles.ts";
import { feedTopic } from "../roles.ts";
import { namedIn, payloadOf } from "../payloads.ts";

const { network, epoch, addresses, logFile, payloadBytes, feed, requests, ...more } =
  settings() as ClientSettings;
const { handshakeTimeoutMs, hostName } = more;
const log = new IdLog(logFile);
let resolution: Resolution = ["127.0.0.1"];
const transport = transportOf(network, lookup);
const options = { reconnect: { minDelayMs: 20, maxDelayMs: 500 }, handshakeTimeoutMs };
const req = new ReqSocket(transport, { ...options, timeoutMs: requests.timeoutMs });
const push = new PushSocket(transport, options);
const sub = new SubSocket(transport, options);
const counts = {
  asked: 0,
  answered: 0,
  rejected: 0,
  pushed: 0,
  settled: 0,
  received: 0,
  retries: 0,
};
const rejections: Record<string, number> = {};
const failures: Record<string, number> = {};
for (const socket of [req, push, sub]) {
  socket.on("error", () => {});
  socket.on("retrying", ({ error }) => {
    counts.retries++;
    failures[error.code] = (failures[error.code] ?? 0) + 1;
  });
}
const state = { isSending: true };

async function lookup(): Promise<readonly string[]> {
  if (resolution === "hangs") return new Promise(() => {});
  if (resolution === "fails") throw new Error("the name is not known");
  return resolution;
}

function dialed(address: string): string {
  return hostName === undefined ? address : `${hostName}:${address.split(":").at(-1)}`;
}

async function ask(): Promise<void> {
  while (state.isSending) {
    const id = counts.asked++;
    log.write(events.requestSent, id, epoch);
    try {
      const reply = await req.request(payloadOf(epoch, id, payloadBytes));
      log.write(events.requestAnswered, id, epoch);
      if (namedIn(reply.payload, payloadBytes)?.id !== id) log.write(events.damaged, id, epoch);
      counts.answered++;
    } catch (error) {
      log.write(events.requestRejected, id, epoch);
      const code = MsgError.is(error) ? error.code : String(error);
      rejections[code] = (rejections[code] ?? 0) + 1;
      counts.rejected++;
    }
    if (requests.everyMs > 0) await pause(requests.everyMs);
  }
}

push.on("dropped", ({ reason, payload }) => {
  const named = payload === undefined ? undefined : namedIn(payload, payloadBytes);
  if (reason === "undeliverable" && named !== undefined) {
    log.write(events.jobDropped, named.id, named.epoch);
  }
});

async function giveJobs(): Promise<void> {
  while (state.isSending) {
    for (let count = 0; count < 100; count++) {
      const id = counts.pushed++;
      log.write(events.jobSent, id, epoch);
      await push.send(payloadOf(epoch, id, payloadBytes));
    }
    await push.settled();
    log.write(events.jobsSettled, counts.pushed, epoch);
    counts.settled = counts.pushed;
    await pause(5);
  }
}

sub.on("gap", ({ lost }) => {
  if (lost === undefined) log.write(events.messagesGap, 0, epoch);
  else log.write(events.messagesLost, lost, epoch);
});
sub.consume((message) => {
  const named = namedIn(message.payload, feed.bytes);
  if (named === undefined) log.write(events.damaged, 0, epoch);
  else {
    const { peer, sequence } = message;
    log.write(events.messageReceived, named.id, named.epoch, peer.id % 256, sequence);
  }
  counts.received++;
});

await req.connect(dialed(addresses.rep));
await push.connect(dialed(addresses.pull));
await sub.connect(dialed(addresses.pub));
const subscribed = sub.subscribe(feedTopic, { timeoutMs: 30_000 }).catch(() => {});
const working: Promise<void>[] = [];

onOrders({
  subscribed: () => subscribed,
  resolve: (where: Resolution) => {
    resolution = where;
  },
  work: () => {
    for (let count = 0; count < requests.atATime; count++) working.push(ask());
    working.push(giveJobs());
  },
  /** Every request has its end and every job is settled when this is done. */
  stopSending: async () => {
    state.isSending = false;
    await Promise.all(working);
    return { ...counts, rejections, failures };
  },
  stats: () => ({ req: req.stats(), push: push.stats(), sub: sub.stats() }),
  close: async () => {
    const reports = await Promise.all([req.close(), push.close(), sub.close()]);
    log.close();
    process.disconnect();
    return reports;
  },
});
tellReady({}, () => counts);
