import {
  msg,
  multipart,
  PubSocket,
  PullSocket,
  PushSocket,
  RepSocket,
  ReqSocket,
  SubSocket,
} from "@msg-ts/core";
import type { ErrorCode } from "@msg-ts/core";
import { record, waitFor } from "@msg-ts/testing";
import { plain, plainServer, zmtp } from "@msg-ts/zmtp";
import { curve, curveKeyPair, curveServer } from "@msg-ts/zmtp/curve";
import { Tcp } from "@msg-ts/transports/tcp";
import { expect, expectEqual } from "../expect.ts";
import { numbered, numberOf } from "../numbered.ts";
import type { Outcome, Scene } from "../scene.ts";
import type { Stage } from "../stage.ts";
import { carriers, join, makeOurs } from "./ends.ts";
import type { Carrier } from "./ends.ts";
import { clientKeys } from "./secured.ts";
import type { Program } from "./zmq-peer.ts";
import { ZmqProcess } from "./zmq-peer.ts";

const within = { timeoutMs: 20_000 };
const [tcp] = carriers as readonly [Carrier];

/** A process for one scene, which may stop or kill it. */
function processOf(program: Program, stage: Stage): ZmqProcess {
  const peer = new ZmqProcess(program);
  stage.atEnd(() => peer.kill());
  return peer;
}

/** Our dialing REQ is refused: it must say so with this code, in `ready()` and by an event. */
async function isRefused(
  stage: Stage,
  address: string,
  options: Parameters<typeof zmtp>[0],
  code: ErrorCode,
): Promise<Outcome> {
  const req = stage.socket(new ReqSocket(new Tcp(), { protocol: zmtp(options) }));
  const retrying = record(req, "retrying");
  await req.connect(address);
  const error = await req.ready({ timeoutMs: 2_500 }).catch((reason: unknown) => reason);
  expect(error instanceof Error, "ready() rejects");
  const cause = error.cause as { code?: string; message?: string } | undefined;
  // A reset may overtake what libzmq said before it ended the connection.
  const isUnheard = cause?.message?.includes("mechanism may be another") === true;
  if (!isUnheard) {
    expectEqual("code of the cause", cause?.code, code);
    expectEqual("code of the event", retrying[0]?.error.code, code);
  }
  expect(retrying.length > 0, "an event tells of it");
  expect(!isUnheard || code === "MSG_PROTOCOL", "the mechanism is not what was wrong");
  return { messages: 0, note: String(cause?.message) };
}

/** A dialing libzmq is refused: our listening socket must say so by an event. */
async function refuses(
  server: RepSocket,
  dial: (address: string) => Promise<unknown>,
  code: ErrorCode,
): Promise<Outcome> {
  const refused = record(server, "refused");
  await server.bind("127.0.0.1:0");
  await dial(server.address);
  await waitFor(() => refused.length > 0, { what: "an event refused", withinMs: 20_000 });
  expectEqual("code", refused[0]?.error.code, code);
  expectEqual("peers", server.peers.length, 0);
  return { messages: 0, note: String(refused[0]?.error.message) };
}

function plainOf(role: string, password = "secret"): Readonly<Record<string, unknown>> {
  return { security: { name: "plain", role, username: "admin", password } };
}

function rep(stage: Stage, options: Parameters<typeof zmtp>[0] = {}): RepSocket {
  return stage.socket(new RepSocket(new Tcp(), { protocol: zmtp(options) }));
}

