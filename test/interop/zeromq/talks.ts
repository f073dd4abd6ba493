import type { Payload } from "@msg-ts/core";
import { multipart } from "@msg-ts/core";
import { waitFor } from "@msg-ts/testing";
import { expect, expectEqual } from "../expect.ts";
import { numbered, numberOf } from "../numbered.ts";
import type { Joining, OurType } from "./ends.ts";
import { join } from "./ends.ts";
import type { ZmqSocket } from "./zmq-peer.ts";

/** How many messages go each way, and how large they are. */
const count = 50;
const size = 64;
const within = { timeoutMs: 20_000 };

/** What two types of sockets do with each other; resolves with the number of messages checked. */
export interface Talk {
  readonly ours: OurType;
  readonly theirs: string;
  readonly run: (joining: Joining) => Promise<number>;
}

interface PartsEnd {
  send(parts: readonly Payload[]): undefined | Promise<void>;
  receive(options: { timeoutMs: number }): Promise<{ readonly parts: readonly Uint8Array[] }>;
}

/** Sends with a head; the peer gives everything back. */
async function echoed(ours: PartsEnd, head: readonly string[], back = head): Promise<number> {
  for (let number = 0; number < count; number++) await ours.send([...head, numbered(number, size)]);
  for (let number = 0; number < count; number++) {
    const { parts } = await ours.receive(within);
    expectEqual("head", parts.slice(0, -1).map(String), [...back]);
    expectEqual("number", numberOf(parts.at(-1) ?? new Uint8Array(0)), number);
  }
  return count * 2;
}

/** Gives back everything that comes, until the other side has asked enough. */
async function answered(
  ours: PartsEnd,
  theirs: ZmqSocket,
  head: readonly string[],
): Promise<number> {
  const asking = theirs.call("ask", { count, size, head });
  for (let number = 0; number < count; number++) {
    const { parts } = await ours.receive(within);
    await ours.send(parts);
  }
  expectEqual("right answers", (await asking)["right"], count);
  return count * 2;
}

/** The peer publishes once we are known to be subscribed. */
async function subscribed(
  theirs: ZmqSocket,
  receive: () => Promise<{ readonly parts: readonly Uint8Array[] }>,
): Promise<number> {
  await theirs.call("probe", { topic: "a.probe" });
  await receive();
  await theirs.call("stop");
  await theirs.call("sendMany", { count, size, head: ["b"] });
  await theirs.call("sendMany", { count, size, head: ["a"] });
  for (let number = 0; number < count;) {
    const { parts } = await receive();
    const [topic, body] = parts;
    if (String(body) === "probe") continue;
    expectEqual("topic", String(topic), "a");
    expectEqual("number", numberOf(body ?? new Uint8Array(0)), number);
    number++;
  }
  return count;
}

