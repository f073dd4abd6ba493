import { RepSocket, ReqSocket, SubSocket } from "@msg-ts/core";
import { waitFor } from "@msg-ts/testing";
import {
  DealerSocket,
  PairSocket,
  proxy,
  RouterSocket,
  XPubSocket,
  XSubSocket,
  zmtp,
} from "@msg-ts/zmtp";
import { describe, expect, it } from "vitest";
import { closing, inproc, record, texts } from "./rig.ts";

async function textsOf(socket: {
  receive(options: { timeoutMs: number }): Promise<{ readonly parts: readonly Uint8Array[] }>;
}): Promise<string[]> {
  return texts((await socket.receive({ timeoutMs: 5_000 })).parts);
}

describe("DEALER and ROUTER", () => {
  it("know each other by the identity that the DEALER asks for", async () => {
    const net = inproc();
    const router = closing(new RouterSocket(net));
    const dealer = closing(new DealerSocket(net, { identity: "me" }));
    await router.bind("here");
    await dealer.connect("here");
    await dealer.send(["a", "", "b"]);
    expect(await textsOf(router)).toEqual(["me", "a", "", "b"]);
    await router.send(["me", "back"]);
    expect(await textsOf(dealer)).toEqual(["back"]);
  });

  it("hand messages to a callback, in order, and go on behind one that throws", async () => {
    const net = inproc();
    const router = closing(new RouterSocket(net));
    const dealer = closing(new DealerSocket(net, { identity: "me" }));
    const errors = record(router, "error");
    const seen: string[][] = [];
    const consumer = router.consume((message) => {
      seen.push(texts(message.parts));
      if (seen.length === 1) throw new Error("not this one");
    });
    expect(() => router.consume(() => {})).toThrow(
      expect.objectContaining({ code: "MSG_INVALID_STATE" }),
    );
    await router.bind("here");
    await dealer.connect("here");
    for (const text of ["a", "b"]) await dealer.send(text);
    await waitFor(() => seen.length === 2, { withinMs: 5_000, what: "both messages" });
    expect(seen).toEqual([
      ["me", "a"],
      ["me", "b"],
    ]);
    expect(errors.map(({ error }) => error.code)).toEqual(["MSG_HANDLER_FAILED"]);
    await consumer.stop();
    await dealer.send("c");
    expect(await textsOf(router)).toEqual(["me", "c"]);
  });

  it("have names made up where none is asked for, that nobody may ask for", async () => {
    const net = inproc();
    const router = closing(new RouterSocket(net));
    const dealers = [1, 2].map(() => closing(new DealerSocket(net)));
    await router.bind("here");
    for (const dealer of dealers) await dealer.connect("here");
    const ids = new Set<string>();
    for (const dealer of dealers) {
      await dealer.send("x");
      const [id = new Uint8Array(0)] = (await router.receive()).parts;
      expect([id.length, id[0]]).toEqual([5, 0]);
      ids.add(String(id));
      await router.send([id, "y"]);
      expect(await textsOf(dealer)).toEqual(["y"]);
    }
    expect(ids.size).toBe(2);
    expect(router.routingIds).toHaveLength(2);
  });

  it("refuse a second peer of the same identity, and say so", async () => {
    const net = inproc();
    const router = closing(new RouterSocket(net));
    const refused = record(router, "refused");
    const first = closing(new DealerSocket(net, { identity: "same" }));
    const second = closing(new DealerSocket(net, { identity: "same" }));
    await router.bind("here");
    await first.connect("here");
    await first.ready();
    await first.send("x");
    await textsOf(router);
    await second.connect("here");
    await waitFor(() => refused.length > 0, { what: "the second was refused" });
    expect(refused[0]?.error.message).toContain("has the identity of this one");
  });

  it("hand an identity over where that is wanted", async () => {
    const net = inproc();
    const router = closing(new RouterSocket(net, { handover: true }));
    const first = closing(
      new DealerSocket(net, { identity: "same", reconnect: { maxAttempts: 1 } }),
    );
    first.on("error", () => {});
    const second = closing(new DealerSocket(net, { identity: "same" }));
    await router.bind("here");
    await first.connect("here");
    await first.send("1");
    await textsOf(router);
    await second.connect("here");
    await second.send("2");
    expect(await textsOf(router)).toEqual(["same", "2"]);
    await router.send(["same", "to the second"]);
    expect(await textsOf(second)).toEqual(["to the second"]);
  });

  it("drop and count what is for nobody, or throw where that is wanted", async () => {
    const net = inproc();
    const router = closing(new RouterSocket(net));
    const strict = closing(new RouterSocket(net, { mandatory: true }));
    const dropped = record(router, "dropped");
    void router.send(["nobody", "x"]);
    expect(dropped.map(({ reason }) => reason)).toEqual(["unroutable"]);
    expect(router.stats().dropped).toEqual({ unroutable: 1 });
    expect(() => strict.send(["nobody", "x"])).toThrow("no peer has the id");
    expect(() => router.send("nobody")).toThrow("at least one part more");
  });

  it("keep messages until there is a peer, up to the high-water mark", async () => {
    const net = inproc();
    const dealer = closing(new DealerSocket(net, { sendHighWaterMark: 3 }));
    expect(dealer.trySend("nothing is connected to")).toBe(false);
    await dealer.connect("here");
    expect([1, 2, 3].map((i) => dealer.send(String(i)))).toEqual([undefined, undefined, undefined]);
    const fourth = dealer.send("4");
    expect(fourth).toBeInstanceOf(Promise);
    expect(dealer.stats().unsent).toBe(4);
    const router = closing(new RouterSocket(net));
    await router.bind("here");
    await fourth;
    for (let i = 1; i <= 4; i++) expect((await textsOf(router))[1]).toBe(String(i));
  });

  it("wait in the order of the calls, each with its own end", async () => {
    const net = inproc();
    const dealer = closing(new DealerSocket(net, { maxWaiting: 3 }));
    const abort = new AbortController();
    const first = dealer.send("1", { timeoutMs: 20 });
    const second = dealer.send("2", { signal: abort.signal });
    const third = dealer.send("3");
    expect(() => dealer.send("4")).toThrow("maxWaiting is 3");
    abort.abort(new Error("enough"));
    await expect(second).rejects.toThrow("enough");
    await expect(first).rejects.toMatchObject({ code: "MSG_TIMEOUT" });
    const router = closing(new RouterSocket(net));
    await router.bind("here");
    await dealer.connect("here");
    await third;
    expect((await textsOf(router))[1]).toBe("3");
  });

  it("take turns over peers, and give what never left to another", async () => {
    const net = inproc();
    const dealer = closing(new DealerSocket(net));
    await dealer.bind("here");
    const routers = [1, 2].map(() => closing(new RouterSocket(net)));
    for (const router of routers) await router.connect("here");
    await dealer.ready({ peers: 2 });
    for (let i = 0; i < 10; i++) await dealer.send(String(i));
    for (const [first, router] of routers.entries()) {
      const numbers: number[] = [];
      for (let i = 0; i < 5; i++) numbers.push(Number((await textsOf(router))[1]));
      expect(numbers).toEqual([0, 2, 4, 6, 8].map((number) => number + first));
    }
  });

  it("have no message without a part, nor one over the limit", () => {
    const dealer = closing(new DealerSocket(inproc(), { maxMessageBytes: 10 }));
    expect(() => dealer.send([])).toThrow("at least one");
    expect(() => dealer.send(["12345", "678901"])).toThrow("maxMessageBytes is 10");
    expect(() => dealer.send([{} as never])).toThrow("payload is Object");
  });

  it("talk to REP and REQ", async () => {
    const net = inproc();
    const rep = closing(new RepSocket(net, { protocol: zmtp() }));
    rep.serve((request) => `re ${request.text()}`);
    await rep.bind("rep");
    const dealer = closing(new DealerSocket(net));
    await dealer.connect("rep");
    await dealer.send(["way", "back", "", "x"]);
    expect(await textsOf(dealer)).toEqual(["way", "back", "", "re x"]);
    const router = closing(new RouterSocket(net));
    await router.bind("router");
    const req = closing(new ReqSocket(net, { protocol: zmtp() }));
    await req.connect("router");
    const reply = req.request("q");
    const { parts } = await router.receive();
    expect(texts(parts.slice(2))).toEqual(["", "q"]);
    await router.send([...parts.slice(0, 3), "a"]);
    expect((await reply).text()).toBe("a");
  });
});

