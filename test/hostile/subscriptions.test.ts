import { expectNoLeaks, naiveEncode, waitFor } from "@msg-ts/testing";
import type { PubOptions } from "msg-ts";
import { PubSocket, SubSocket, Tcp } from "msg-ts";
import { describe, expect, it } from "vitest";
import { closing, patienceMs } from "../e2e/sockets.ts";
import { codesOf, listening, publishNumbers } from "./bystanders.ts";
import { RawClient, rawServer } from "./raw-client.ts";

const timeout = 120_000;

async function attackedPub(options: PubOptions = {}) {
  const pub = closing(new PubSocket(new Tcp(), options));
  const address = await pub.bind("127.0.0.1:0");
  publishNumbers(pub);
  const told = codesOf(pub, "refused", "disconnected", "dropped");
  return { pub, address, told, bystander: await listening(address) };
}

describe("a subscriber that floods a PUB", { timeout }, () => {
  expectNoLeaks({ withinMs: patienceMs });

  it("with topics over maxSubscriptionsPerPeer keeps those it has; the rest is ignored and told", async () => {
    const { pub, address, told, bystander } = await attackedPub({ maxSubscriptionsPerPeer: 1_000 });
    const client = await RawClient.dial(address);
    for (let i = 0; i < 20_000; i++) client.subscribe(`topic.${i}`);
    await waitFor(() => told.length === 19_000, { what: "each is told", withinMs: patienceMs });
    expect(pub.stats().subscriptions).toBe(1_001);
    expect(await bystander.isWell()).toBe(true);
    void pub.publish("topic.999", "in");
    void pub.publish("topic.1000", "out");
    await waitFor(() => client.frames("SUB").length === 1, {
      what: "it hears",
      withinMs: patienceMs,
    });
    expect(client.frames("SUB")).toMatchObject([{ topic: "topic.999", sequence: 0 }]);
    client.reset();
    await waitFor(() => pub.stats().subscriptions === 1, {
      what: "all are gone",
      withinMs: patienceMs,
    });
    expect(await bystander.isWell()).toBe(true);
  });

  it("with topics of thousands of tokens is bounded by maxSubscriptionBytesPerPeer", async () => {
    const { pub, address, bystander } = await attackedPub({
      maxSubscriptionBytesPerPeer: 4_000_000,
    });
    const client = await RawClient.dial(address);
    for (let i = 0; i < 200; i++) client.subscribe(`${i}${".x".repeat(10_000)}`);
    const all = (): boolean => (pub.stats().dropped["ignored-frame"] ?? 0) >= 199;
    await waitFor(all, { what: "the rest is ignored", withinMs: patienceMs });
    expect(await bystander.isWell()).toBe(true);
  });

  it("with the same topic on and off costs the others nothing", async () => {
    const { pub, address, bystander } = await attackedPub();
    const client = await RawClient.dial(address);
    for (let i = 0; i < 5_000; i++) {
      client.subscribe("good.news");
      client.send({ type: "unsubscribe", topic: "good.news", timeMicros: 0 });
    }
    client.subscribe("the.end");
    await waitFor(() => pub.stats().subscriptions === 2, {
      what: "all is read",
      withinMs: patienceMs,
    });
    expect(await bystander.isWell()).toBe(true);
  });

  it("with wildcards that match in many ways hears each message once", async () => {
    const { pub, address, bystander } = await attackedPub();
    const client = await RawClient.dial(address);
    const tokens = Array.from({ length: 2 ** 10 }, (_, mask) =>
      Array.from({ length: 10 }, (_unused, bit) => ((mask >> bit) & 1 ? "*" : "x")).join("."),
    );
    for (const topic of tokens) client.subscribe(topic);
    await waitFor(() => pub.stats().subscriptions === tokens.length + 1, {
      what: "all is read",
      withinMs: patienceMs,
    });
    void pub.publish(Array.from({ length: 10 }, () => "x").join("."), "once");
    void pub.publish(Array.from({ length: 10 }, () => "y").join("."), "once more");
    await waitFor(() => client.frames("SUB").length >= 2, {
      what: "it hears",
      withinMs: patienceMs,
    });
    expect(await bystander.isWell()).toBe(true);
    expect(client.frames("SUB").map((frame) => frame.type)).toEqual(["message", "message"]);
  });
});

