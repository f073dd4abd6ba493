import { expectNoLeaks } from "@msg-ts/testing";
import { PubSocket, PullSocket, PushSocket, RepSocket, ReqSocket, SubSocket, Tcp } from "msg-ts";
import { describe, expect, it } from "vitest";
import { isSame, transports } from "../e2e/matrix.ts";
import { patterns } from "../e2e/patterns.ts";
import { patienceMs } from "../e2e/sockets.ts";
import { Child } from "./child.ts";

const timeout = 120_000;
const withinMs = 30_000;

const receivers = [
  () => new RepSocket(new Tcp()),
  () => new SubSocket(new Tcp()),
  () => new PullSocket(new Tcp()),
];
const kinds = [
  () => new ReqSocket(new Tcp()),
  () => new PubSocket(new Tcp()),
  () => new PushSocket(new Tcp()),
  ...receivers,
];

/** The code of what a call throws at once. */
function codeOf(call: () => unknown): unknown {
  try {
    call();
    return "nothing thrown";
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
}

describe("the end of a socket", { timeout }, () => {
  expectNoLeaks({ withinMs: patienceMs });

  for (const { name, network: newNetwork } of transports) {
    it(`a process with closed sockets exits by itself (${name})`, async () => {
      // Where its sockets listen is gone with the test.
      const folder = newNetwork()
        .address()
        .replace(/[^/]*$/, "");
      const child = new Child("six-sockets", { args: [name, folder] });
      await child.hear("that all are closed", withinMs);
      // Nothing that runs 30 s, such as a deadline nobody waits for, may be left.
      expect(await child.ended(15_000)).toBe(0);
      expect(child.errors).toBe("");
    });
  }

  for (const { name, network: newNetwork } of transports) {
    it(`ports and paths can be bound again at once after close (${name})`, async () => {
      const network = newNetwork();
      const ends = () => ({ transport: network.create(), compressor: undefined });
      let address = network.address();
      for (let round = 0; round < 5; round++) {
        for (const pattern of patterns) {
          const pair = pattern.create(ends(), ends());
          address = await pair.sender.bind(address);
          await pair.receiver.connect(address);
          expect(isSame("hello", await pair.roundTrip("hello"))).toBe(true);
          // At once, and with the peer still connected.
          await pair.sender.close({ lingerMs: round % 2 === 0 ? 1_000 : 0 });
          const again = pattern.create(ends(), ends());
          expect(await again.sender.bind(address)).toBe(address);
          await Promise.all([again.sender.close(), pair.receiver.close()]);
        }
      }
    });
  }

  it("may be asked for twice, and by `await using`", async () => {
    for (const create of kinds) {
      const socket = create();
      await socket.bind("127.0.0.1:0");
      const first = socket.close();
      expect(socket.close({ lingerMs: 0 })).toBe(first);
      expect(await first).toEqual({ unsent: 0, unacknowledged: 0 });
      await socket[Symbol.asyncDispose]();
      expect(await socket.close()).toEqual({ unsent: 0, unacknowledged: 0 });
    }
  });

  it("makes every call that would do something throw MSG_CLOSED at once", async () => {
    const req = new ReqSocket(new Tcp());
    const rep = new RepSocket(new Tcp());
    const pub = new PubSocket(new Tcp());
    const sub = new SubSocket(new Tcp());
    const push = new PushSocket(new Tcp());
    const pull = new PullSocket(new Tcp());
    const sockets = [req, rep, pub, sub, push, pull];
    await Promise.all(sockets.map((socket) => socket.close()));
    const calls: [name: string, call: () => unknown][] = [
      ["request", () => req.request("a")],
      ["serve", () => rep.serve(() => "")],
      ["rep.receive", () => rep.receive()],
      ["publish", () => pub.publish("a", "b")],
      ["waitForSubscriber", () => pub.waitForSubscriber("a")],
      ["subscribe", () => sub.subscribe("a")],
      ["unsubscribe", () => sub.unsubscribe("a")],
      ["sub.receive", () => sub.receive()],
      ["sub.consume", () => sub.consume(() => {})],
      ["send", () => push.send("a")],
      ["trySend", () => push.trySend("a")],
      ["pull.receive", () => pull.receive()],
      ["pull.consume", () => pull.consume(() => {})],
    ];
    for (const socket of sockets) {
      calls.push(
        [`${socket.type} bind`, () => socket.bind("127.0.0.1:0")],
        [`${socket.type} connect`, () => socket.connect("127.0.0.1:1")],
        [`${socket.type} ready`, () => socket.ready()],
      );
    }
    expect(calls.map(([name, call]) => [name, codeOf(call)])).toEqual(
      calls.map(([name]) => [name, "MSG_CLOSED"]),
    );
  });

  it("leaves what only looks or takes away harmless, and ends iterations", async () => {
    for (const create of kinds) {
      const socket = create();
      await socket.close();
      expect([socket.isClosed, socket.peers, socket.addresses]).toEqual([true, [], []]);
      expect(socket.stats().peers).toBe(0);
      expect(await socket.unbind("127.0.0.1:1")).toBe(false);
      expect(socket.disconnect("127.0.0.1:1")).toBe(false);
      await expect(socket.once("connected")).rejects.toMatchObject({ code: "MSG_CLOSED" });
    }
    for (const create of receivers) {
      const socket = create();
      await socket.close();
      expect(await socket[Symbol.asyncIterator]().next()).toMatchObject({ done: true });
      expect(await socket.batches().next()).toMatchObject({ done: true });
    }
  });

  it("dropped promises never end the process", async () => {
    const flags = ["--unhandled-rejections=strict"];
    const child = new Child("dropped-promises", { flags });
    expect(await child.hear("that it survived", withinMs)).toEqual({ hasSurvived: true });
    expect([await child.ended(15_000), child.errors]).toEqual([0, ""]);
  });
});