function refusals(peer: ZmqProcess): Scene[] {
  const zmq = async (
    stage: Stage,
    type: string,
    options: Readonly<Record<string, unknown>>,
  ): Promise<string> => {
    const socket = await peer.open({ type, bind: "tcp://127.0.0.1:0", options });
    stage.atEnd(() => socket.close());
    return socket.address;
  };
  const dialing =
    (stage: Stage, type: string, options: Readonly<Record<string, unknown>>) =>
    async (address: string): Promise<void> => {
      const socket = await peer.open({ type, connect: `tcp://${address}`, options });
      stage.atEnd(() => socket.close());
    };
  const keys = curveKeyPair();
  const curveOf = (
    role: string,
    serverKey = keys.publicKey,
  ): Readonly<Record<string, unknown>> => ({
    security: { name: "curve", role, ...keys, serverKey },
  });
  const other = curveKeyPair();
  const wrong = { username: "admin", password: "wrong" };
  const scenes: [string, string, Scene["run"]][] = [
    [
      "ts REQ -> zmq REP",
      "wrong password",
      async (stage) =>
        isRefused(
          stage,
          await zmq(stage, "REP", plainOf("server")),
          { security: plain(wrong) },
          "MSG_AUTH_REJECTED",
        ),
    ],
    [
      "ts REQ -> zmq REP",
      "wrong server key",
      async (stage) =>
        isRefused(
          stage,
          await zmq(stage, "REP", curveOf("server")),
          { security: curve({ serverKey: other.publicKey }) },
          "MSG_AUTH_REJECTED",
        ),
    ],
    [
      "ts REQ -> zmq REP",
      "NULL to a PLAIN server",
      async (stage) =>
        isRefused(stage, await zmq(stage, "REP", plainOf("server")), {}, "MSG_PROTOCOL"),
    ],
    [
      "ts REQ -> zmq REP",
      "CURVE to a NULL server",
      async (stage) =>
        isRefused(
          stage,
          await zmq(stage, "REP", {}),
          { security: curve({ serverKey: keys.publicKey }) },
          "MSG_PROTOCOL",
        ),
    ],
    [
      "ts REQ -> zmq SUB",
      "types that do not pair",
      async (stage) => isRefused(stage, await zmq(stage, "SUB", {}), {}, "MSG_WRONG_SOCKET_TYPE"),
    ],
    [
      "zmq REQ -> ts REP",
      "wrong password",
      (stage) =>
        refuses(
          rep(stage, {
            security: plainServer({ authenticate: ({ password }) => password === "right" }),
          }),
          dialing(stage, "REQ", plainOf("client")),
          "MSG_AUTH_REJECTED",
        ),
    ],
    [
      "zmq REQ -> ts REP",
      "wrong server key",
      (stage) =>
        refuses(
          rep(stage, { security: curveServer({ secretKey: keys.secretKey }) }),
          dialing(stage, "REQ", curveOf("client", other.publicKey)),
          "MSG_AUTH_REJECTED",
        ),
    ],
    [
      "zmq REQ -> ts REP",
      "client key that is not let in",
      (stage) =>
        refuses(
          rep(stage, {
            security: curveServer({
              secretKey: keys.secretKey,
              authenticate: ({ publicKeyText }) => publicKeyText === other.publicKey,
            }),
          }),
          dialing(stage, "REQ", curveOf("client")),
          "MSG_AUTH_REJECTED",
        ),
    ],
    [
      "zmq REQ -> ts REP",
      "PLAIN to a NULL server",
      (stage) => refuses(rep(stage), dialing(stage, "REQ", plainOf("client")), "MSG_PROTOCOL"),
    ],
    [
      "zmq PUSH -> ts REP",
      "types that do not pair",
      (stage) => refuses(rep(stage), dialing(stage, "PUSH", {}), "MSG_WRONG_SOCKET_TYPE"),
    ],
  ];
  return scenes.map(([pair, what, run]) => ({ pair, transport: "tcp", what, run }));
}

/** A key that libzmq's ZAP handler does not know: this one answers for all of its process. */
async function unknownKey(program: Program, stage: Stage): Promise<Outcome> {
  const peer = processOf(program, stage);
  const keys = curveKeyPair();
  const { decodeZ85 } = await import("@msg-ts/zmtp/curve");
  const key = Buffer.from(decodeZ85(clientKeys.publicKey)).toString("hex");
  await peer.call("allow", { key, z85: clientKeys.publicKey });
  const options = {
    security: { name: "curve", role: "server", ...keys, serverKey: keys.publicKey },
  };
  const { address } = await peer.open({ type: "REP", bind: "tcp://127.0.0.1:0", options });
  const security = curve({ serverKey: keys.publicKey });
  return isRefused(stage, address, { security }, "MSG_AUTH_REJECTED");
}

/** The peer is killed and comes back at the same place. */
async function restart(program: Program, stage: Stage): Promise<Outcome> {
  const first = processOf(program, stage);
  const echo = await first.open({ type: "REP", bind: "tcp://127.0.0.1:0" });
  await echo.call("echo");
  const req = makeOurs("REQ", { stage, carrier: tcp, bound: "theirs" });
  const sub = stage.socket(new SubSocket(new Tcp(), { protocol: zmtp() }));
  await sub.subscribe("a", { timeoutMs: 1 }).catch(() => {});
  await req.connect(echo.address);
  expectEqual("answer", (await req.request("before", within)).text(), "before");
  await first.kill();
  const asked = req.request("after", within);
  const second = processOf(program, stage);
  const again = await second.open({ type: "REP", bind: echo.endpoint });
  await again.call("echo");
  expectEqual("answer", (await asked).text(), "after");
  return { messages: 4 };
}

