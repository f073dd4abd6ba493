/** Options that change how messages wait, and what a socket says of that. */
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { waitFor } from "@msg-ts/testing";
import {
  Dealer,
  Proxy,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  Subscriber,
  XPublisher,
} from "@msg-ts/zmtp/compat";
import { anywhere, closing, join, texts } from "./compat-rig.ts";

const nobody = "tcp://127.0.0.1:1";

describe("immediate", () => {
  it("has send wait for a peer, and end with EAGAIN when none came in time", async () => {
    const push = closing(new Push({ immediate: true, sendTimeout: 20 }));
    push.connect(nobody);
    expect(push.writable).toBe(false);
    await expect(push.send("x")).rejects.toMatchObject({ code: "EAGAIN" });
    const pull = closing(new Pull());
    await pull.bind(anywhere);
    push.connect(pull.lastEndpoint ?? "");
    push.sendTimeout = -1;
    await push.send("y");
    expect(texts(await pull.receive())).toEqual(["y"]);
  });

  it("of a Request has send wait for a peer too", async () => {
    const request = closing(new Request({ immediate: true, sendTimeout: 20 }));
    request.connect(nobody);
    await expect(request.send("x")).rejects.toMatchObject({ code: "EAGAIN" });
    const reply = closing(new Reply());
    await reply.bind(anywhere);
    request.connect(reply.lastEndpoint ?? "");
    request.sendTimeout = -1;
    await request.send("y");
    expect(texts(await reply.receive())).toEqual(["y"]);
  });
});

describe("conflate", () => {
  it("of a Pull keeps the newest message of each Push", async () => {
    const pull = closing(new Pull({ conflate: true }));
    const pushes = ["a", "b"].map((name) => [name, closing(new Push())] as const);
    await pull.bind(anywhere);
    for (const [name, push] of pushes) {
      push.connect(pull.lastEndpoint ?? "");
      for (const n of [1, 2, 3]) await push.send(`${name}${n}`);
    }
    const seen = new Set<string>();
    while (!seen.has("a3") || !seen.has("b3")) {
      for (const text of texts(await pull.receive())) seen.add(text);
    }
    expect(pull.readable).toBe(false);
  });

  it("of a Push keeps the newest while nobody is there", async () => {
    const push = closing(new Push({ conflate: true }));
    const pull = closing(new Pull());
    await pull.bind(anywhere);
    const address = pull.lastEndpoint ?? "";
    await pull.unbind(address);
    push.connect(address);
    for (const n of ["1", "2", "3"]) await push.send(n);
    await pull.bind(address);
    expect(texts(await pull.receive())).toEqual(["3"]);
  });

  it("of a Publisher and a Subscriber loses what is old, and waits for nobody", async () => {
    const publisher = closing(new Publisher({ conflate: true }));
    const subscriber = closing(new Subscriber({ conflate: true }));
    subscriber.subscribe();
    await join(publisher, subscriber);
    const first = subscriber.receive();
    do await publisher.send("probe");
    while ((await Promise.race([first, delay(1)])) === undefined);
    const large = Buffer.alloc(100_000);
    for (let i = 0; i < 500; i++) await publisher.send(["old", large]);
    await publisher.send("newest");
    let got: string | undefined;
    let count = 0;
    while (got !== "newest") {
      [got] = texts(await subscriber.receive());
      count++;
    }
    expect(count).toBeLessThan(500);
  });
});

describe("probeRouter", () => {
  for (const SocketClass of [Dealer, Request]) {
    it(`has a Router know a ${SocketClass.name} before it says anything`, async () => {
      const router = closing(new Router());
      await join(router, closing(new SocketClass({ probeRouter: true, routingId: "me" })));
      expect(texts(await router.receive())).toEqual(["me", ""]);
    });
  }
});

describe("relaxed", () => {
  for (const correlate of [true, false]) {
    it(`gives the answer to the newest question, correlate ${correlate}`, async () => {
      const reply = closing(new Reply());
      const request = closing(new Request({ relaxed: true, correlate, reconnectInterval: 1 }));
      await join(reply, request);
      await request.send("first");
      const first = await reply.receive();
      await request.send("second");
      await reply.send(first);
      expect(texts(await reply.receive())).toEqual(["second"]);
      await reply.send("answer");
      expect(texts(await request.receive())).toEqual(["answer"]);
    });
  }
});

describe("a peer that does not read", () => {
  const small = { receiveHighWaterMark: 1 };

  it("has a mandatory Router wait as long as sendTimeout says, and loses nothing", async () => {
    const router = closing(new Router({ mandatory: true, sendHighWaterMark: 1 }));
    const dealer = closing(new Dealer({ routingId: "slow", ...small }));
    await join(router, dealer);
    await dealer.send("here");
    await router.receive();
    router.sendTimeout = 50;
    const large = Buffer.alloc(1_000_000);
    let sent = 0;
    const fill = async (): Promise<void> => {
      for (;;) {
        await router.send(["slow", String(sent), large]);
        sent++;
      }
    };
    await expect(fill()).rejects.toMatchObject({ code: "EAGAIN" });
    router.sendTimeout = -1;
    const late = router.send(["slow", String(sent), large]);
    for (let n = 0; n <= sent; n++) expect(String((await dealer.receive())[0])).toBe(String(n));
    await late;
  });

  it("has a Publisher with noDrop wait, and loses nothing", async () => {
    const publisher = closing(new XPublisher({ noDrop: true, sendHighWaterMark: 1 }));
    const subscriber = closing(new Subscriber(small));
    subscriber.subscribe();
    await join(publisher, subscriber);
    await publisher.receive();
    publisher.sendTimeout = 50;
    const large = Buffer.alloc(1_000_000);
    let sent = 0;
    const fill = async (): Promise<void> => {
      for (;;) {
        await publisher.send([String(sent), large]);
        sent++;
      }
    };
    await expect(fill()).rejects.toMatchObject({ code: "EAGAIN" });
    publisher.sendTimeout = -1;
    const late = publisher.send([String(sent), large]);
    for (let n = 0; n <= sent; n++) expect(String((await subscriber.receive())[0])).toBe(String(n));
    await late;
  });
});