describe("PAIR", () => {
  it("talks to one other, both ways", async () => {
    const net = inproc();
    const one = closing(new PairSocket(net));
    const other = closing(new PairSocket(net));
    await one.bind("here");
    await other.connect("here");
    await other.send(["a", "b"]);
    expect(await textsOf(one)).toEqual(["a", "b"]);
    await one.send("c");
    expect(await textsOf(other)).toEqual(["c"]);
  });

  it("sends a second one away, and tells of it", async () => {
    const net = inproc();
    const one = closing(new PairSocket(net));
    const refused = record(one, "refused");
    await one.bind("here");
    const [first, second] = [closing(new PairSocket(net)), closing(new PairSocket(net))];
    await first.connect("here");
    await first.send("x");
    await textsOf(one);
    await second.connect("here");
    await waitFor(() => refused.length > 0, { what: "the second was refused" });
    expect(refused[0]?.error.code).toBe("MSG_TOO_MANY_PEERS");
    await one.send("y");
    expect(await textsOf(first)).toEqual(["y"]);
  });
});

describe("XPUB and XSUB", () => {
  it("tell subscriptions as messages, the first and the last of each prefix", async () => {
    const net = inproc();
    const xpub = closing(new XPubSocket(net));
    await xpub.bind("here");
    const subs = [1, 2].map(() => closing(new XSubSocket(net)));
    for (const sub of subs) {
      await sub.connect("here");
      await sub.ready();
      sub.subscribe("a");
    }
    const seen = async (): Promise<number[]> => [...(await xpub.receive()).payload];
    expect(await seen()).toEqual([1, 97]);
    for (const sub of subs) await sub.close();
    expect(await seen()).toEqual([0, 97]);
    expect(xpub.stats().queued).toBe(0);
  });

  for (const [verbosity, count] of [
    ["edges", 2],
    ["all-subscriptions", 3],
    ["all", 4],
  ] as const) {
    it(`tell ${count} changes of two subscribers with verbosity "${verbosity}"`, async () => {
      const net = inproc();
      const xpub = closing(new XPubSocket(net, { verbosity }));
      await xpub.bind("here");
      const subs = [1, 2].map(() => closing(new XSubSocket(net)));
      for (const sub of subs) {
        await sub.connect("here");
        await sub.ready();
        sub.subscribe("fo");
      }
      await waitFor(() => xpub.stats().queued >= (verbosity === "edges" ? 1 : 2), {
        what: "both have subscribed",
      });
      for (const sub of subs) {
        sub.unsubscribe("fo");
        sub.subscribe("end");
      }
      const changes: string[] = [];
      for (let ends = 0; ends < (verbosity === "edges" ? 1 : 2);) {
        const text = (await xpub.receive({ timeoutMs: 5_000 })).text();
        if (text.endsWith("end")) ends++;
        else changes.push(text);
      }
      // The end of the second one may come behind the first one's "end".
      await waitFor(() => changes.length + xpub.stats().queued >= count, { what: "all came" });
      expect(changes.length + xpub.stats().queued).toBe(count);
    });
  }

  it("deliver by the beginning of the first part, and filter what was not asked for", async () => {
    const net = inproc();
    const xpub = closing(new XPubSocket(net));
    const xsub = closing(new XSubSocket(net));
    await xpub.bind("here");
    await xsub.connect("here");
    await xsub.ready();
    await xsub.send(new Uint8Array([1, 97]));
    await xpub.receive();
    await xpub.send(["b", "no"]);
    await xpub.send(["ab", "yes"]);
    expect(await textsOf(xsub)).toEqual(["ab", "yes"]);
    await xsub.send("a message to the publisher");
    expect(await textsOf(xpub)).toEqual(["a message to the publisher"]);
  });

  it("subscribe again after a lost connection", async () => {
    const net = inproc();
    const xsub = closing(new XSubSocket(net, { reconnect: { minDelayMs: 1, maxDelayMs: 5 } }));
    xsub.subscribe("a", "b");
    await xsub.connect("here");
    for (let round = 0; round < 3; round++) {
      const xpub = new XPubSocket(net);
      await xpub.bind("here");
      const seen = [(await xpub.receive()).text(), (await xpub.receive()).text()];
      expect(seen).toEqual(["\u0001a", "\u0001b"]);
      await xpub.close();
    }
  });

  it("throw with noDrop when a subscriber does not read, and send to nobody then", async () => {
    const net = inproc();
    const xpub = closing(new XPubSocket(net, { noDrop: true, sendHighWaterMark: 2 }));
    const xsub = closing(new XSubSocket(net));
    xsub.subscribe("");
    await xpub.bind("here");
    await xsub.connect("here");
    await xpub.receive();
    void xpub.send("1");
    void xpub.send("2");
    expect(() => xpub.send("3")).toThrow("do not read fast enough");
    expect([await textsOf(xsub), await textsOf(xsub)]).toEqual([["1"], ["2"]]);
  });
});