/** All that zmq.md 1.6 lists and both sides have, from our side. */
export const talks: readonly Talk[] = [
  {
    ours: "REQ",
    theirs: "REP",
    run: async (joining) => asked(joining, "REP"),
  },
  {
    ours: "REQ",
    theirs: "ROUTER",
    run: async (joining) => asked(joining, "ROUTER"),
  },
  {
    ours: "REP",
    theirs: "REQ",
    run: async (joining) => {
      const { ours, theirs } = await join("REP", "REQ", joining);
      ours.serve((request) => multipart(request.parts));
      expectEqual("right answers", (await theirs.call("ask", { count, size }))["right"], count);
      const head = ["a", "b"];
      const { right } = await theirs.call("ask", { count, size, head });
      expectEqual("right answers of several parts", right, count);
      return count * 4;
    },
  },
  {
    ours: "REP",
    theirs: "DEALER",
    run: async (joining) => {
      const { ours, theirs } = await join("REP", "DEALER", joining);
      ours.serve((request) => request.payload);
      const { right } = await theirs.call("ask", { count, size, head: ["way", "back", ""] });
      expectEqual("right answers", right, count);
      return count * 2;
    },
  },
  {
    ours: "DEALER",
    theirs: "REP",
    run: async (joining) => {
      const { ours, theirs } = await join("DEALER", "REP", joining);
      await theirs.call("echo");
      return echoed(ours, ["way", ""]);
    },
  },
  {
    ours: "DEALER",
    theirs: "DEALER",
    run: async (joining) => {
      const { ours, theirs } = await join("DEALER", "DEALER", joining);
      return answered(ours, theirs, ["x"]);
    },
  },
  {
    ours: "DEALER",
    theirs: "ROUTER",
    run: async (joining) => {
      const { ours, theirs } = await join("DEALER", "ROUTER", joining);
      await theirs.call("echo");
      return echoed(ours, ["", "x"]);
    },
  },
  {
    ours: "ROUTER",
    theirs: "REQ",
    run: async (joining) => {
      const { ours, theirs } = await join("ROUTER", "REQ", joining);
      return answered(ours, theirs, []);
    },
  },
  {
    ours: "ROUTER",
    theirs: "DEALER",
    run: async (joining) => {
      const named = { ...joining, theirOptions: { identity: "them" } };
      const { ours, theirs } = await join("ROUTER", "DEALER", named);
      expectEqual("routing ids", ours.routingIds.map(String), ["them"]);
      return answered(ours, theirs, ["a", ""]);
    },
  },
  {
    ours: "ROUTER",
    theirs: "ROUTER",
    run: async (joining) => {
      const { ours, theirs } = await join("ROUTER", "ROUTER", {
        ...joining,
        ourOptions: { identity: "us" },
        theirOptions: { identity: "them" },
      });
      await theirs.call("echo");
      return echoed(ours, ["them", "x"]);
    },
  },
  ...(["PUB", "XPUB"] as const).flatMap((type) =>
    ["SUB", "XSUB"].map((theirType) => ({
      ours: type,
      theirs: theirType,
      run: (joining: Joining) => published(joining, type, theirType),
    })),
  ),
  ...["PUB", "XPUB"].flatMap((theirType): Talk[] => [
    {
      ours: "SUB",
      theirs: theirType,
      run: async (joining) => {
        const { ours, theirs } = await join("SUB", theirType, joining);
        await ours.subscribe("a");
        return subscribed(theirs, () => ours.receive(within));
      },
    },
    {
      ours: "XSUB",
      theirs: theirType,
      run: async (joining) => {
        const { ours, theirs } = await join("XSUB", theirType, joining);
        ours.subscribe("a");
        return subscribed(theirs, () => ours.receive(within));
      },
    },
  ]),
  {
    ours: "PUSH",
    theirs: "PULL",
    run: async (joining) => {
      const { ours, theirs } = await join("PUSH", "PULL", joining);
      const got = theirs.call("receiveMany", { count: count * 20 });
      for (let number = 0; number < count * 20; number++) await ours.send(numbered(number, size));
      expectEqual("wrong jobs", (await got)["wrong"], 0);
      return count * 20;
    },
  },
  {
    ours: "PULL",
    theirs: "PUSH",
    run: async (joining) => {
      const { ours, theirs } = await join("PULL", "PUSH", joining);
      await theirs.call("sendMany", { count: count * 20, size });
      for (let number = 0; number < count * 20; number++) {
        const { payload } = await ours.receive(within);
        expectEqual("number", numberOf(payload), number);
      }
      return count * 20;
    },
  },
  {
    ours: "PAIR",
    theirs: "PAIR",
    run: async (joining) => {
      const { ours, theirs } = await join("PAIR", "PAIR", joining);
      await theirs.call("echo");
      return echoed(ours, ["x", ""]);
    },
  },
];

/** Many requests at a time, though libzmq's REP answers one after the other. */
async function asked(joining: Joining, theirType: string): Promise<number> {
  const { ours, theirs } = await join("REQ", theirType, joining);
  await theirs.call("echo");
  const replies = Array.from({ length: count }, (_, number) =>
    ours.request(multipart(["head", numbered(number, size)]), within),
  );
  const numbers = (await Promise.all(replies)).map(({ parts: [head, body] }) => {
    expectEqual("head", String(head), "head");
    return numberOf(body ?? new Uint8Array(0));
  });
  expectEqual("numbers", numbers, [...replies.keys()]);
  return count * 2;
}

async function published(
  joining: Joining,
  type: "PUB" | "XPUB",
  theirType: string,
): Promise<number> {
  const { ours, theirs } = await join(type, theirType, joining);
  await theirs.subscribe("a");
  // libzmq's SUB sees a new connection, and tells it its subscriptions, only when it is asked for a message.
  const got = theirs.call("receiveMany", { count });
  if ("waitForSubscriber" in ours) await ours.waitForSubscriber("ab", within);
  else expectEqual("subscription", (await ours.receive(within)).text(), "\u0001a");
  const send = (topic: string, body: Payload): unknown =>
    "publish" in ours ? ours.publish(topic, body) : ours.send([topic, body]);
  for (let number = 0; number < count; number++) {
    await send("b", "not asked for");
    await send("ab", numbered(number, size));
  }
  expectEqual("wrong messages", (await got)["wrong"], 0);
  await theirs.unsubscribe("a");
  if ("waitForSubscriber" in ours) {
    await waitFor(() => ours.stats().subscriptions === 0, { what: "the subscription ended" });
  } else expectEqual("end", (await ours.receive(within)).text(), "\u0000a");
  expect(ours.peers.length === 1, "one peer is connected");
  return count;
}