/** Our listening socket goes and comes back; libzmq dials again and subscribes again. */
async function ourRestart(peer: ZmqProcess, stage: Stage): Promise<Outcome> {
  const pub = new PubSocket(new Tcp(), { protocol: zmtp() });
  const address = await pub.bind("127.0.0.1:0");
  const options = { reconnectMs: 50 };
  const theirs = await peer.open({ type: "SUB", connect: `tcp://${address}`, options });
  stage.atEnd(() => theirs.close());
  await theirs.subscribe("a");
  await pub.waitForSubscriber("a", within);
  await pub.close();
  const next = stage.socket(new PubSocket(new Tcp(), { protocol: zmtp() }));
  await next.bind(address);
  const got = theirs.receive();
  await next.waitForSubscriber("a", within);
  void next.publish("a", "again");
  expectEqual("message", await got, ["a", "again"]);
  return { messages: 1 };
}

/** A stopped process answers no PING: its connection is given up, and made again when it goes on. */
async function stopped(program: Program, stage: Stage): Promise<Outcome> {
  const peer = processOf(program, stage);
  const echo = await peer.open({ type: "REP", bind: "tcp://127.0.0.1:0" });
  await echo.call("echo");
  const heartbeat = { intervalMs: 200, timeoutMs: 600 };
  const req = makeOurs("REQ", { stage, carrier: tcp, bound: "theirs", ourOptions: { heartbeat } });
  const disconnected = record(req, "disconnected");
  await req.connect(echo.address);
  await req.ready();
  await new Promise<void>((resolve) => {
    // Long enough for two heartbeats that are answered.
    setTimeout(resolve, 1_500);
  });
  expectEqual("ends while it lives", disconnected.length, 0);
  peer.signal("SIGSTOP");
  stage.atEnd(() => peer.signal("SIGCONT"));
  await waitFor(() => disconnected.length > 0, { what: "the end is noticed", withinMs: 10_000 });
  expectEqual("code", disconnected[0]?.reason?.code, "MSG_PEER_LOST");
  peer.signal("SIGCONT");
  expectEqual("answer", (await req.request("again", within)).text(), "again");
  return { messages: 2 };
}

/** libzmq's own heartbeats, with a TTL, are answered. */
async function theirHeartbeats(peer: ZmqProcess, stage: Stage): Promise<Outcome> {
  const server = rep(stage);
  const disconnected = record(server, "disconnected");
  server.serve((request) => request.payload);
  await server.bind("127.0.0.1:0");
  const options = { heartbeatMs: 100, heartbeatTimeoutMs: 300, heartbeatTtlMs: 500 };
  const req = await peer.open({ type: "REQ", connect: `tcp://${server.address}`, options });
  stage.atEnd(() => req.close());
  await server.ready();
  await new Promise<void>((resolve) => {
    // Several of its heartbeats.
    setTimeout(resolve, 1_500);
  });
  expectEqual("ends", disconnected.length, 0);
  expectEqual("right", (await req.call("ask", { count: 5, size: 64 }))["right"], 5);
  return { messages: 10 };
}

/** Subscribed twice and cancelled once: libzmq counts, and cancels with the last one. */
async function setSemantics(peer: ZmqProcess, stage: Stage): Promise<Outcome> {
  const { ours, theirs } = await join("PUB", "SUB", { stage, peer, carrier: tcp, bound: "ours" });
  await theirs.subscribe("a");
  await theirs.subscribe("a");
  await theirs.subscribe("z");
  const got = theirs.receive();
  await ours.waitForSubscriber("z", within);
  void ours.publish("a", "1");
  expectEqual("message", await got, ["a", "1"]);
  await theirs.unsubscribe("a");
  await theirs.subscribe("y");
  await ours.waitForSubscriber("y", within);
  const still = theirs.receive();
  void ours.publish("a", "2");
  expectEqual("message", await still, ["a", "2"]);
  await theirs.unsubscribe("a");
  await waitFor(() => ours.stats().subscriptions === 2, { what: "a is not subscribed to" });
  const last = theirs.receive();
  void ours.publish("a", "3");
  void ours.publish("z", "4");
  expectEqual("message", await last, ["z", "4"]);
  return { messages: 3 };
}

async function large(peer: ZmqProcess, stage: Stage, size: number): Promise<Outcome> {
  const server = stage.socket(
    new RepSocket(new Tcp(), { protocol: zmtp(), maxMessageBytes: size + 100 }),
  );
  server.serve((request) => multipart(request.parts));
  await server.bind("127.0.0.1:0");
  const req = await peer.open({ type: "REQ", connect: `tcp://${server.address}` });
  stage.atEnd(() => req.close());
  const { right } = await req.call("ask", { count: 2, size });
  expectEqual("right", right, 2);
  return { messages: 4 };
}