describe("a proxy", () => {
  it("passes requests to workers and answers back, and shows both to a capture", async () => {
    const net = inproc();
    const [front, back] = [closing(new RouterSocket(net)), closing(new DealerSocket(net))];
    await front.bind("front");
    await back.bind("back");
    const seen: string[][] = [];
    const capture = {
      send: (parts: readonly Uint8Array[]): undefined => void seen.push(texts(parts)),
    };
    const stop = new AbortController();
    const done = proxy(front, back, { capture, signal: stop.signal });
    const rep = closing(new RepSocket(net, { protocol: zmtp() }));
    rep.serve((request) => `re ${request.text()}`);
    await rep.connect("back");
    const req = closing(new ReqSocket(net, { protocol: zmtp() }));
    await req.connect("front");
    const replies = await Promise.all(["a", "b", "c"].map((text) => req.request(text)));
    expect(replies.map((reply) => reply.text())).toEqual(["re a", "re b", "re c"]);
    stop.abort();
    expect(await done).toEqual({ toBack: 3, toFront: 3 });
    expect(seen.filter((parts) => parts.at(-1)?.startsWith("re ") === true)).toHaveLength(3);
  });

  it("passes what is published one way, and subscriptions the other", async () => {
    const net = inproc();
    const [front, back] = [closing(new XSubSocket(net)), closing(new XPubSocket(net))];
    const source = closing(new XPubSocket(net));
    await source.bind("source");
    await front.connect("source");
    await front.ready();
    await back.bind("back");
    const done = proxy(front, back);
    const sub = closing(new SubSocket(net, { protocol: zmtp() }));
    await sub.connect("back");
    await sub.subscribe("a");
    expect((await source.receive()).text()).toBe("\u0001a");
    await source.send(["ab", "x"]);
    expect((await sub.receive()).text()).toBe("x");
    await front.close();
    await done;
  });
});
