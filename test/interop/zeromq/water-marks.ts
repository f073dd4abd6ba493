import { PubSocket, PullSocket, PushSocket, SubSocket } from "@msg-ts/core";
import { waitFor } from "@msg-ts/testing";
import { zmtp } from "@msg-ts/zmtp";
import { Tcp } from "@msg-ts/transports/tcp";
import { expect, expectEqual } from "../expect.ts";
import { numbered, numberOf } from "../numbered.ts";
import type { Outcome, Scene } from "../scene.ts";
import type { Stage } from "../stage.ts";
import type { Program } from "./zmq-peer.ts";
import { ZmqProcess } from "./zmq-peer.ts";

const within = { timeoutMs: 30_000 };
const protocol = zmtp();
const anywhere = "127.0.0.1:0";
const hwm = 10;
/** Far more than libzmq, the kernel and we keep, of 100 kB each. */
const messages = 1_000;

const nextTurn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

/** A process for one scene, which may stop it. */
function stoppable(program: Program, stage: Stage): ZmqProcess {
  const peer = new ZmqProcess(program);
  stage.atEnd(() => peer.kill());
  return peer;
}

/** Stops it, until the end of its scene at most: it could not even close its sockets. */
function halt(peer: ZmqProcess, stage: Stage): void {
  peer.signal("SIGSTOP");
  stage.atEnd(() => peer.signal("SIGCONT"));
}

/** Waits until nothing has come for a while: so many looks in a row. */
async function settled(received: () => number): Promise<void> {
  let last = -1;
  let looks = 0;
  const isStill = (): boolean => {
    looks = received() === last ? looks + 1 : 0;
    last = received();
    return looks >= 40;
  };
  await waitFor(isStill, { what: "nothing more comes", withinMs: 30_000 });
}

/** A libzmq SUB that does not read loses messages; we count them, and nobody else waits. */
async function slowSubscriber(peer: ZmqProcess, stage: Stage, stop?: () => void): Promise<Outcome> {
  const pub = stage.socket(new PubSocket(new Tcp(), { protocol }));
  const connect = `tcp://${await pub.bind(anywhere)}`;
  const slow = await peer.open({ type: "SUB", connect, options: { hwm } });
  stage.atEnd(() => slow.close());
  const quick = stage.socket(new SubSocket(new Tcp(), { protocol }));
  let seen = 0;
  quick.consume(() => void seen++);
  await quick.connect(pub.address);
  await quick.subscribe("a", { timeoutMs: 1 }).catch(() => {});
  await slow.subscribe("");
  const first = slow.receive();
  await waitFor(() => pub.stats().subscriptions === 2, { what: "both subscribed" });
  void pub.publish("a", "first");
  await first;
  stop?.();
  const payload = new Uint8Array(100_000);
  for (let i = 0; i < messages; i++) {
    await pub.publish("a", payload);
    // The quick one is to have its turn, and to lose nothing.
    await waitFor(() => seen >= i - 20, { what: "the quick one is served", withinMs: 20_000 });
  }
  const isCounted = (): boolean => (pub.stats().dropped["slow-subscriber"] ?? 0) > 0;
  await waitFor(isCounted, { what: "losses are counted" });
  await waitFor(() => seen === messages + 1, { what: "the quick one has all", withinMs: 20_000 });
  const { dropped, queuedBytes } = pub.stats();
  expectEqual("subscribers", pub.peers.length, 2);
  return {
    messages: messages + 2,
    note: `lost ${String(dropped["slow-subscriber"])}, ${queuedBytes} B wait`,
  };
}

/** A libzmq PULL that does not read makes our PUSH wait, and loses nothing. */
async function slowPull(
  peer: ZmqProcess,
  stage: Stage,
  stop?: () => void,
  goOn?: () => void,
): Promise<Outcome> {
  const push = stage.socket(new PushSocket(new Tcp(), { protocol }));
  const connect = `tcp://${await push.bind(anywhere)}`;
  const theirs = await peer.open({ type: "PULL", connect, options: { hwm } });
  stage.atEnd(() => theirs.close());
  await push.ready();
  stop?.();
  const size = 50_000;
  let number = 0;
  while (push.trySend(numbered(number, size))) {
    number++;
    await nextTurn();
  }
  const rest = push.send(numbered(number, size), within);
  expect(rest !== undefined, "a send waits");
  goOn?.();
  const { wrong } = await theirs.call("receiveMany", { count: number + 1 });
  await rest;
  expectEqual("wrong", wrong, 0);
  return { messages: number + 1, note: "waited before the end" };
}