/** One REP, PUB, PUSH and PULL for native peers and libzmq at once. */
async function mixed(peer: ZmqProcess, stage: Stage): Promise<Outcome> {
  const protocols = [msg(), zmtp()];
  const server = stage.socket(new RepSocket(new Tcp(), { protocols }));
  server.serve((request) => request.payload);
  const pub = stage.socket(new PubSocket(new Tcp(), { protocols }));
  const push = stage.socket(new PushSocket(new Tcp(), { protocols }));
  const pull = stage.socket(new PullSocket(new Tcp(), { protocols }));
  for (const socket of [server, pub, push, pull]) await socket.bind("127.0.0.1:0");
  const theirs = async (type: string, { address }: { readonly address: string }) => {
    const socket = await peer.open({ type, connect: `tcp://${address}` });
    stage.atEnd(() => socket.close());
    return socket;
  };
  const theirReq = await theirs("REQ", server);
  const ourReq = stage.socket(new ReqSocket(new Tcp()));
  await ourReq.connect(server.address);
  const asking = theirReq.call("ask", { count: 50, size: 64 });
  const replies = Array.from({ length: 50 }, (_, i) => ourReq.request(numbered(i, 64), within));
  for (const [i, reply] of replies.entries())
    expectEqual("number", numberOf((await reply).payload), i);
  expectEqual("right", (await asking)["right"], 50);

  const theirSub = await theirs("SUB", pub);
  await theirSub.subscribe("a.");
  const ourSub = stage.socket(new SubSocket(new Tcp()));
  await ourSub.connect(pub.address);
  await ourSub.subscribe("a.*", within);
  const got = theirSub.receive();
  await waitFor(() => pub.stats().subscriptions === 2, { what: "both have subscribed" });
  void pub.publish("a.b", "to both");
  expectEqual("theirs", await got, ["a.b", "to both"]);
  expectEqual("ours", (await ourSub.receive(within)).text(), "to both");

  const theirPull = await theirs("PULL", push);
  const ourPull = stage.socket(new PullSocket(new Tcp()));
  let jobs = 0;
  ourPull.consume(() => void jobs++);
  await ourPull.connect(push.address);
  await push.ready({ peers: 2 });
  // Ours gets jobs once it told its window.
  for (let i = 0; i < 100; i++) {
    await push.send(numbered(i, 64));
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
  await waitFor(() => jobs > 0, { what: "ours had jobs" });
  await push.settled(within);
  expectEqual(
    "wrong",
    (await theirPull.call("receiveMany", { count: 100 - jobs, unordered: true }))["wrong"],
    0,
  );

  const theirPush = await theirs("PUSH", pull);
  const ourPush = stage.socket(new PushSocket(new Tcp()));
  await ourPush.connect(pull.address);
  await theirPush.call("sendMany", { count: 50, size: 64 });
  for (let i = 0; i < 50; i++) await ourPush.send(numbered(i, 64));
  for (let i = 0; i < 100; i++)
    expect(numberOf((await pull.receive(within)).payload) !== undefined, "a job");
  return { messages: 200 + 2 + 100 + 100, note: `${jobs} of 100 jobs went to ours` };
}

function scene(pair: string, what: string, run: (stage: Stage) => Promise<Outcome>): Scene {
  return { pair, transport: "tcp", what, run };
}

/** What is more than a pair that talks. */
export function specialScenes(peer: ZmqProcess, program: Program): Scene[] {
  return [
    ...refusals(peer),
    scene("ts REQ -> zmq REP", "client key that is not let in", (stage) =>
      unknownKey(program, stage),
    ),
    scene("ts REQ -> zmq REP", "the peer is killed and started again", (stage) =>
      restart(program, stage),
    ),
    scene("zmq SUB -> ts PUB", "ours is closed and made again", (stage) => ourRestart(peer, stage)),
    scene("ts REQ -> zmq REP", "the peer is stopped", (stage) => stopped(program, stage)),
    scene("zmq REQ -> ts REP", "heartbeats of libzmq", (stage) => theirHeartbeats(peer, stage)),
    scene("zmq SUB -> ts PUB", "subscribed twice, cancelled once", (stage) =>
      setSemantics(peer, stage),
    ),
    scene("zmq REQ -> ts REP", "1 MiB", (stage) => large(peer, stage, 2 ** 20)),
    {
      ...scene("zmq REQ -> ts REP", "100 MiB", (stage) => large(peer, stage, 100 * 2 ** 20)),
      isHeavy: true,
    },
    scene("zmq REQ SUB PULL PUSH -> ts", "one port with native peers", (stage) =>
      mixed(peer, stage),
    ),
  ];
}