describe("topics that are malformed", { timeout }, () => {
  expectNoLeaks({ withinMs: patienceMs });

  const frames: [what: string, hex: string][] = [
    ["reserved and unknown", "03 00 0007 4d53472e666f6f 0000000000000000 00000000 00000000"],
    ["no subscription at all", "03 00 0003 612e62 0000000000000000 00000000 00000000"],
    ["not UTF-8", "03 00 000a 4d53472e5355422ec328 0000000000000000 00000000 00000000"],
    ["a lone surrogate", "03 00 000b 4d53472e5355422eeda080 0000000000000000 00000000 00000000"],
    ["with reserved flags", "03 80 0009 4d53472e5355422e61 0000000000000000 00000000 00000000"],
    ["compressed", "03 01 0009 4d53472e5355422e61 0000000000000000 00000000 00000000"],
  ];
  for (const [what, hex] of frames) {
    it(`${what}: ignored and counted at a PUB, whose connection lives`, async () => {
      const { pub, address, told, bystander } = await attackedPub();
      const client = await RawClient.dial(address);
      client.write(hex);
      client.subscribe("good.news");
      const hears = (): boolean => client.frames("SUB").length >= 3;
      await waitFor(hears, { what: "it hears all the same", withinMs: patienceMs });
      expect(told).toEqual(["dropped ignored-frame"]);
      expect(pub.stats().subscriptions).toBe(2);
      expect(await bystander.isWell()).toBe(true);
    });
  }

  it("the longest there can be is taken, and matched", async () => {
    const { pub, address, bystander } = await attackedPub();
    const client = await RawClient.dial(address);
    const topic = "t".repeat(65_525);
    client.subscribe(topic);
    await pub.waitForSubscriber(topic, { timeoutMs: patienceMs });
    void pub.publish(topic, "hello");
    await waitFor(() => client.frames("SUB").length === 1, {
      what: "it hears",
      withinMs: patienceMs,
    });
    expect(client.frames("SUB")).toMatchObject([{ topic }]);
    expect(await bystander.isWell()).toBe(true);
  });

  it("an odd subscription that NATS would refuse matches nothing it should not", async () => {
    const { pub, address, bystander } = await attackedPub();
    const client = await RawClient.dial(address);
    for (const topic of ["a.>.b", "MSG", "MSG.SUB.a", "", "..", "*a"]) client.subscribe(topic);
    await waitFor(() => pub.stats().subscriptions === 7, {
      what: "all is read",
      withinMs: patienceMs,
    });
    for (const topic of ["a.x.b", "a", "xa", "a.b", "...", "*a"]) void pub.publish(topic, "");
    await waitFor(() => client.frames("SUB").length > 0, {
      what: "it hears",
      withinMs: patienceMs,
    });
    expect(await bystander.isWell()).toBe(true);
    expect(client.frames("SUB")).toMatchObject([{ topic: "*a", sequence: 0 }]);
  });
});

