/** zeromq.js' own classes as `@msg-ts/zmtp/compat` has them, with libzmq on the other side. */
import { setTimeout as delay } from "node:timers/promises";
import * as zmq from "@msg-ts/zmtp/compat";
import { expectEqual } from "../expect.ts";
import { numbered, numberOf } from "../numbered.ts";
import type { Outcome, Scene } from "../scene.ts";
import type { Stage } from "../stage.ts";
import type { Carrier } from "./ends.ts";
import { carriers } from "./ends.ts";
import type { Secured } from "./secured.ts";
import { byKeys, byPassword, open } from "./secured.ts";
import type { ZmqProcess, ZmqSocket } from "./zmq-peer.ts";

const count = 50;
const size = 64;
const receiveTimeout = 20_000;

/** Who listens, over what, and how it is secured. */
interface Joining {
  readonly stage: Stage;
  readonly peer: ZmqProcess;
  readonly carrier: Carrier;
  readonly secured: Secured;
  readonly bound: "ours" | "theirs";
}

/** What two types of sockets do with each other; gives the number of messages checked. */
interface Talk {
  readonly ours: string;
  readonly theirs: string;
  readonly run: (joining: Joining) => Promise<number>;
}

/** Makes a socket of libzmq and connects ours with it, one of them bound. */
async function join(
  ours: zmq.Socket,
  type: string,
  { stage, peer, carrier, secured, bound }: Joining,
  theirOptions: object = {},
): Promise<ZmqSocket> {
  stage.atEnd(() => {
    ours.linger = 0;
    return ours.close();
  });
  Object.assign(ours, secured.compat(bound === "ours" ? "server" : "client"));
  if ("receiveTimeout" in ours) ours.receiveTimeout = receiveTimeout;
  const options = { ...secured.theirs(bound === "ours" ? "client" : "server"), ...theirOptions };
  const address = `${carrier.name}://${carrier.freshAddress(stage)}`;
  if (bound === "ours") await ours.bind(address);
  const place = bound === "ours" ? { connect: ours.lastEndpoint ?? "" } : { bind: address };
  const theirs = await peer.open({ type, ...place, options });
  stage.atEnd(() => theirs.close());
  if (bound === "theirs") ours.connect(theirs.endpoint);
  return theirs;
}

/** Sends numbers behind a head, and has them come back. */
async function echoed(ours: zmq.Dealer | zmq.Router | zmq.Pair, head: string[]): Promise<number> {
  for (let number = 0; number < count; number++) await ours.send([...head, numbered(number, size)]);
  for (let number = 0; number < count; number++) {
    const parts = await ours.receive();
    expectEqual("head", parts.slice(0, -1).map(String), head);
    expectEqual("number", numberOf(parts.at(-1) ?? new Uint8Array(0)), number);
  }
  return count * 2;
}

/** Gives back what is asked. */
async function answered(ours: zmq.Reply | zmq.Router, theirs: ZmqSocket): Promise<number> {
  const asking = theirs.call("ask", { count, size });
  for (let number = 0; number < count; number++) await ours.send(await ours.receive());
  expectEqual("right answers", (await asking)["right"], count);
  return count * 2;
}

async function subscribed(
  ours: zmq.Subscriber | zmq.XSubscriber,
  theirs: ZmqSocket,
): Promise<number> {
  await theirs.call("probe", { topic: "a.probe" });
  await ours.receive();
  await theirs.call("stop");
  for (const topic of ["b", "a"]) await theirs.call("sendMany", { count, size, head: [topic] });
  for (let number = 0; number < count;) {
    const [topic, body = new Uint8Array(0)] = await ours.receive();
    if (String(body) === "probe") continue;
    expectEqual("topic", String(topic), "a");
    expectEqual("number", numberOf(body), number++);
  }
  return count;
}

/** Nothing tells a Publisher who is there: it publishes until the first message is heard of. */
async function published(ours: zmq.Publisher | zmq.XPublisher, theirs: ZmqSocket): Promise<number> {
  for (const topic of ["a", "probe"]) await theirs.subscribe(topic);
  const first = theirs.receive();
  do await ours.send("probe");
  while ((await Promise.race([first, delay(5)])) === undefined);
  for (let number = 0; number < count; number++) {
    await ours.send(["b", "not asked for"]);
    await ours.send(["a", numbered(number, size)]);
  }
  for (let number = 0; number < count;) {
    const [topic = "", body = ""] = await theirs.receive();
    if (topic === "probe") continue;
    expectEqual("topic", topic, "a");
    expectEqual("number", numberOf(Buffer.from(body, "latin1")), number++);
  }
  return count;
}

