import { describe, expect, it } from "vitest";
import type { RawEnd } from "../scene.ts";
import { Outcome, record, Scene } from "../scene.ts";
import { SlowCompressor } from "../slow-compressor.ts";

function withCode(code: string): Error {
  return expect.objectContaining({ code }) as Error;
}

/** A SUB that dialed a raw PUB. */
async function setUp(options: Parameters<Scene["sub"]>[0] = {}) {
  const scene = new Scene();
  const ends = await scene.rawListen();
  const sub = scene.sub({ heartbeatMs: Infinity, ...options });
  await sub.connect("here");
  await scene.settle();
  const [end] = ends;
  if (end === undefined) throw new Error("nobody dialed");
  return { scene, sub, end, ends };
}

/** What it asked for, shortened: `+topic`, `-topic`, `EXT`. */
function asked(end: RawEnd | undefined): string[] {
  return (end?.frames("PUB") ?? []).map((frame) => {
    if (frame.type === "subscribe") return `+${frame.topic}`;
    if (frame.type === "unsubscribe") return `-${frame.topic}`;
    return frame.type === "extensions" ? "EXT" : frame.type;
  });
}

/** Says what a PUB of ours says first. */
function beOurs(end: RawEnd): void {
  end.send({ type: "mark", sequence: 0 });
}

function acknowledge(end: RawEnd, topic: string, sequence = 0): void {
  end.send({ type: "subscribed", topic, sequence });
}

describe("subscribing to what cannot be subscribed to", () => {
  for (const topic of ["MSG", "MSG.SUB.a", "a.>.b", "x".repeat(65_526), "\udfff", undefined, 5]) {
    it(`throws MSG_INVALID_TOPIC for ${JSON.stringify(topic)?.slice(0, 20)}`, () => {
      const sub = new Scene().sub();
      expect(() => sub.subscribe(topic as string)).toThrow(withCode("MSG_INVALID_TOPIC"));
      expect(() => sub.unsubscribe(topic as string)).toThrow(withCode("MSG_INVALID_TOPIC"));
      expect(sub.subscriptions).toEqual([]);
    });
  }

  for (const timeoutMs of [-1, Number.NaN, 2 ** 31]) {
    it(`throws for timeoutMs ${timeoutMs}, and subscribes to nothing`, () => {
      const sub = new Scene().sub();
      expect(() => sub.subscribe("a", { timeoutMs })).toThrow(withCode("MSG_INVALID_OPTION"));
      expect(sub.subscriptions).toEqual([]);
    });
  }

  it("is false for unsubscribing from what was not subscribed to", () => {
    expect(new Scene().sub().unsubscribe("a")).toBe(false);
  });
});

