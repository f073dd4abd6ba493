import { describe, expect, it } from "vitest";
import type { RawEnd } from "../scene.ts";
import { Outcome, record, Scene } from "../scene.ts";
import { SlowCompressor } from "../slow-compressor.ts";

function withCode(code: string): Error {
  return expect.objectContaining({ code }) as Error;
}

/** A bound PUB and a raw SUB that dialed it. */
async function setUp(options: Parameters<Scene["pub"]>[0] = {}) {
  const scene = new Scene();
  // What the host takes by itself for one that does not read.
  scene.network.linkOptions = { capacityBytes: 4_000 };
  const pub = scene.pub({ heartbeatMs: Infinity, ...options });
  await pub.bind("here");
  const end = await scene.rawDial();
  await scene.settle();
  return { scene, pub, end };
}

/** What came, shortened: `topic#sequence=text`, `MARK#4`. */
function heard(end: RawEnd): string[] {
  return end.frames("SUB").map((frame) => {
    switch (frame.type) {
      case "message":
        return `${frame.topic}#${frame.sequence}=${new TextDecoder().decode(frame.payload)}`;
      case "mark":
        return `MARK#${frame.sequence}`;
      case "subscribed":
        return `ACK ${frame.topic}#${frame.sequence}`;
      case "denied":
        return `DENY ${frame.topic}#${frame.sequence}`;
      case "publisher drains":
        return `BYE#${frame.sequence}`;
      default:
        return frame.type;
    }
  });
}

/** Numbers of the messages that came. */
function sequences(end: RawEnd): number[] {
  return end.frames("SUB").flatMap((frame) => (frame.type === "message" ? [frame.sequence] : []));
}

describe("publishing what cannot be published", () => {
  const topics = [
    "MSG",
    "MSG.SUB.a",
    "MSGs",
    "*",
    "a.*",
    ">",
    "a.>.b",
    "x".repeat(65_526),
    "\ud800",
  ];
  for (const topic of topics) {
    it(`throws MSG_INVALID_TOPIC for ${JSON.stringify(topic.slice(0, 20))}`, () => {
      const pub = new Scene().pub();
      expect(() => pub.publish(topic, "")).toThrow(withCode("MSG_INVALID_TOPIC"));
      expect(() => pub.waitForSubscriber(topic)).toThrow(withCode("MSG_INVALID_TOPIC"));
    });
  }

  for (const topic of [undefined, null, 5, {}]) {
    it(`throws MSG_INVALID_TOPIC for ${JSON.stringify(topic)}, which is no text`, () => {
      const pub = new Scene().pub();
      expect(() => pub.publish(topic as never, "")).toThrow(withCode("MSG_INVALID_TOPIC"));
    });
  }

  it("throws for a payload of the wrong type, or one byte too long", () => {
    const pub = new Scene().pub({ maxMessageBytes: 10 });
    expect(() => pub.publish("a", null as never)).toThrow(withCode("MSG_INVALID_ARGUMENT"));
    expect(() => pub.publish("a", new Uint8Array(11))).toThrow(withCode("MSG_PAYLOAD_TOO_LARGE"));
    expect(pub.publish("a", new Uint8Array(10))).toBeUndefined();
  });

  it("takes topics that only look odd", () => {
    const pub = new Scene().pub();
    for (const topic of ["", ".", "a..b", "msg", "a*", ">a", "MS", "é😀", "x".repeat(65_525)]) {
      expect(pub.publish(topic, "")).toBeUndefined();
    }
  });

  it("is no error when nobody is there: it is counted", () => {
    const pub = new Scene().pub();
    expect(pub.publish("a", "b")).toBeUndefined();
    expect(pub.stats()).toMatchObject({
      messagesSent: 1,
      deliveries: 0,
      dropped: { "no-subscriber": 1 },
    });
  });
});

