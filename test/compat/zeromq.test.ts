/** zeromq.js' classes over our sockets, with libzmq in another process on the other side. */
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { Message, Socket } from "@msg-ts/zmtp/compat";
import {
  curveKeyPair,
  Dealer,
  Pair,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  Subscriber,
} from "@msg-ts/zmtp/compat";
import { describe, expect, it, onTestFinished } from "vitest";
import { nodeProgram, ZmqProcess } from "../interop/zeromq/zmq-peer.ts";

const anywhere = "tcp://127.0.0.1:*";

function closing<S extends Socket>(socket: S): S {
  onTestFinished(async () => {
    socket.linger = 0;
    await socket.close();
  });
  return socket;
}

function startPeer(): ZmqProcess {
  const peer = new ZmqProcess(nodeProgram);
  onTestFinished(() => peer.kill());
  return peer;
}

const texts = (parts: readonly Message[]): string[] => parts.map(String);

describe("with zeromq.js in another process", () => {
  it("Request and Reply ask and answer, whoever asks", async () => {
    const peer = startPeer();
    const theirs = await peer.open({ type: "REP", bind: anywhere });
    await theirs.call("echo");
    const request = closing(new Request());
    request.connect(theirs.endpoint);
    for (const word of ["a", "b", "c"]) {
      await request.send([word, "x"]);
      expect(texts(await request.receive())).toEqual([word, "x"]);
    }
    const reply = closing(new Reply());
    await reply.bind(anywhere);
    const asking = await peer.open({ type: "REQ", connect: reply.lastEndpoint ?? "" });
    const asked = asking.call("ask", { count: 50, size: 16 });
    for (let i = 0; i < 50; i++) await reply.send(await reply.receive());
    expect(await asked).toEqual({ right: 50 });
  });

  it("a Router there gets no number of ours before a request", async () => {
    const theirs = await startPeer().open({ type: "ROUTER", bind: anywhere });
    const request = closing(new Request({ routingId: "me" }));
    request.connect(theirs.endpoint);
    await request.send("q");
    expect(await theirs.receive()).toEqual(["me", "", "q"]);
    await theirs.send("me", "", "a");
    expect(texts(await request.receive())).toEqual(["a"]);
  });

  it("Dealer, Router and Pair talk", async () => {
    const peer = startPeer();
    const router = closing(new Router());
    await router.bind(anywhere);
    const dealer = await peer.open({
      type: "DEALER",
      connect: router.lastEndpoint ?? "",
      options: { identity: "them" },
    });
    await dealer.send("1", "2");
    expect(texts(await router.receive())).toEqual(["them", "1", "2"]);
    await router.send(["them", "3"]);
    expect(await dealer.receive()).toEqual(["3"]);
    for (const [ours, type] of [
      [closing(new Dealer()), "DEALER"],
      [closing(new Pair()), "PAIR"],
    ] as const) {
      const theirs = await peer.open({ type, bind: anywhere });
      ours.connect(theirs.endpoint);
      await ours.send("over");
      expect(await theirs.receive()).toEqual(["over"]);
      await theirs.send("back");
      expect(texts(await ours.receive())).toEqual(["back"]);
    }
  });

  it("Push and Pull move 2,000 messages each way, in order", async () => {
    const peer = startPeer();
    const theirPull = await peer.open({ type: "PULL", bind: anywhere });
    const push = closing(new Push());
    push.connect(theirPull.endpoint);
    const pull = closing(new Pull());
    await pull.bind(anywhere);
    const theirPush = await peer.open({ type: "PUSH", connect: pull.lastEndpoint ?? "" });
    const counted = theirPull.call("receiveMany", { count: 2_000 });
    const sent = theirPush.call("sendMany", { count: 2_000, size: 8 });
    const number = Buffer.alloc(8);
    for (let n = 0n; n < 2_000n; n++) {
      number.writeBigUInt64BE(n);
      await push.send(number);
      expect((await pull.receive())[0]?.readBigUInt64BE()).toBe(n);
    }
    await sent;
    expect(await counted).toEqual({ wrong: 0 });
  });

  it("Publisher and Subscriber find each other by prefix", async () => {
    const peer = startPeer();
    const theirs = await peer.open({ type: "PUB", bind: anywhere });
    const subscriber = closing(new Subscriber());
    subscriber.subscribe("news.");
    subscriber.connect(theirs.endpoint);
    await theirs.call("probe", { topic: "news.probe" });
    expect(texts(await subscriber.receive())).toEqual(["news.probe", "probe"]);
    const publisher = closing(new Publisher());
    await publisher.bind(anywhere);
    const theirSub = await peer.open({ type: "SUB", connect: publisher.lastEndpoint ?? "" });
    await theirSub.subscribe("one");
    const got = theirSub.receive();
    // A subscription of libzmq comes when it comes: what is published before is for nobody.
    do {
      await publisher.send("two part");
      await publisher.send("one part");
    } while ((await Promise.race([got, setTimeout(5)])) === undefined);
    expect(await got).toEqual(["one part"]);
  });

  it("CURVE seals what is sent", async () => {
    const [server, client] = [curveKeyPair(), curveKeyPair()];
    const pull = closing(new Pull({ curveServer: true, curveSecretKey: server.secretKey }));
    await pull.bind(anywhere);
    const theirs = await startPeer().open({
      type: "PUSH",
      connect: pull.lastEndpoint ?? "",
      options: {
        security: { name: "curve", role: "client", ...client, serverKey: server.publicKey },
      },
    });
    await theirs.send("sealed");
    expect(texts(await pull.receive())).toEqual(["sealed"]);
  });
});

describe("in a worker thread", () => {
  it("a receive that waits does not take the process along when the worker is terminated", async () => {
    const worker = new Worker(new URL("children/receiving-worker.ts", import.meta.url));
    const [address] = (await once(worker, "message")) as [string];
    const request = closing(new Request());
    request.connect(address);
    const waits = once(worker, "message");
    await request.send("x");
    expect(texts(await request.receive())).toEqual(["x"]);
    expect(await waits).toEqual(["waits"]);
    await expect(worker.terminate()).resolves.toBe(1);
  });
});