describe("subscribe", () => {
  it("tells a publisher what we are, and then every topic, in order", async () => {
    const scene = new Scene();
    const sub = scene.sub();
    for (const topic of ["a", "b.*", ">"]) void sub.subscribe(topic);
    const ends = await scene.rawListen();
    await sub.connect("here");
    await scene.settle();
    void sub.subscribe("c");
    expect(sub.unsubscribe("a")).toBe(true);
    await scene.settle();
    expect(asked(ends[0])).toEqual(["EXT", "+a", "+b.*", "+>", "+c", "-a"]);
    expect([sub.subscriptions, sub.stats().subscriptions]).toEqual([["b.*", ">", "c"], 3]);
  });

  it("counts: the last unsubscribe ends it", async () => {
    const { scene, sub, end } = await setUp();
    void sub.subscribe("a");
    void sub.subscribe("a");
    expect([sub.unsubscribe("a"), sub.unsubscribe("a"), sub.unsubscribe("a")]).toEqual([
      true,
      true,
      false,
    ]);
    await scene.settle();
    expect(asked(end)).toEqual(["EXT", "+a", "-a"]);
  });

  it("resolves when the publisher acknowledged it, and not for another topic", async () => {
    const { scene, sub, end } = await setUp();
    beOurs(end);
    const outcome = new Outcome(sub.subscribe("a"));
    acknowledge(end, "b");
    await scene.pass(1_000);
    expect(outcome.isSettled).toBe(false);
    acknowledge(end, "a");
    await scene.settle();
    expect([outcome.isSettled, outcome.error]).toEqual([true, undefined]);
    await sub.subscribe("a");
  });

  it("resolves only for the acknowledgement of the last time it was asked for", async () => {
    const { scene, sub, end } = await setUp();
    beOurs(end);
    void sub.subscribe("a");
    sub.unsubscribe("a");
    const outcome = new Outcome(sub.subscribe("a"));
    acknowledge(end, "a");
    await scene.settle();
    expect(outcome.isSettled).toBe(false);
    acknowledge(end, "a");
    await scene.settle();
    expect(outcome.isSettled).toBe(true);
  });

  it("waits for all publishers that are connected, and not for one that goes", async () => {
    const { scene, sub, end } = await setUp();
    const there = await scene.rawListen("there");
    await sub.connect("there");
    await scene.settle();
    beOurs(end);
    const [other] = there;
    if (other !== undefined) beOurs(other);
    const outcome = new Outcome(sub.subscribe("a"));
    acknowledge(end, "a");
    await scene.settle();
    expect(outcome.isSettled).toBe(false);
    other?.link.destroy();
    await scene.settle();
    expect([outcome.isSettled, outcome.error]).toEqual([true, undefined]);
  });

  it("rejects after 5 s by default when no publisher is there, and stays subscribed", async () => {
    const scene = new Scene();
    const sub = scene.sub();
    const outcome = new Outcome(sub.subscribe("a", { timeoutMs: undefined }));
    await scene.pass(4_999);
    expect(outcome.isSettled).toBe(false);
    await scene.pass(1);
    expect(outcome.error).toMatchObject({
      code: "MSG_TIMEOUT",
      message: '"a" is not active after 5000 ms: no publisher is connected; it stays subscribed',
    });
    expect(sub.subscriptions).toEqual(["a"]);
  });

  it("rejects with the signal's reason and when the socket is closed, and stays subscribed", async () => {
    const scene = new Scene();
    const sub = scene.sub();
    const reason = new Error("no more");
    const aborted = new Outcome(sub.subscribe("a", { signal: AbortSignal.abort(reason) }));
    const closed = new Outcome(sub.subscribe("b"));
    expect(sub.subscriptions).toEqual(["a", "b"]);
    await sub.close();
    expect([aborted.error, closed.code]).toEqual([reason, "MSG_CLOSED"]);
  });

  it("takes a publisher that never acknowledges for one of msg-rs after half a second", async () => {
    const { scene, sub } = await setUp();
    const outcome = new Outcome(sub.subscribe("a"));
    await scene.pass(499);
    expect(outcome.isSettled).toBe(false);
    await scene.pass(1);
    expect([outcome.isSettled, outcome.error]).toEqual([true, undefined]);
    await sub.subscribe("b");
  });
});

describe("a connection that is lost and made again", () => {
  it("has every topic sent again, and tells of a gap that nobody can count", async () => {
    const { scene, sub, ends } = await setUp();
    const gaps = record(sub, "gap");
    const topics = Array.from({ length: 2_000 }, (_, index) => `topic.${index}`);
    for (const topic of topics) void sub.subscribe(topic);
    for (const topic of topics.splice(0, 100)) sub.unsubscribe(topic);
    await scene.settle();
    expect(gaps).toEqual([]);
    for (let round = 1; round <= 3; round++) {
      scene.network.cut();
      await scene.pass(5_000);
      expect(asked(ends[round])).toEqual(["EXT", ...topics.map((topic) => `+${topic}`)]);
      expect(gaps.map(({ lost }) => lost)).toEqual(Array(round).fill(undefined));
    }
    expect(sub.stats()).toMatchObject({ uncountedGaps: 3, lost: 0 });
  });

  it("has subscribe wait for the acknowledgement of the new one", async () => {
    const { scene, sub, end, ends } = await setUp();
    beOurs(end);
    const outcome = new Outcome(sub.subscribe("a", { timeoutMs: 60_000 }));
    scene.network.cut();
    await scene.pass(200);
    const [, again] = ends;
    if (again !== undefined) beOurs(again);
    await scene.pass(1_000);
    expect(outcome.isSettled).toBe(false);
    if (again !== undefined) acknowledge(again, "a");
    await scene.settle();
    expect(outcome.isSettled).toBe(true);
  });

  it("is numbered from 0 again", async () => {
    const { scene, sub, end, ends } = await setUp();
    const gaps = record(sub, "gap");
    void sub.subscribe("a");
    for (let sequence = 0; sequence < 5; sequence++) end.message("a", sequence);
    await scene.settle();
    scene.network.cut();
    await scene.pass(1_000);
    ends[1]?.message("a", 0);
    await scene.settle();
    expect(gaps.map(({ lost }) => lost)).toEqual([undefined]);
    expect(sub.stats().messagesReceived).toBe(6);
  });
});