describe("a subscriber", () => {
  it("gets what it subscribed to and nothing else, numbered from 0 without holes", async () => {
    const { scene, pub, end } = await setUp();
    const topics = ["a", "b", "a.b", "a.c", "c.b", ""];
    end.subscribe("a.*");
    end.subscribe("b");
    await scene.settle();
    for (const topic of [...topics, ...topics]) void pub.publish(topic, topic);
    await scene.settle();
    expect(heard(end)).toEqual([
      "b#0=b",
      "a.b#1=a.b",
      "a.c#2=a.c",
      "b#3=b",
      "a.b#4=a.b",
      "a.c#5=a.c",
    ]);
  });

  it("is numbered by itself", async () => {
    const { scene, pub, end } = await setUp();
    const other = await scene.rawDial();
    end.subscribe("a");
    other.subscribe(">");
    await scene.settle();
    for (const topic of ["a", "b", "a"]) void pub.publish(topic, "");
    await scene.settle();
    expect([heard(end), heard(other)]).toEqual([
      ["a#0=", "a#1="],
      ["a#0=", "b#1=", "a#2="],
    ]);
  });

  it("that subscribed twice and unsubscribed once gets nothing: subscriptions are a set", async () => {
    const { scene, pub, end } = await setUp();
    end.subscribe("a");
    end.subscribe("a");
    end.unsubscribe("a");
    end.unsubscribe("never");
    await scene.settle();
    void pub.publish("a", "");
    await scene.settle();
    expect([heard(end), pub.stats().subscriptions]).toEqual([[], 0]);
  });

  it("of ours is told that we are one too, and from which number on a subscription is active", async () => {
    const { scene, pub, end } = await setUp();
    end.send({ type: "extensions" });
    end.subscribe("a");
    await scene.settle();
    void pub.publish("a", "");
    end.subscribe("b");
    end.subscribe("a");
    await scene.settle();
    expect(heard(end)).toEqual(["MARK#0", "ACK a#0", "a#0=", "ACK b#1", "ACK a#1"]);
  });

  it("of msg-rs is sent nothing but messages", async () => {
    const { scene, pub, end } = await setUp({ heartbeatMs: 100 });
    end.subscribe("a");
    await scene.pass(1_000);
    void pub.publish("a", "");
    await scene.settle();
    const closing = pub.close();
    await scene.settle();
    expect(heard(end)).toEqual(["a#0="]);
    end.link.end();
    await scene.settle();
    await closing;
  });

  it("that sends nonsense topics is ignored and counted, and lives", async () => {
    const { scene, pub, end } = await setUp();
    const dropped = record(pub, "dropped");
    end.message("prices", 0);
    end.hex("03 01 0009 4d53472e5355422e61 0000000000000000 00000000 00000000");
    end.hex("03 00 0009 4d53472e5355422eff 0000000000000000 00000000 00000000");
    end.subscribe("a");
    await scene.settle();
    void pub.publish("a", "");
    await scene.settle();
    expect([heard(end), dropped.map(({ reason }) => reason)]).toEqual([
      ["a#0="],
      ["ignored-frame", "ignored-frame", "ignored-frame"],
    ]);
  });

  it("that goes takes its subscriptions with it", async () => {
    const { scene, pub, end } = await setUp();
    end.subscribe("a");
    end.subscribe("b.>");
    await scene.settle();
    end.link.destroy();
    await scene.settle();
    expect(pub.stats()).toMatchObject({ subscriptions: 0, peers: 0, queued: 0 });
  });

  it("over maxSubscriptionsPerPeer is ignored for the rest, told of once each, and not closed", async () => {
    const { scene, pub, end } = await setUp({ maxSubscriptionsPerPeer: 2 });
    const other = await scene.rawDial();
    const drops = record(pub, "dropped");
    end.send({ type: "extensions" });
    for (const topic of ["a", "b", "c", "a"]) end.subscribe(topic);
    other.subscribe("c");
    await scene.settle();
    for (const topic of ["a", "b", "c"]) void pub.publish(topic, "");
    await scene.settle();
    const answers = ["MARK#0", "ACK a#0", "ACK b#0", "DENY c#0", "ACK a#0"];
    expect(heard(end)).toEqual([...answers, "a#0=", "b#1="]);
    expect(heard(other)).toEqual(["c#0="]);
    const [drop] = drops;
    expect(drops.length).toBe(1);
    expect(drop?.error?.code).toBe("MSG_TOO_MANY_SUBSCRIPTIONS");
    expect([drop?.reason, drop?.peer?.id]).toEqual(["ignored-frame", pub.peers[0]?.id]);
    end.unsubscribe("a");
    end.subscribe("c");
    await scene.settle();
    expect(heard(end).at(-1)).toBe("ACK c#2");
  });

  it("over maxSubscriptionBytesPerPeer is ignored for the rest too", async () => {
    const { scene, pub, end } = await setUp({ maxSubscriptionBytesPerPeer: 1_000 });
    const drops = record(pub, "dropped");
    end.subscribe("a.b.c");
    end.subscribe("d.e");
    end.subscribe("f");
    await scene.settle();
    expect([pub.stats().subscriptions, drops.length]).toEqual([1, 2]);
    end.unsubscribe("a.b.c");
    end.subscribe("d.e");
    await scene.settle();
    expect(pub.stats().subscriptions).toBe(1);
  });
});