/** A SUB of a good publisher and of one that `attack`s each time it is dialed. */
async function between(attack: (client: RawClient) => void) {
  const good = closing(new PubSocket(new Tcp()));
  const address = await good.bind("127.0.0.1:0");
  publishNumbers(good);
  const sub = closing(
    new SubSocket(new Tcp(), {
      maxMessageBytes: 100_000,
      reconnect: { minDelayMs: 500, maxDelayMs: 500 },
    }),
  );
  const told = codesOf(sub, "refused", "disconnected", "dropped", "error");
  let heard = 0;
  let next: number | undefined;
  let wrong = 0;
  const strange: string[] = [];
  sub.consume((message) => {
    if (message.topic !== "good.news") {
      strange.push(`${message.topic}=${message.text()}`);
      return;
    }
    if (next !== undefined && Number(message.text()) !== next) wrong++;
    next = Number(message.text()) + 1;
    heard++;
  });
  await sub.connect(address);
  await sub.subscribe("good.news", { timeoutMs: patienceMs });
  await sub.connect(await rawServer(attack));
  const isWell = async (): Promise<boolean> => {
    const before = heard;
    const goesOn = (): boolean => heard >= before + 20;
    await waitFor(goesOn, { what: "the good one is heard", withinMs: patienceMs });
    return wrong === 0;
  };
  return { sub, told, strange, isWell };
}

describe("a PUB that sends garbage", { timeout }, () => {
  expectNoLeaks({ withinMs: patienceMs });

  const violations: [what: string, hex: string, code: string][] = [
    ["a frame of another kind", "02 00 00000000 00000000", "MSG_PROTOCOL"],
    ["HTTP", "485454502f312e3120343030", "MSG_PROTOCOL"],
    ["a HELLO", "00 01 03 0000", "MSG_PROTOCOL"],
    [
      "a payload over maxMessageBytes",
      "03 00 0001 61 0000000000000000 00000000 000186a1",
      "MSG_PAYLOAD_TOO_LARGE",
    ],
  ];
  for (const [what, hex, code] of violations) {
    it(`${what}: its connection is closed with ${code}, the good one goes on`, async () => {
      const { told, strange, isWell } = await between((client) => void client.write(hex));
      await waitFor(() => told.includes(`disconnected ${code}`), {
        what: `${code} is told, not only ${told.join(", ")}`,
        withinMs: patienceMs,
      });
      expect([await isWell(), strange]).toEqual([true, []]);
    });
  }

  it("messages that cannot be decompressed are lost one by one, told, and its connection lives", async () => {
    const { sub, told, strange, isWell } = await between((client) => {
      const bad = { timeMicros: 0, payload: new Uint8Array([1, 2, 3]), compression: 1 } as const;
      client.send({ type: "message", topic: "bad", sequence: 0, ...bad });
      client.write("03 f8 0001 61 0000000000000000 00000001 00000000");
      client.message("odd", 2, "fine");
    });
    await waitFor(() => strange.length === 1, { what: "the third is heard", withinMs: patienceMs });
    expect([told, strange]).toEqual([
      ["dropped MSG_DECOMPRESS_FAILED", "dropped MSG_UNKNOWN_COMPRESSION"],
      ["odd=fine"],
    ]);
    expect([await isWell(), sub.stats().lost]).toEqual([true, 0]);
  });

  it("extensions that nobody knows, and acknowledgements of nothing, are skipped", async () => {
    const { strange, told, isWell } = await between((client) => {
      client.write("03 00 0007 4d53472e584558 0000000000000000 00000000 00000000");
      client.send({ type: "subscribed", topic: "never asked for", sequence: 0 });
      client.send({ type: "publisher drains", sequence: 0 });
      client.message("MSG.with payload", 0, "is a message");
      client.message("", 1, "empty topic");
    });
    await waitFor(() => strange.length === 2, { what: "both are heard", withinMs: patienceMs });
    expect(strange).toEqual(["MSG.with payload=is a message", "=empty topic"]);
    expect([await isWell(), told]).toEqual([true, []]);
  });

  it("messages in writes of one byte are messages", async () => {
    const { strange, isWell } = await between((client) => {
      const payload = new TextEncoder().encode("slowly");
      const rest = { timeMicros: 0, compression: 0, payload };
      void client.dribble(naiveEncode({ type: "message", topic: "odd", sequence: 0, ...rest }));
    });
    await waitFor(() => strange.length === 1, { what: "it is heard", withinMs: patienceMs });
    expect([await isWell(), strange]).toEqual([true, ["odd=slowly"]]);
  });
});