describe("what is lost", () => {
  it("is counted exactly by the numbers of what comes, over the wrap", async () => {
    const { scene, sub, end } = await setUp();
    const gaps = record(sub, "gap");
    for (const sequence of [0, 1, 5, 6, 0xffff_ffff, 0, 2]) end.message("a", sequence);
    await scene.settle();
    expect(gaps.map(({ lost }) => lost)).toEqual([3, 0xffff_ffff - 7, 1]);
    expect(sub.stats()).toMatchObject({
      lost: 3 + (0xffff_ffff - 7) + 1,
      messagesReceived: 7,
      uncountedGaps: 0,
    });
  });

  it("is told before the message behind it is given out", async () => {
    const { scene, sub, end } = await setUp();
    const told: string[] = [];
    sub.on("gap", ({ lost }) => void told.push(`gap ${lost}`));
    sub.consume(({ sequence }) => void told.push(`message ${sequence}`));
    for (const sequence of [0, 3]) end.message("a", sequence);
    await scene.settle();
    expect(told).toEqual(["message 0", "gap 2", "message 3"]);
  });

  it("at the tail is told by a mark, once, and by an acknowledgement or a goodbye as well", async () => {
    const { scene, sub, end } = await setUp();
    const gaps = record(sub, "gap");
    end.message("a", 0);
    for (let i = 0; i < 3; i++) end.send({ type: "mark", sequence: 10 });
    acknowledge(end, "a", 12);
    end.send({ type: "publisher drains", sequence: 15 });
    await scene.settle();
    expect(gaps.map(({ lost }) => lost)).toEqual([9, 2, 3]);
  });

  it("does not count a message that came and could not be read: that is told otherwise", async () => {
    const { scene, sub, end } = await setUp();
    const dropped = record(sub, "dropped");
    const gaps = record(sub, "gap");
    end.message("a", 0);
    const damaged = { compression: 6, timeMicros: 0, payload: new Uint8Array(3) };
    end.send({ type: "message", topic: "a", sequence: 1, ...damaged });
    end.message("a", 2);
    await scene.settle();
    expect([gaps, dropped.map(({ reason }) => reason)]).toEqual([[], ["unreadable"]]);
    expect(dropped[0]?.error?.code).toBe("MSG_UNKNOWN_COMPRESSION");
    expect(sub.stats()).toMatchObject({ messagesReceived: 2, lost: 0 });
  });
});