/** Bounds that a test reaches with few messages: 1,000 bytes under way, 5 messages behind. */
const tight = { sendHighWaterBytes: 1_000, maxQueued: 5 } as const;

/** Publishes `count` messages of 500 bytes, all in one turn. */
function burst(pub: ReturnType<Scene["pub"]>, count: number): void {
  for (let i = 0; i < count; i++) void pub.publish("a", new Uint8Array(500));
}

/** Publishes until as much waits for the subscriber as may. */
async function fill(scene: Scene, pub: ReturnType<Scene["pub"]>): Promise<void> {
  while (pub.stats().queued < tight.maxQueued) {
    void pub.publish("a", new Uint8Array(500));
    await scene.settle();
  }
}

describe("a subscriber that does not read", () => {
  it("loses the newest by default; the number lost is counted, told, and seen by it", async () => {
    const { scene, pub, end } = await setUp(tight);
    const dropped = record(pub, "dropped");
    end.send({ type: "extensions" });
    end.subscribe("a");
    await scene.settle();
    end.link.setReading(false);
    burst(pub, 500);
    await scene.pass(100);
    const lost = pub.stats().dropped["slow-subscriber"] ?? 0;
    expect(lost).toBeGreaterThan(300);
    expect(dropped.reduce((sum, { count }) => sum + count, 0)).toBe(lost);
    expect(dropped.length).toBeLessThan(10);
    end.link.setReading(true);
    await scene.settle();
    // What it has is the oldest, without holes, and then the mark that tells of the lost tail.
    const numbers = sequences(end);
    expect(numbers).toEqual(numbers.map((_, index) => index));
    expect(numbers).toHaveLength(500 - lost);
    expect(heard(end).at(-1)).toBe("MARK#500");
  });

  it("loses the oldest that wait with drop-oldest, and the numbers show it", async () => {
    const { scene, pub, end } = await setUp({ ...tight, whenSlow: "drop-oldest" });
    end.subscribe("a");
    await scene.settle();
    end.link.setReading(false);
    burst(pub, 500);
    await scene.settle();
    end.link.setReading(true);
    await scene.settle();
    const numbers = sequences(end);
    const lost = pub.stats().dropped["slow-subscriber"] ?? 0;
    expect(numbers).toHaveLength(500 - lost);
    expect(numbers.slice(-5)).toEqual([495, 496, 497, 498, 499]);
    expect(numbers.toSorted((a, b) => a - b)).toEqual(numbers);
  });

  it("is disconnected with disconnect, and its session with it", async () => {
    const { scene, pub, end } = await setUp({ ...tight, whenSlow: "disconnect" });
    const gone = record(pub, "disconnected");
    end.subscribe("a");
    await scene.settle();
    end.link.setReading(false);
    burst(pub, 500);
    await scene.settle();
    expect(gone.map(({ reason }) => reason?.code)).toEqual(["MSG_SLOW_PEER"]);
    expect(pub.stats()).toMatchObject({ peers: 0, subscriptions: 0, queued: 0 });
  });

  it("loses what waits for it when it goes; that is told once, and no fault of a later drain", async () => {
    const { scene, pub, end } = await setUp(tight);
    const dropped = record(pub, "dropped");
    end.subscribe("a");
    await scene.settle();
    end.link.setReading(false);
    await fill(scene, pub);
    end.link.destroy();
    await scene.settle();
    const told = dropped.filter(({ reason }) => reason === "lost-subscriber");
    expect(told).toMatchObject([{ count: tight.maxQueued, peer: { endpoint: "here" } }]);
    expect(pub.stats().dropped["lost-subscriber"]).toBe(tight.maxQueued);
    const drained = new Outcome(pub.drain());
    await scene.pass(1_000);
    expect(drained.value).toEqual({ unsent: 0, unacknowledged: 0, isComplete: true });
  });

  for (const whenSlow of ["drop-newest", "drop-oldest", "disconnect"] as const) {
    it(`never holds up or costs the others anything (${whenSlow})`, async () => {
      const { scene, pub, end } = await setUp({ ...tight, whenSlow });
      const other = await scene.rawDial();
      end.subscribe("a");
      other.subscribe("a");
      await scene.settle();
      end.link.setReading(false);
      for (let i = 0; i < 300; i++) {
        expect(pub.publish("a", new Uint8Array(500))).toBeUndefined();
        await scene.settle();
      }
      expect(sequences(other)).toEqual(Array.from({ length: 300 }, (_, index) => index));
    });
  }

  it("is bounded in bytes as well; one message always may wait", async () => {
    const { scene, pub, end } = await setUp({ ...tight, maxQueued: 1_000, maxQueuedBytes: 2_000 });
    end.subscribe("a");
    await scene.settle();
    end.link.setReading(false);
    burst(pub, 500);
    expect(pub.stats().queuedBytes).toBeLessThanOrEqual(2_500);
    await scene.settle();
    void pub.publish("a", new Uint8Array(50_000));
    expect(pub.stats().queuedBytes).toBeLessThanOrEqual(2_500);
  });

  it("is told of a loss by the next message too, and marked once only", async () => {
    const { scene, pub, end } = await setUp(tight);
    end.send({ type: "extensions" });
    end.subscribe("a");
    await scene.settle();
    end.link.setReading(false);
    burst(pub, 200);
    await scene.settle();
    end.link.setReading(true);
    await scene.settle();
    void pub.publish("a", "after");
    await scene.settle();
    expect(heard(end).slice(-2)).toEqual(["MARK#200", "a#200=after"]);
    expect(heard(end).filter((frame) => frame.startsWith("MARK"))).toEqual(["MARK#0", "MARK#200"]);
  });

  it("has its own subscriptions read again once it reads", async () => {
    const { scene, pub, end } = await setUp(tight);
    end.subscribe("a");
    await scene.settle();
    end.link.setReading(false);
    await fill(scene, pub);
    end.subscribe("b");
    await scene.settle();
    expect(pub.stats().subscriptions).toBe(1);
    end.link.setReading(true);
    await scene.settle();
    expect(pub.stats().subscriptions).toBe(2);
  });

  it("does not make what it is owed grow by subscribing again and again", async () => {
    const { scene, pub, end } = await setUp({ sendHighWaterBytes: 10_000 });
    const [pair] = scene.network.pairs;
    end.send({ type: "extensions" });
    end.link.setReading(false);
    let most = 0;
    for (let round = 0; round < 40; round++) {
      for (let i = 0; i < 1_000; i++) end.subscribe("the same topic");
      await scene.settle();
      most = Math.max(most, pair?.accepted.bufferedBytes ?? 0);
    }
    expect(most).toBeLessThan(30_000);
    expect(pub.stats().subscriptions).toBe(1);
  });
});

