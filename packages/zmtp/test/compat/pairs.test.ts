import { Buffer } from "node:buffer";
import { describe, expect, it } from "vitest";
import {
  Dealer,
  Pair,
  Proxy,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  Subscriber,
  XPublisher,
  XSubscriber,
} from "@msg-ts/zmtp/compat";
import { anywhere, closing, join, texts } from "./compat-rig.ts";

const words = ["foo", "bar", "baz", "qux"];

describe("over TCP, from bound and connected sockets of this layer", () => {
  it("Request and Reply talk, in parts", async () => {
    const [reply, request] = [closing(new Reply()), closing(new Request())];
    await join(reply, request);
    for (const word of words) {
      await request.send([word, "more"]);
      const asked = await reply.receive();
      expect(texts(asked)).toEqual([word, "more"]);
      expect(Buffer.isBuffer(asked[0])).toBe(true);
      await reply.send(word.toUpperCase());
      expect(texts(await request.receive())).toEqual([word.toUpperCase()]);
    }
  });

  it("a Router sees of a Request its name, a delimiter and the message", async () => {
    const router = closing(new Router());
    const request = closing(new Request({ routingId: "me" }));
    await join(router, request);
    await request.send("question");
    const [id, delimiter, body] = await router.receive();
    expect([String(id), String(delimiter), String(body)]).toEqual(["me", "", "question"]);
    await router.send([id ?? null, null, "answer"]);
    expect(texts(await request.receive())).toEqual(["answer"]);
  });

  it("Router and Dealer talk", async () => {
    const router = closing(new Router());
    const dealer = closing(new Dealer({ routingId: "d" }));
    await join(router, dealer);
    await dealer.send(["a", "b"]);
    expect(texts(await router.receive())).toEqual(["d", "a", "b"]);
    await router.send(["d", "c"]);
    expect(texts(await dealer.receive())).toEqual(["c"]);
  });

  it("a mandatory Router says that nobody has a name", async () => {
    const router = closing(new Router({ mandatory: true }));
    await router.bind(anywhere);
    await expect(router.send(["nobody", "x"])).rejects.toMatchObject({ code: "EHOSTUNREACH" });
  });

  for (const bound of ["Push", "Pull"]) {
    it(`Push and Pull talk, ${bound} bound`, async () => {
      const [push, pull] = [closing(new Push()), closing(new Pull())];
      await (bound === "Push" ? join(push, pull) : join(pull, push));
      for (const word of words) await push.send(word);
      for (const word of words) expect(texts(await pull.receive())).toEqual([word]);
    });
  }

  it("Pair and Pair talk, both ways at a time", async () => {
    const [one, other] = [closing(new Pair()), closing(new Pair())];
    await join(one, other);
    await Promise.all([...words.map((w) => one.send(w)), ...words.map((w) => other.send(w))]);
    for (const word of words) {
      expect(texts(await one.receive())).toEqual([word]);
      expect(texts(await other.receive())).toEqual([word]);
    }
  });

  it("a Subscriber of a Publisher gets what it subscribed to, and no more after its end", async () => {
    const publisher = closing(new XPublisher());
    const subscriber = closing(new Subscriber());
    subscriber.subscribe("fo", "ba");
    await join(publisher, subscriber);
    const seen = [await publisher.receive(), await publisher.receive()].map(([m]) => String(m));
    expect(seen.toSorted()).toEqual(["\u0001ba", "\u0001fo"]);
    for (const word of words) await publisher.send([word, "x"]);
    for (const word of ["foo", "bar", "baz"]) {
      expect(texts(await subscriber.receive())).toEqual([word, "x"]);
    }
    subscriber.unsubscribe("ba");
    expect(texts(await publisher.receive())).toEqual(["\u0000ba"]);
    for (const word of words.toReversed()) await publisher.send(word);
    expect(texts(await subscriber.receive())).toEqual(["foo"]);
  });

  it("an XSubscriber subscribes at a Publisher by a message", async () => {
    const publisher = closing(new Publisher());
    const subscriber = closing(new XSubscriber({ receiveTimeout: 20 }));
    await join(publisher, subscriber);
    await subscriber.send("\u0001");
    let got: string[] = [];
    for (let tries = 0; tries < 200 && got.length === 0; tries++) {
      await publisher.send("hello");
      got = await subscriber.receive().then(texts, () => []);
    }
    expect(got).toEqual(["hello"]);
  });

  it("a Proxy passes requests on, and closes its sockets when it ends", async () => {
    const proxy = new Proxy(closing(new Router()), closing(new Dealer()));
    await proxy.frontEnd.bind(anywhere);
    await proxy.backEnd.bind(anywhere);
    const running = proxy.run();
    const [request, reply] = [closing(new Request()), closing(new Reply())];
    request.connect(proxy.frontEnd.lastEndpoint ?? "");
    reply.connect(proxy.backEnd.lastEndpoint ?? "");
    await request.send("ping");
    expect(texts(await reply.receive())).toEqual(["ping"]);
    await reply.send("pong");
    expect(texts(await request.receive())).toEqual(["pong"]);
    proxy.terminate();
    await running;
    expect([proxy.frontEnd.closed, proxy.backEnd.closed]).toEqual([true, true]);
  });

  it("a Proxy passes jobs on in one direction, and subscriptions and news in two", async () => {
    const jobs = new Proxy(closing(new Pull()), closing(new Push()));
    const news = new Proxy(closing(new XSubscriber()), closing(new XPublisher()));
    for (const { frontEnd, backEnd } of [jobs, news]) {
      await frontEnd.bind(anywhere);
      await backEnd.bind(anywhere);
    }
    const running = [jobs.run(), news.run()];
    const [push, pull] = [closing(new Push()), closing(new Pull())];
    push.connect(jobs.frontEnd.lastEndpoint ?? "");
    pull.connect(jobs.backEnd.lastEndpoint ?? "");
    await push.send(["a", "job"]);
    expect(texts(await pull.receive())).toEqual(["a", "job"]);
    const [publisher, subscriber] = [closing(new XPublisher()), closing(new Subscriber())];
    publisher.connect(news.frontEnd.lastEndpoint ?? "");
    subscriber.connect(news.backEnd.lastEndpoint ?? "");
    subscriber.subscribe("n");
    expect(texts(await publisher.receive())).toEqual(["\u0001n"]);
    await publisher.send("news");
    expect(texts(await subscriber.receive())).toEqual(["news"]);
    for (const proxy of [jobs, news]) proxy.terminate();
    await Promise.all(running);
    for (const call of ["pause", "resume", "terminate"] as const) {
      expect(() => jobs[call]()).toThrow("does not run");
    }
    await expect(jobs.run()).rejects.toMatchObject({ code: "EINVAL" });
  });
});

describe("what may be sent", () => {
  it("is bytes of any kind, text, numbers and null", async () => {
    const [push, pull] = [closing(new Push()), closing(new Pull())];
    await join(pull, push);
    const view = new DataView(new Uint8Array([1, 2, 3]).buffer, 1, 1);
    await push.send([Buffer.from("b"), new Uint16Array([0x4141]), view, "t", 12, null]);
    const parts = (await pull.receive()).map((part) => part.toString("latin1"));
    expect(parts).toEqual(["b", "AA", "\u0002", "t", "12", ""]);
  });

  it("is refused where zeromq.js would send [object Object], or never resolve", async () => {
    const push = closing(new Push());
    await expect(push.send({} as never)).rejects.toMatchObject({ code: "EINVAL" });
    await expect(push.send([])).rejects.toMatchObject({ code: "EINVAL" });
  });

  it("may be changed afterwards, up to 1,024 bytes", async () => {
    const [push, pull] = [closing(new Push()), closing(new Pull())];
    await join(pull, push);
    const bytes = Buffer.from("before");
    const sent = push.send(bytes);
    bytes.fill("x");
    await sent;
    expect(texts(await pull.receive())).toEqual(["before"]);
  });
});