const talks: readonly Talk[] = [
  ...["REP", "ROUTER"].map((theirType): Talk => ({
    ours: "Request",
    theirs: theirType,
    run: async (joining) => {
      const request = new zmq.Request();
      const theirs = await join(request, theirType, joining);
      await theirs.call("echo");
      for (let number = 0; number < count; number++) {
        await request.send(["head", numbered(number, size)]);
        const [head, body = new Uint8Array(0)] = await request.receive();
        expectEqual("answer", [String(head), numberOf(body)], ["head", number]);
      }
      return count * 2;
    },
  })),
  {
    ours: "Reply",
    theirs: "REQ",
    run: async (joining) => {
      const reply = new zmq.Reply();
      return answered(reply, await join(reply, "REQ", joining));
    },
  },
  {
    ours: "Router",
    theirs: "REQ",
    run: async (joining) => {
      const router = new zmq.Router();
      return answered(router, await join(router, "REQ", joining));
    },
  },
  {
    ours: "Dealer",
    theirs: "ROUTER",
    run: async (joining) => {
      const dealer = new zmq.Dealer({ routingId: "ours" });
      await (await join(dealer, "ROUTER", joining)).call("echo");
      return echoed(dealer, ["x"]);
    },
  },
  {
    ours: "Router",
    theirs: "DEALER",
    run: async (joining) => {
      const router = new zmq.Router({ mandatory: true });
      const theirs = await join(router, "DEALER", joining, { identity: "them" });
      await theirs.send("first");
      expectEqual("first", (await router.receive()).map(String), ["them", "first"]);
      await theirs.call("echo");
      return echoed(router, ["them"]);
    },
  },
  {
    ours: "Pair",
    theirs: "PAIR",
    run: async (joining) => {
      const pair = new zmq.Pair();
      await (await join(pair, "PAIR", joining)).call("echo");
      return echoed(pair, ["x", ""]);
    },
  },
  {
    ours: "Push",
    theirs: "PULL",
    run: async (joining) => {
      const push = new zmq.Push();
      const theirs = await join(push, "PULL", joining);
      const got = theirs.call("receiveMany", { count: count * 20 });
      for (let number = 0; number < count * 20; number++) await push.send(numbered(number, size));
      expectEqual("wrong jobs", (await got)["wrong"], 0);
      return count * 20;
    },
  },
  {
    ours: "Pull",
    theirs: "PUSH",
    run: async (joining) => {
      const pull = new zmq.Pull();
      const theirs = await join(pull, "PUSH", joining);
      await theirs.call("sendMany", { count: count * 20, size });
      for (let number = 0; number < count * 20; number++) {
        const [body = new Uint8Array(0)] = await pull.receive();
        expectEqual("number", numberOf(body), number);
      }
      return count * 20;
    },
  },
  ...[zmq.Publisher, zmq.XPublisher].map((PublisherClass): Talk => ({
    ours: PublisherClass.name,
    theirs: "SUB",
    run: async (joining) => {
      const publisher = new PublisherClass();
      return published(publisher, await join(publisher, "SUB", joining));
    },
  })),
  {
    ours: "Subscriber",
    theirs: "PUB",
    run: async (joining) => {
      const subscriber = new zmq.Subscriber();
      subscriber.subscribe("a");
      return subscribed(subscriber, await join(subscriber, "PUB", joining));
    },
  },
  {
    ours: "XSubscriber",
    theirs: "XPUB",
    run: async (joining) => {
      const subscriber = new zmq.XSubscriber();
      const theirs = await join(subscriber, "XPUB", joining);
      await subscriber.send("\u0001a");
      return subscribed(subscriber, theirs);
    },
  },
];

/** A Proxy of ours between a Request and a Reply of libzmq. */
async function proxied(peer: ZmqProcess, stage: Stage): Promise<Outcome> {
  const proxy = new zmq.Proxy(new zmq.Router(), new zmq.Dealer());
  stage.atEnd(() => proxy.frontEnd.close());
  stage.atEnd(() => proxy.backEnd.close());
  await proxy.frontEnd.bind("tcp://127.0.0.1:*");
  await proxy.backEnd.bind("tcp://127.0.0.1:*");
  const running = proxy.run();
  const request = await peer.open({ type: "REQ", connect: proxy.frontEnd.lastEndpoint ?? "" });
  const reply = await peer.open({ type: "REP", connect: proxy.backEnd.lastEndpoint ?? "" });
  stage.atEnd(() => request.close());
  stage.atEnd(() => reply.close());
  await reply.call("echo");
  expectEqual("right answers", (await request.call("ask", { count, size }))["right"], count);
  proxy.terminate();
  await running;
  return { messages: count * 2 };
}

function everyPair(peer: ZmqProcess, carrier: Carrier, secured: Secured): Scene[] {
  return talks.flatMap(({ ours, theirs, run }) =>
    (["ours", "theirs"] as const).flatMap((bound): Scene[] => {
      // A REQ of libzmq as a server takes no answer, from its own ROUTER neither.
      if (bound === "theirs" && theirs === "REQ" && secured !== open) return [];
      const [mine, other] = [`compat ${ours}`, `zmq ${theirs}`];
      return [
        {
          pair: bound === "theirs" ? `${mine} -> ${other}` : `${other} -> ${mine}`,
          transport: carrier.name,
          what: secured.name,
          run: async (stage) => ({
            messages: await run({ stage, peer, carrier, secured, bound }),
          }),
        },
      ];
    }),
  );
}

/** Every pair over TCP and Unix sockets, in the clear and with each mechanism. */
export function compatScenes(peer: ZmqProcess): Scene[] {
  return [
    ...[open, byPassword, byKeys].flatMap((secured) =>
      carriers.flatMap((carrier) => everyPair(peer, carrier, secured)),
    ),
    {
      pair: "zmq REQ -> compat Proxy -> zmq REP",
      transport: "tcp",
      what: "NULL",
      run: (stage) => proxied(peer, stage),
    },
  ];
}