/** A PUB of which a call of publish waits. */
async function blocked(options: Parameters<Scene["pub"]>[0] = {}) {
  const set = await setUp({ ...tight, whenSlow: "wait", ...options });
  set.end.subscribe("a");
  await set.scene.settle();
  set.end.link.setReading(false);
  let waiting: Promise<void> | undefined;
  let published = 0;
  while (set.pub.stats().waiting === 0) {
    waiting = set.pub.publish("a", new Uint8Array(500));
    published++;
    await set.scene.settle();
  }
  const outcome = new Outcome(waiting ?? Promise.reject(new Error("it did not wait")));
  return { ...set, outcome, published };
}

describe("whenSlow wait", () => {
  it("has publish wait for the slow one, and loses nothing", async () => {
    const { scene, pub, end, outcome, published } = await blocked();
    await scene.pass(60_000);
    expect(outcome.isSettled).toBe(false);
    end.link.setReading(true);
    await scene.settle();
    expect([outcome.isSettled, outcome.error]).toEqual([true, undefined]);
    expect(sequences(end)).toEqual(Array.from({ length: published }, (_, index) => index));
    expect(pub.stats()).toMatchObject({ waiting: 0, dropped: {} });
  });

  it("serves waiting calls in their order, and lets none overtake, whatever its topic", async () => {
    const { scene, pub, end } = await blocked();
    end.subscribe("b");
    const other = await scene.rawDial();
    other.subscribe(">");
    await scene.settle();
    const order: string[] = [];
    for (const topic of ["b", "a", "nobody", "b"]) {
      void pub.publish(topic, topic)?.then(() => order.push(topic));
    }
    await scene.settle();
    expect(order).toEqual([]);
    end.link.setReading(true);
    await scene.settle();
    expect(order).toEqual(["b", "a", "nobody", "b"]);
    expect(
      heard(other)
        .slice(-4)
        .map((frame) => frame.replace(/#\d+/, "")),
    ).toEqual(["b=b", "a=a", "nobody=nobody", "b=b"]);
  });

  it("does not wait for one that does not want the topic", async () => {
    const { scene, pub, end } = await setUp({ ...tight, whenSlow: "wait" });
    end.subscribe("a");
    await scene.settle();
    end.link.setReading(false);
    await fill(scene, pub);
    expect(pub.publish("b", "")).toBeUndefined();
  });

  it("throws MSG_HIGH_WATER_MARK over maxWaiting, and over maxWaitingBytes", async () => {
    const { pub } = await blocked({ maxWaiting: 2 });
    void pub.publish("a", "");
    expect(() => pub.publish("a", "")).toThrow("2 calls of publish wait, maxWaiting is 2");
    const inBytes = await blocked({ maxWaitingBytes: 600 });
    expect(() => inBytes.pub.publish("a", new Uint8Array(101))).toThrow(
      "601 bytes would wait, maxWaitingBytes is 600",
    );
  });

  it("takes a call out that is aborted, before or while it waits, and goes on with the next", async () => {
    const { scene, pub, end } = await blocked();
    const reason = new Error("no more");
    const before = pub.publish("a", "1", { signal: AbortSignal.abort(reason) });
    await expect(before).rejects.toBe(reason);
    expect(pub.stats().waiting).toBe(1);
    const abort = new AbortController();
    const aborted = new Outcome(pub.publish("a", "2", { signal: abort.signal }) as Promise<void>);
    const kept = new Outcome(pub.publish("a", "3") as Promise<void>);
    abort.abort(reason);
    await scene.settle();
    expect([aborted.error, kept.isSettled, pub.stats().waiting]).toEqual([reason, false, 2]);
    end.link.setReading(true);
    await scene.settle();
    expect([kept.isSettled, kept.error]).toEqual([true, undefined]);
    expect(heard(end).at(-1)).toMatch(/=3$/);
  });

  it("goes on when the slow one is gone", async () => {
    const { scene, end, outcome } = await blocked();
    end.link.destroy();
    await scene.settle();
    expect([outcome.isSettled, outcome.error]).toEqual([true, undefined]);
  });

  it("rejects what waits with MSG_CLOSED when the socket is closed, and reports it", async () => {
    const { scene, pub, outcome } = await blocked();
    const closing = new Outcome(pub.close({ lingerMs: 100 }));
    await scene.pass(100);
    expect(outcome.code).toBe("MSG_CLOSED");
    expect(closing.value?.unsent).toBeGreaterThan(0);
  });
});

describe("a publisher that never waits", () => {
  it("is asked to wait for a turn after 256 KiB, so that others have theirs", async () => {
    const { scene, pub } = await setUp();
    let asked: Promise<void> | undefined;
    let count = 0;
    while (asked === undefined) {
      asked = pub.publish("nobody", new Uint8Array(1_000));
      count++;
    }
    expect(count).toBeGreaterThan(200);
    expect(count).toBeLessThan(300);
    const outcome = new Outcome(asked);
    await scene.settle();
    expect([outcome.isSettled, outcome.error]).toEqual([true, undefined]);
    expect(pub.publish("nobody", "")).toBeUndefined();
  });
});

describe("waitForSubscriber", () => {
  it("resolves at once for a topic that is subscribed to, else when it is", async () => {
    const { scene, pub, end } = await setUp();
    const outcome = new Outcome(pub.waitForSubscriber("a.b"));
    end.subscribe("a.c");
    await scene.settle();
    expect(outcome.isSettled).toBe(false);
    end.subscribe("a.*");
    await scene.settle();
    expect(outcome.isSettled).toBe(true);
    await pub.waitForSubscriber("a.x", { timeoutMs: 0 });
  });

  it("rejects after 10 s by default, by its signal, and when the socket is closed", async () => {
    const { scene, pub } = await setUp();
    const late = new Outcome(pub.waitForSubscriber("a", { timeoutMs: undefined }));
    await scene.pass(9_999);
    expect(late.isSettled).toBe(false);
    await scene.pass(1);
    const reason = new Error("no more");
    const aborted = new Outcome(pub.waitForSubscriber("a", { signal: AbortSignal.abort(reason) }));
    const closed = new Outcome(pub.waitForSubscriber("a"));
    const closing = pub.close({ lingerMs: 0 });
    await scene.settle();
    await closing;
    expect([late.code, aborted.error, closed.code]).toEqual(["MSG_TIMEOUT", reason, "MSG_CLOSED"]);
  });

  for (const timeoutMs of [-1, Number.NaN, 2 ** 31]) {
    it(`throws for timeoutMs ${timeoutMs}`, () => {
      const pub = new Scene().pub();
      expect(() => pub.waitForSubscriber("a", { timeoutMs })).toThrow(
        withCode("MSG_INVALID_OPTION"),
      );
    });
  }
});

describe("heartbeats", () => {
  it("go to subscribers of ours that would hear nothing for longer", async () => {
    const { scene, pub, end } = await setUp({ heartbeatMs: 100 });
    end.send({ type: "extensions" });
    end.subscribe("a");
    await scene.pass(1_000);
    const marks = heard(end).filter((frame) => frame === "MARK#0").length;
    expect(marks).toBeGreaterThanOrEqual(10);
    expect(marks).toBeLessThanOrEqual(22);
    void pub.publish("a", "");
    await scene.pass(100);
    expect(heard(end).at(-1)).toBe("MARK#1");
  });

  it("leave no silence longer than heartbeatMs, also between messages", async () => {
    const { scene, pub, end } = await setUp({ heartbeatMs: 100 });
    end.send({ type: "extensions" });
    end.subscribe("a");
    await scene.settle();
    let last = 0;
    let lastAt = scene.runtime.now();
    for (let round = 0; round < 500; round++) {
      if (round % 37 === 0) void pub.publish("a", "");
      await scene.pass(5);
      const { length } = end.received;
      if (length !== last) lastAt = scene.runtime.now();
      last = length;
      expect(scene.runtime.now() - lastAt).toBeLessThanOrEqual(100);
    }
  });
});

describe("compression", () => {
  it("keeps the order of messages that are compressed and those that are not", async () => {
    const compressor = new SlowCompressor();
    const { scene, pub, end } = await setUp({ compressor, minCompressBytes: 10 });
    end.subscribe("a");
    await scene.settle();
    const first = new Outcome(pub.publish("a", new Uint8Array(20)) as Promise<void>);
    const second = new Outcome(pub.publish("a", "small") as Promise<void>);
    await scene.settle();
    expect([first.isSettled, second.isSettled, heard(end)]).toEqual([false, false, []]);
    compressor.finish();
    await scene.settle();
    expect([first.isSettled, second.isSettled]).toEqual([true, true]);
    expect(end.frames("SUB")).toMatchObject([
      { sequence: 0, compression: 5 },
      { sequence: 1, compression: 0 },
    ]);
  });

  it("is bounded by maxWaiting", async () => {
    const compressor = new SlowCompressor();
    const { pub } = await setUp({ compressor, minCompressBytes: 1, maxWaiting: 2 });
    void pub.publish("a", "ab");
    void pub.publish("a", "ab");
    expect(() => pub.publish("a", "ab")).toThrow(withCode("MSG_HIGH_WATER_MARK"));
    compressor.finish();
  });

  it("that fails rejects that call, is told, and holds up nothing", async () => {
    const compressor = new SlowCompressor();
    const { scene, pub, end } = await setUp({ compressor, minCompressBytes: 10 });
    const errors = record(pub, "error");
    end.subscribe("a");
    await scene.settle();
    const first = new Outcome(pub.publish("a", new Uint8Array(20)) as Promise<void>);
    const second = new Outcome(pub.publish("a", "small") as Promise<void>);
    compressor.fail(new Error("out of memory"));
    await scene.settle();
    expect([first.code, second.error, heard(end)]).toEqual([
      "MSG_COMPRESS_FAILED",
      undefined,
      ["a#0=small"],
    ]);
    expect(errors.map(({ error }) => error.code)).toEqual(["MSG_COMPRESS_FAILED"]);
  });

  it("that fails for a call that is aborted already ends no process", async () => {
    const unhandled: unknown[] = [];
    const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
    process.on("unhandledRejection", onUnhandled);
    const compressor = new SlowCompressor();
    const { scene, pub } = await setUp({ compressor, minCompressBytes: 1 });
    const outcome = new Outcome(
      pub.publish("a", "abcd", { signal: AbortSignal.abort() }) as Promise<void>,
    );
    compressor.fail(new Error("out of memory"));
    await scene.settle();
    process.off("unhandledRejection", onUnhandled);
    expect([outcome.isSettled, unhandled]).toEqual([true, []]);
  });
});

describe("closing a PUB", () => {
  it("flushes what was published, says goodbye behind it, and ends", async () => {
    const { scene, pub, end } = await setUp();
    end.send({ type: "extensions" });
    end.subscribe("a");
    await scene.settle();
    for (let i = 0; i < 3; i++) void pub.publish("a", `${i}`);
    const closing = new Outcome(pub.close());
    await scene.settle();
    expect(heard(end).slice(-4)).toEqual(["a#0=0", "a#1=1", "a#2=2", "BYE#3"]);
    expect(end.hasEnded).toBe(true);
    end.link.end();
    await scene.settle();
    expect(closing.value).toEqual({ unsent: 0, unacknowledged: 0 });
  });

  it("waits for a subscriber that is behind, as long as its linger lasts", async () => {
    const { scene, pub, end } = await setUp(tight);
    end.subscribe("a");
    await scene.settle();
    end.link.setReading(false);
    burst(pub, 500);
    const lost = pub.stats().dropped["slow-subscriber"] ?? 0;
    const closing = new Outcome(pub.close({ lingerMs: 1_000 }));
    await scene.pass(500);
    expect([closing.isSettled, end.hasEnded]).toEqual([false, false]);
    end.link.setReading(true);
    await scene.settle();
    end.link.end();
    await scene.settle();
    expect([closing.value, sequences(end).length]).toEqual([
      { unsent: 0, unacknowledged: 0 },
      500 - lost,
    ]);
  });

  it("reports what waited for a subscriber that never read", async () => {
    const { scene, pub, end } = await setUp(tight);
    end.subscribe("a");
    await scene.settle();
    end.link.setReading(false);
    await fill(scene, pub);
    const closing = new Outcome(pub.close({ lingerMs: 100 }));
    await scene.pass(100);
    expect(closing.value).toEqual({ unsent: 5, unacknowledged: 0 });
  });

  it("waits for a compressor no longer than it takes", async () => {
    const compressor = new SlowCompressor();
    const { scene, pub, end } = await setUp({ compressor, minCompressBytes: 1 });
    end.subscribe("a");
    await scene.settle();
    const published = new Outcome(pub.publish("a", "ab") as Promise<void>);
    const closing = new Outcome(pub.close({ lingerMs: 1_000 }));
    await scene.settle();
    compressor.finish();
    await scene.settle();
    expect([published.isSettled, end.hasEnded]).toEqual([true, true]);
    end.link.end();
    await scene.settle();
    expect([published.error, closing.value, sequences(end)]).toEqual([
      undefined,
      { unsent: 0, unacknowledged: 0 },
      [0],
    ]);
  });
});
