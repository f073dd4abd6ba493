/** Binds a REP, a PULL and a PUB, and writes down what it answers, does and publishes. */
import { setTimeout as pause } from "node:timers/promises";
import { PubSocket, PullSocket, RepSocket } from "msg-ts";
import { onOrders, settings, tellReady } from "../child-side.ts";
import { events, IdLog } from "../id-log.ts";
import { transportOf } from "../network.ts";
import type { ServerSettings } from "../roles.ts";
import { feedTopic } from "../roles.ts";
import { namedIn, payloadOf } from "../payloads.ts";

const { network, epoch, addresses, logFile, payloadBytes, feed } = settings() as ServerSettings;
const log = new IdLog(logFile);
const transport = transportOf(network);
const rep = new RepSocket(transport);
const pull = new PullSocket(transport, { window: 256 });
const pub = new PubSocket(transport);
const counts = { ran: 0, done: 0, published: 0, acceptErrors: 0 };
for (const socket of [rep, pull, pub]) socket.on("error", () => counts.acceptErrors++);

rep.serve((request) => {
  const named = namedIn(request.payload, payloadBytes);
  if (named === undefined) log.write(events.damaged, 0, epoch);
  else log.write(events.requestRan, named.id, named.epoch);
  counts.ran++;
  return request.payload;
});
pull.consume((job) => {
  const named = namedIn(job.payload, payloadBytes);
  if (named === undefined) log.write(events.damaged, 0, epoch);
  else log.write(events.jobDone, named.id, named.epoch, job.deliveryCount);
  counts.done++;
});
const bound = {
  rep: await rep.bind(addresses.rep),
  pull: await pull.bind(addresses.pull),
  pub: await pub.bind(addresses.pub),
};

pub.on("dropped", ({ reason, count }) => {
  if (reason === "slow-subscriber") log.write(events.messagesDropped, count, epoch);
});
const state = { isPublishing: true };
let publishing: Promise<void> | undefined;

async function publish(): Promise<void> {
  while (state.isPublishing) {
    const end = counts.published + feed.burst;
    // Before they leave: a process that is killed in between has published no more than it said.
    log.write(events.messagesPublished, end, epoch);
    while (counts.published < end) {
      await pub.publish(feedTopic, payloadOf(epoch, counts.published, feed.bytes));
      counts.published++;
    }
    await pause(feed.everyMs);
  }
}

onOrders({
  publish: () => {
    publishing ??= publish();
  },
  stopPublishing: async () => {
    state.isPublishing = false;
    await publishing;
    return counts.published;
  },
  isRead: () => pub.stats().queued === 0,
  stats: () => ({ rep: rep.stats(), pull: pull.stats(), pub: pub.stats() }),
  close: async () => {
    await Promise.all([rep.close(), pull.close(), pub.close()]);
    log.close();
    process.disconnect();
  },
});
tellReady(bound, () => counts);
