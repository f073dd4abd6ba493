/** Sockets that come and go, in every way there is. */
import assert from "node:assert/strict";
import { PubSocket, PullSocket, PushSocket, RepSocket, ReqSocket, SubSocket } from "msg-ts";
import type { Random } from "../fuzz/random.ts";
import type { Lane } from "./lane.ts";

/** Does one thing with new sockets, and closes them. */
export type Churn = (lane: Lane, random: Random) => Promise<void>;

async function guest({ track, address }: Lane): Promise<void> {
  const req = new ReqSocket(track.transport(), { timeoutMs: 60_000 });
  await req.connect(address);
  assert.equal((await req.request("guest")).text(), "guest");
  await req.close();
}

async function ownService({ track }: Lane, random: Random): Promise<void> {
  const { compressor } = track;
  const rep = new RepSocket(track.transport(), { compressor });
  const req = new ReqSocket(track.transport(), { compressor, timeoutMs: 60_000 });
  rep.serve((request) => request.payload);
  await req.connect(await rep.bind(track.address()));
  const asked = random.between(1, 5);
  for (let count = 0; count < asked; count++) await req.request(Buffer.alloc(2_000, count));
  // Now and then the service goes first, while it is asked.
  const last = req.request("last").catch(() => {});
  await Promise.all([rep.close(), req.close({ lingerMs: 100 }), last]);
}

async function ownFeed({ track }: Lane): Promise<void> {
  const pub = new PubSocket(track.transport());
  const sub = new SubSocket(track.transport());
  await sub.connect(await pub.bind(track.address()));
  await sub.subscribe("a.*", { timeoutMs: 30_000 });
  for (let count = 0; count < 10; count++) await pub.publish("a.b", String(count));
  for (let count = 0; count < 10; count++) {
    assert.equal((await sub.receive({ timeoutMs: 30_000 })).text(), String(count));
  }
  sub.unsubscribe("a.*");
  await Promise.all([sub.close(), pub.close()]);
}

async function ownJobs({ track }: Lane): Promise<void> {
  const push = new PushSocket(track.transport());
  const pull = new PullSocket(track.transport());
  await pull.connect(await push.bind(track.address()));
  for (let count = 0; count < 10; count++) await push.send(String(count));
  let [done, refused] = [0, 0];
  const consumer = pull.consume((job) => {
    if (job.deliveryCount === 1 && job.text() === "7") {
      refused++;
      throw new Error("not this one");
    }
    done++;
  });
  pull.on("error", () => {});
  await push.settled({ timeoutMs: 60_000 });
  await consumer.stop();
  assert.deepEqual([done, refused], [10, 1]);
  const { unsent, unacknowledged } = await push.close();
  assert.deepEqual([unsent, unacknowledged], [0, 0]);
  await pull.close();
}

/** Calls that never come to anything, and are aborted or closed. */
async function nobodyThere({ track }: Lane): Promise<void> {
  const req = new ReqSocket(track.transport());
  const push = new PushSocket(track.transport());
  const sub = new SubSocket(track.transport());
  const address = track.address().replace(/:0$/, ":1");
  for (const socket of [req, push, sub]) {
    socket.on("error", () => {});
    await socket.connect(address);
  }
  const controller = new AbortController();
  const waits = [
    req.request("nobody", { signal: controller.signal }),
    Promise.resolve(push.send("nobody", { signal: controller.signal })),
    sub.receive({ signal: controller.signal }),
    req.ready({ signal: controller.signal }),
    req.request("late", { timeoutMs: 20 }),
  ];
  const outcomes = Promise.allSettled(waits);
  setTimeout(() => controller.abort(new Error("no more")), 30);
  for (const { status } of await outcomes) assert.equal(status, "rejected");
  await Promise.all([req, push, sub].map((socket) => socket.close({ lingerMs: 0 })));
}

/** Every kind, by what it is called in a report. */
export const churns: Readonly<Record<string, Churn>> = {
  guest,
  ownService,
  ownFeed,
  ownJobs,
  nobodyThere,
};