describe("receiving", () => {
  it("gives topic, time, number, payload and peer", async () => {
    const { scene, sub, end } = await setUp();
    const payload = new TextEncoder().encode('{"price":1900.5}');
    const timeMicros = 1_700_000_000_000_000;
    end.send({ type: "message", topic: "é", sequence: 0, compression: 0, timeMicros, payload });
    await scene.settle();
    const message = await sub.receive();
    expect(message).toMatchObject({
      topic: "é",
      timestampMicros: timeMicros,
      sequence: 0,
      peer: { endpoint: "here", transport: "sim" },
    });
    expect([message.text(), message.json()]).toEqual(['{"price":1900.5}', { price: 1900.5 }]);
  });

  it("rejects at its deadline, by its signal, and when the socket is closed", async () => {
    const { scene, sub } = await setUp();
    const reason = new Error("no more");
    const abort = new AbortController();
    const outcomes = [
      new Outcome(sub.receive({ timeoutMs: 10 })),
      new Outcome(sub.receive({ signal: abort.signal })),
      new Outcome(sub.receive()),
    ];
    await scene.pass(10);
    abort.abort(reason);
    const closing = sub.close({ lingerMs: 0 });
    await scene.settle();
    await closing;
    expect([outcomes[0]?.code, outcomes[1]?.error, outcomes[2]?.code]).toEqual([
      "MSG_TIMEOUT",
      reason,
      "MSG_CLOSED",
    ]);
  });

  it("stops reading a publisher at maxQueued, and goes on when half of it was taken", async () => {
    const { scene, sub, end } = await setUp({ maxQueued: 10 });
    for (let sequence = 0; sequence < 100; sequence++) end.message("a", sequence);
    await scene.settle();
    expect(sub.stats().queued).toBe(10);
    for (let i = 0; i < 4; i++) await sub.receive();
    await scene.settle();
    expect(sub.stats().queued).toBe(6);
    await sub.receive();
    await scene.settle();
    expect(sub.stats().queued).toBe(10);
    const seen: number[] = [];
    sub.consume(({ sequence }) => void seen.push(sequence));
    await scene.settle();
    expect(seen).toEqual(Array.from({ length: 95 }, (_, index) => index + 5));
    expect(sub.stats().lost).toBe(0);
  });

  it("stops reading a publisher at maxQueuedBytes; the others go on", async () => {
    const { scene, sub, end } = await setUp({ maxQueuedBytes: 1_000 });
    const there = await scene.rawListen("there");
    await sub.connect("there");
    await scene.settle();
    for (let sequence = 0; sequence < 50; sequence++) end.message("a", sequence, "x".repeat(300));
    there[0]?.message("b", 0);
    await scene.settle();
    expect(sub.stats().queued).toBe(4);
    const topics = [(await sub.receive()).topic, (await sub.receive()).topic];
    expect(topics.toSorted()).toEqual(["a", "b"]);
  });

  it("counts long topics in maxQueuedBytes as well", async () => {
    const { scene, sub, end } = await setUp({ maxQueuedBytes: 100_000 });
    for (let sequence = 0; sequence < 50; sequence++) end.message("t".repeat(50_000), sequence);
    await scene.settle();
    expect(sub.stats().queued).toBeLessThanOrEqual(2);
  });

  it("keeps what came from a publisher that is lost", async () => {
    const { scene, sub, end } = await setUp();
    for (let sequence = 0; sequence < 3; sequence++) end.message("a", sequence);
    await scene.settle();
    scene.network.cut();
    await scene.settle();
    expect([(await sub.receive()).sequence, (await sub.receive()).sequence]).toEqual([0, 1]);
  });

  it("keeps messages in order while some are decompressed", async () => {
    const compressor = new SlowCompressor();
    const { scene, sub, end } = await setUp({ decompressors: [compressor] });
    const seen: number[] = [];
    sub.consume(({ sequence }) => void seen.push(sequence));
    for (let sequence = 0; sequence < 6; sequence++) {
      const compression = sequence % 2 === 0 ? 5 : 0;
      const rest = { timeMicros: 0, payload: new Uint8Array(4), compression };
      end.send({ type: "message", topic: "a", sequence, ...rest });
    }
    for (let i = 0; i < 6; i++) {
      await scene.settle();
      compressor.finish();
    }
    await scene.settle();
    expect(seen).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

describe("consume", () => {
  it("refuses a second callback, no callback, and a bad concurrency", () => {
    const sub = new Scene().sub();
    expect(() => sub.consume(undefined as never)).toThrow(withCode("MSG_INVALID_ARGUMENT"));
    expect(() => sub.consume(() => {}, { concurrency: 0 })).toThrow(withCode("MSG_INVALID_OPTION"));
    sub.consume(() => {});
    expect(() => sub.consume(() => {})).toThrow(withCode("MSG_INVALID_STATE"));
  });

  it("tells what a callback threw, and goes on", async () => {
    const { scene, sub, end } = await setUp();
    const errors = record(sub, "error");
    const seen: number[] = [];
    sub.consume(({ sequence }) => {
      seen.push(sequence);
      if (sequence === 0) throw new Error("sync");
      if (sequence === 1) return Promise.reject(new Error("async"));
      return undefined;
    });
    for (let sequence = 0; sequence < 4; sequence++) end.message("a", sequence);
    await scene.settle();
    expect(seen).toEqual([0, 1, 2, 3]);
    expect(errors.map(({ error }) => [error.code, String(error.cause)])).toEqual([
      ["MSG_HANDLER_FAILED", "Error: sync"],
      ["MSG_HANDLER_FAILED", "Error: async"],
    ]);
  });

  it("lets a callback subscribe, unsubscribe, and close", async () => {
    const { scene, sub, end } = await setUp();
    const seen: number[] = [];
    sub.consume(({ sequence }) => {
      seen.push(sequence);
      void sub.subscribe(`more.${sequence}`);
      sub.unsubscribe("more.0");
      if (sequence === 2) void sub.close({ lingerMs: 0 });
    });
    for (let sequence = 0; sequence < 5; sequence++) end.message("a", sequence);
    await scene.settle();
    expect([seen, sub.isClosed]).toEqual([[0, 1, 2], true]);
  });
});

describe("a subscription at a publisher of ours", () => {
  it("waits for its acknowledgement although the event loop of the SUB stood still for long", async () => {
    const scene = new Scene();
    const ends = await scene.rawListen();
    let stoodMs = 0;
    const { runtime } = scene;
    const sub = scene.sub({
      heartbeatMs: Infinity,
      runtime: {
        now: () => runtime.now() + stoodMs,
        wallClockMicros: () => runtime.wallClockMicros(),
        random: () => runtime.random(),
        setTimer: (callback, delayMs) => runtime.setTimer(callback, delayMs),
        clearTimer: (timer) => runtime.clearTimer(timer),
        endOfTick: (callback) => runtime.endOfTick(callback),
        nextTurn: (callback) => runtime.nextTurn(callback),
      },
    });
    await sub.connect("here");
    await scene.settle();
    const subscribing = new Outcome(sub.subscribe("a", { timeoutMs: 30_000 }));
    // Each time a timer runs, it is long behind: what the publisher says is not read yet.
    for (let part = 0; part < 10; part++) {
      stoodMs += 1_000;
      await scene.pass(100);
    }
    expect(subscribing.isSettled).toBe(false);
    const [end] = ends;
    if (end === undefined) throw new Error("nobody dialed");
    acknowledge(end, "a");
    await scene.settle();
    expect(subscribing.isSettled).toBe(true);
  });
});

describe("closing a SUB", () => {
  it("waits for the callback that runs, no longer than its linger", async () => {
    const { scene, sub, end } = await setUp();
    let finish: (() => void) | undefined;
    sub.consume(
      () =>
        new Promise((resolve) => {
          finish = resolve;
        }),
    );
    end.message("a", 0);
    await scene.settle();
    const closing = new Outcome(sub.close({ lingerMs: 1_000 }));
    await scene.pass(500);
    expect([closing.isSettled, end.isOver]).toEqual([false, false]);
    finish?.();
    await scene.settle();
    end.link.end();
    await scene.settle();
    expect(closing.isSettled).toBe(true);
  });

  it("does not wait for ever for a callback that never ends", async () => {
    const { scene, sub, end } = await setUp();
    sub.consume(() => new Promise(() => {}));
    end.message("a", 0);
    await scene.settle();
    const closing = new Outcome(sub.close({ lingerMs: 1_000 }));
    await scene.pass(1_000);
    expect(closing.isSettled).toBe(true);
  });

  it("ends also when the callback waits for that itself", async () => {
    const { scene, sub, end } = await setUp();
    const reports: unknown[] = [];
    sub.consume(async () => {
      await Promise.resolve();
      reports.push(await sub.close({ lingerMs: 1_000 }));
    });
    end.message("a", 0);
    await scene.pass(1_000);
    await scene.settle();
    expect(reports).toEqual([{ unsent: 0, unacknowledged: 0 }]);
  });
});

describe("a publisher of ours that falls silent", () => {
  it("is given up after three times heartbeatMs, and dialed again", async () => {
    const { scene, sub, end, ends } = await setUp({ heartbeatMs: 100 });
    const gone = record(sub, "disconnected");
    beOurs(end);
    await scene.pass(290);
    expect(gone).toEqual([]);
    await scene.pass(200);
    expect(gone.map(({ reason }) => reason?.code)).toEqual(["MSG_PEER_LOST"]);
    await scene.pass(1_000);
    expect(ends.length).toBeGreaterThan(1);
  });

  it("is not given up while it speaks at all", async () => {
    const { scene, sub, end } = await setUp({ heartbeatMs: 100 });
    const gone = record(sub, "disconnected");
    for (let round = 0; round < 50; round++) {
      beOurs(end);
      await scene.pass(100);
    }
    expect(gone).toEqual([]);
  });

  it("is not given up when it is we who do not read", async () => {
    const { scene, sub, end } = await setUp({ heartbeatMs: 100, maxQueued: 2 });
    const gone = record(sub, "disconnected");
    beOurs(end);
    for (let sequence = 0; sequence < 10; sequence++) end.message("a", sequence);
    await scene.pass(10_000);
    expect([gone, sub.stats().queued]).toEqual([[], 2]);
    const seen: number[] = [];
    sub.consume(({ sequence }) => void seen.push(sequence));
    await scene.settle();
    expect(seen).toHaveLength(10);
  });

  it("of msg-rs may be silent for ever", async () => {
    const { scene, sub, end } = await setUp({ heartbeatMs: 100 });
    const gone = record(sub, "disconnected");
    end.message("a", 0);
    await scene.pass(60_000);
    expect(gone).toEqual([]);
  });
});

describe("idlePeerTimeoutMs", () => {
  it("closes a peer that sends nothing for so long, and no other", async () => {
    const scene = new Scene();
    const rep = scene.rep({ idlePeerTimeoutMs: 1_000 });
    const gone = record(rep, "disconnected");
    await rep.bind("here");
    const silent = await scene.rawDial();
    const busy = await scene.rawDial();
    for (let round = 0; round < 30; round++) {
      busy.request(round, "a");
      await scene.pass(100);
    }
    expect([silent.isClosed, busy.isClosed]).toEqual([true, false]);
    expect(gone.map(({ reason }) => reason?.code)).toEqual(["MSG_PEER_LOST"]);
  });
});