describe("a Request that is closed", () => {
  it("does not wait for answers, but for what it asked to be sent", async () => {
    const reply = closing(new Reply());
    const request = new Request({ linger: 20_000 });
    await join(reply, request);
    await request.send("last words");
    const closed = request.close();
    expect(texts(await reply.receive())).toEqual(["last words"]);
    const startMs = performance.now();
    await closed;
    expect(performance.now() - startMs).toBeLessThan(10_000);
  });
});

describe("a Proxy", () => {
  it("leaves messages in its sockets while it pauses, and passes them on in order", async () => {
    const proxy = new Proxy(closing(new Pull()), closing(new Push()));
    await proxy.frontEnd.bind(anywhere);
    await proxy.backEnd.bind(anywhere);
    const running = proxy.run();
    const [push, pull] = [closing(new Push()), closing(new Pull())];
    push.connect(proxy.frontEnd.lastEndpoint ?? "");
    pull.connect(proxy.backEnd.lastEndpoint ?? "");
    await push.send("0");
    expect(texts(await pull.receive())).toEqual(["0"]);
    proxy.pause();
    proxy.pause();
    for (const n of ["1", "2", "3"]) await push.send(n);
    await waitFor(() => proxy.frontEnd.readable, { what: "they wait" });
    expect(pull.readable).toBe(false);
    proxy.resume();
    proxy.resume();
    for (const n of ["1", "2", "3"]) expect(texts(await pull.receive())).toEqual([n]);
    proxy.pause();
    proxy.terminate();
    await running;
  });

  it("of one direction ends when its receiving end is closed, without another message", async () => {
    const proxy = new Proxy(closing(new Pull()), closing(new Push()));
    await proxy.frontEnd.bind(anywhere);
    await proxy.backEnd.bind(anywhere);
    const running = proxy.run();
    await proxy.backEnd.close();
    await running;
    expect(proxy.frontEnd.closed).toBe(true);
  });

  it("does not run when an end is not bound, not connected, or closed", async () => {
    const proxy = new Proxy(closing(new Pull()), closing(new Push()));
    await expect(proxy.run()).rejects.toThrow("the front end must be open");
    await proxy.frontEnd.bind(anywhere);
    await expect(proxy.run()).rejects.toThrow("the back end must be open");
  });
});

describe("a Subscriber", () => {
  it("may be told its options after it subscribed, until it connects", async () => {
    const publisher = closing(new XPublisher());
    const subscriber = closing(new Subscriber());
    subscriber.subscribe("a", Buffer.from("b"), "c");
    subscriber.unsubscribe("c");
    subscriber.receiveHighWaterMark = 5;
    await join(publisher, subscriber);
    const told = [await publisher.receive(), await publisher.receive()].map(([m]) => String(m));
    expect(told.toSorted()).toEqual(["\u0001a", "\u0001b"]);
    expect(() => (subscriber.receiveHighWaterMark = 6)).toThrow("is fixed");
    expect(() => subscriber.subscribe({} as never)).toThrow("must be bytes");
    await subscriber.close();
    expect(() => subscriber.subscribe("a")).toThrow("is closed");
  });
});

describe("what a socket says of itself", () => {
  it("is whether it could receive or send now", async () => {
    const [push, pull] = [closing(new Push({ sendHighWaterMark: 1 })), closing(new Pull())];
    expect([push.writable, pull.readable]).toEqual([false, false]);
    push.connect(nobody);
    expect(push.writable).toBe(true);
    await push.send("x");
    expect(push.writable).toBe(false);
    const [request, reply] = [closing(new Request()), closing(new Reply())];
    await join(reply, request);
    expect([request.writable, reply.writable]).toEqual([true, false]);
    await request.send("x");
    await waitFor(() => reply.readable, { what: "the question came" });
    await reply.receive();
    expect([reply.readable, reply.writable]).toEqual([false, true]);
    await reply.send("y");
    await waitFor(() => request.readable, { what: "the answer came" });
    await request.close();
    expect([request.readable, request.writable]).toEqual([false, false]);
  });

  it("is what it proves itself by", () => {
    expect(closing(new Push()).securityMechanism).toBe(null);
    expect(closing(new Push({ plainUsername: "u" })).securityMechanism).toBe("plain");
    expect(closing(new Push({ curveServerKey: "k" })).securityMechanism).toBe("curve");
  });
});

describe("a Router that connects", () => {
  it("knows the peer there by the name it is told, also after it came back", async () => {
    const router = closing(new Router({ mandatory: true, reconnectInterval: 1 }));
    let dealer = new Dealer();
    await dealer.bind(anywhere);
    const address = dealer.lastEndpoint ?? "";
    router.connect(address, { routingId: "them" });
    for (const text of ["first", "second"]) {
      const send = (): Promise<boolean> => router.send(["them", text]).then(...outcome);
      // Nobody is there before the connection stands.
      while (!(await send())) await delay(1);
      expect(texts(await dealer.receive())).toEqual([text]);
      await dealer.close();
      dealer = closing(new Dealer());
      await dealer.bind(address);
    }
    expect(() => router.connect(address, { routingId: "" })).toThrow("routingId is empty");
  });
});

const outcome = [() => true, () => false] as const;