/** Our PULL that takes nothing makes libzmq's PUSH wait: it has no more here than it may. */
async function ourSlowPull(peer: ZmqProcess, stage: Stage): Promise<Outcome> {
  const [count, size, window] = [1_000, 50_000, 20];
  const pull = stage.socket(new PullSocket(new Tcp(), { protocol, window }));
  const connect = `tcp://${await pull.bind(anywhere)}`;
  const theirs = await peer.open({ type: "PUSH", connect, options: { hwm } });
  stage.atEnd(() => theirs.close());
  await pull.ready();
  let isSent = false;
  const sending = theirs.call("sendMany", { count, size }).then(() => {
    isSent = true;
  });
  sending.catch(() => {});
  await waitFor(() => pull.stats().queued >= window, { what: "it is full", withinMs: 30_000 });
  await settled(() => pull.stats().bytesReceived);
  const { queued, bytesReceived } = pull.stats();
  expect(!isSent, "libzmq waits");
  // What was read in one go with the last one may be there too.
  expect(queued <= window + 10, `${queued} wait, the window is ${window}`);
  for (let number = 0; number < count; number++) {
    expectEqual("number", numberOf((await pull.receive(within)).payload), number);
  }
  await sending;
  return { messages: count, note: `${queued} waited, ${bytesReceived} B read, before it went on` };
}

/** Our SUB that takes nothing holds what it may, and libzmq's PUB drops the rest. */
async function ourSlowSub(peer: ZmqProcess, stage: Stage): Promise<Outcome> {
  const [count, size, maxQueued] = [1_000, 50_000, 20];
  const sub = stage.socket(new SubSocket(new Tcp(), { protocol, maxQueued }));
  await sub.subscribe("a", { timeoutMs: 1 }).catch(() => {});
  const bind = `tcp://${anywhere}`;
  const theirs = await peer.open({ type: "PUB", bind, options: { hwm } });
  stage.atEnd(() => theirs.close());
  await sub.connect(theirs.address);
  await sub.ready();
  await theirs.call("probe", { topic: "a" });
  await sub.receive(within);
  await theirs.call("stop");
  // It does not wait for us.
  await theirs.call("sendMany", { count, size, head: ["a"] });
  await settled(() => sub.stats().bytesReceived);
  const { queued } = sub.stats();
  expect(queued <= maxQueued + 10, `${queued} wait, maxQueued is ${maxQueued}`);
  let last = -1;
  let seen = 0;
  const take = async (): Promise<boolean> => {
    const message = await sub.receive({ timeoutMs: 2_000 }).catch(() => undefined);
    if (message === undefined) return false;
    const number = numberOf(message.payload);
    if (number === undefined) return true;
    expect(number > last, `${number} comes behind ${last}`);
    last = number;
    seen++;
    return true;
  };
  while (await take());
  expect(seen >= maxQueued, `${seen} came`);
  expect(seen < count, "libzmq dropped some");
  return { messages: seen, note: `libzmq dropped ${count - seen} of ${count}` };
}

function scene(pair: string, what: string, run: (stage: Stage) => Promise<Outcome>): Scene {
  return { pair, transport: "tcp", what, run };
}

/** Who does not read, on either side, in either way. */
export function waterMarkScenes(peer: ZmqProcess, program: Program): Scene[] {
  return [
    scene("zmq SUB -> ts PUB", "does not read", (stage) => slowSubscriber(peer, stage)),
    scene("zmq SUB -> ts PUB", "is stopped, and does not read", (stage) => {
      const own = stoppable(program, stage);
      return slowSubscriber(own, stage, () => halt(own, stage));
    }),
    scene("zmq PULL -> ts PUSH", "does not read", (stage) => slowPull(peer, stage)),
    scene("zmq PULL -> ts PUSH", "is stopped, and goes on", (stage) => {
      const own = stoppable(program, stage);
      return slowPull(
        own,
        stage,
        () => halt(own, stage),
        () => own.signal("SIGCONT"),
      );
    }),
    scene("zmq PUSH -> ts PULL", "ours does not take", (stage) => ourSlowPull(peer, stage)),
    scene("ts SUB -> zmq PUB", "ours does not take", (stage) => ourSlowSub(peer, stage)),
  ];
}
