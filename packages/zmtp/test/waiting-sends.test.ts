/** Sockets whose `send` waits for peers, or keeps only what is new, and what ends the waiting. */
import { PubSocket, ReqSocket } from "@msg-ts/core";
import { waitFor } from "@msg-ts/testing";
import { DealerSocket, RouterSocket, XPubSocket, XSubSocket, zmtp } from "@msg-ts/zmtp";
import { describe, expect, it } from "vitest";
import { closing, inproc, texts } from "./rig.ts";

const code = (name: string): unknown => expect.objectContaining({ code: name });

/** A ROUTER whose DEALER has no room for one message more. */
async function fullRouter(maxWaiting = 8_192) {
  const net = inproc();
  const options = { mandatory: true, sendHighWaterMark: 1, maxWaiting };
  const router = closing(new RouterSocket(net, options));
  const dealer = closing(new DealerSocket(net, { identity: "d", receiveHighWaterMark: 1 }));
  await router.bind("here");
  await dealer.connect("here");
  await dealer.send("here");
  await router.receive();
  let sent = 0;
  // The event loop has its turn, so that what can be taken is.
  while (await isSent(router.send(["d", String(sent)], { timeoutMs: 50 }))) sent++;
  return { router, dealer, sent };
}

async function isSent(sending: undefined | Promise<void>): Promise<boolean> {
  return sending === undefined || sending.then(...outcome);
}

const outcome = [() => true, () => false] as const;

describe("a mandatory ROUTER whose peer does not read", () => {
  it("throws when no time is given, and overtakes nobody who waits", async () => {
    const { router, dealer, sent } = await fullRouter();
    expect(() => router.send(["d", "now"])).toThrow(code("MSG_HIGH_WATER_MARK"));
    const late = [1, 2].map((n) => router.send(["d", `late ${n}`], { timeoutMs: 20_000 }));
    const seen: string[] = [];
    while (seen.length < sent + 2) seen.push(...texts((await dealer.receive()).parts));
    expect(seen.slice(sent)).toEqual(["late 1", "late 2"]);
    for (const call of late) await call;
  });

  it("rejects with MSG_TIMEOUT, the reason of a signal, or MSG_CLOSED", async () => {
    const { router } = await fullRouter();
    await expect(router.send(["d", "x"], { timeoutMs: 1 })).rejects.toThrow("within 1 ms");
    const controller = new AbortController();
    const given = router.send(["d", "x"], { timeoutMs: 20_000, signal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(given).rejects.toThrow("enough");
    const aborted = router.send(["d", "x"], { timeoutMs: 20_000, signal: controller.signal });
    await expect(aborted).rejects.toThrow("enough");
    const left = router.send(["d", "x"], { timeoutMs: 20_000 });
    await router.close({ lingerMs: 0 });
    await expect(left).rejects.toMatchObject({ code: expect.stringMatching(/CLOSED|NO_PEER/) });
  });

  it("rejects with MSG_NO_PEER when the peer goes", async () => {
    const { router, dealer } = await fullRouter();
    const waiting = router.send(["d", "x"], { timeoutMs: 20_000 });
    await dealer.close({ lingerMs: 0 });
    await expect(waiting).rejects.toMatchObject({ code: "MSG_NO_PEER" });
  });

  it("has no more than maxWaiting wait", async () => {
    const { router } = await fullRouter(1);
    const waiting = router.send(["d", "x"], { timeoutMs: 20_000 });
    expect(() => router.send(["d", "y"], { timeoutMs: 1 })).toThrow("maxWaiting is 1");
    await router.close({ lingerMs: 0 });
    await expect(waiting).rejects.toBeInstanceOf(Error);
  });
});

describe("an XPUB with noDrop", () => {
  it("goes on with those that wait when the slow subscriber is gone", async () => {
    const net = inproc();
    const xpub = closing(new XPubSocket(net, { noDrop: true, sendHighWaterMark: 1 }));
    const xsub = closing(new XSubSocket(net, { receiveHighWaterMark: 1 }));
    xsub.subscribe("");
    await xpub.bind("here");
    await xsub.connect("here");
    await xpub.receive();
    while (await isSent(xpub.send("x", { timeoutMs: 50 })));
    const waiting = xpub.send("y", { timeoutMs: 20_000 });
    await xsub.close({ lingerMs: 0 });
    await waiting;
    expect(xpub.stats().dropped["no-subscriber"]).toBe(1);
  });
});

describe("a DEALER", () => {
  it("with immediate waits for a peer, though it is connected to", async () => {
    const net = inproc();
    const dealer = closing(new DealerSocket(net, { immediate: true }));
    await dealer.connect("here");
    expect([dealer.isWritable, dealer.trySend("x")]).toEqual([false, false]);
    await expect(dealer.send("x", { timeoutMs: 1 })).rejects.toMatchObject({ code: "MSG_TIMEOUT" });
    const other = closing(new DealerSocket(net));
    await other.bind("here");
    await dealer.send("y");
    expect(texts((await other.receive()).parts)).toEqual(["y"]);
  });

  it("with conflate counts what gave way, sent and received", async () => {
    const net = inproc();
    const [one, other] = [1, 2].map(() => closing(new DealerSocket(net, { conflate: true })));
    if (one === undefined || other === undefined) throw new Error("two were made");
    await one.connect("here");
    for (const text of ["1", "2", "3"]) await one.send(text);
    expect(one.stats().dropped["conflated"]).toBe(2);
    await other.bind("here");
    await waitFor(() => other.stats().queued === 1, { what: "the newest came" });
    await one.send("4");
    await waitFor(() => other.stats().dropped["conflated"] === 1, { what: "it gave way" });
    expect(texts((await other.receive()).parts)).toEqual(["4"]);
    expect(other.stats()).toMatchObject({ queued: 0, queuedBytes: 0 });
  });

  it("takes a high-water mark over that of PUSH", () => {
    expect(() => closing(new DealerSocket(inproc(), { sendHighWaterMark: 1e6 }))).not.toThrow();
  });
});

describe("options", () => {
  it("are refused where they mean nothing, or are of the wrong type", () => {
    const protocol = zmtp({ probeRouter: true });
    expect(() => new PubSocket(inproc(), { protocol })).toThrow("only REQ, DEALER, ROUTER");
    closing(new ReqSocket(inproc(), { protocol }));
    for (const name of ["immediate", "conflate", "probeRouter"]) {
      const make = (): unknown => new DealerSocket(inproc(), { [name]: 1 });
      expect(make).toThrow(code("MSG_INVALID_OPTION"));
    }
  });

  it("routingId of connect is a name that a ROUTER can give", () => {
    const router = closing(new RouterSocket(inproc()));
    for (const routingId of ["", "\u0000a", "x".repeat(256)]) {
      expect(() => router.connect("here", { routingId })).toThrow(code("MSG_INVALID_ARGUMENT"));
    }
  });
});
