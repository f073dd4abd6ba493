import { describe, expect, it } from "vitest";
import type { Protocol } from "../../../src/contracts/protocol.ts";
import { msg } from "../../../src/wire/msg/protocol.ts";
import type { RawEnd } from "../scene.ts";
import { Scene } from "../scene.ts";

/** Whole numbers below a bound, the same in every run. */
function seeded(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

/** A message's text, and how long it is made. */
function payloadOf(id: number, length: number): Uint8Array {
  return new TextEncoder().encode(`${id}:`.padEnd(length, "."));
}

/** What a subscriber should be sent, and what it said. */
class Subscriber {
  readonly end: RawEnd;
  readonly topics: Set<string> = new Set();
  /** What matched, in order: the place is the number. */
  readonly wanted: string[] = [];
  isReading = true;
  wasSlow = false;

  constructor(end: RawEnd) {
    this.end = end;
  }

  get got(): { readonly sequence: number; readonly text: string }[] {
    return this.end.frames("SUB").flatMap((frame) => {
      if (frame.type !== "message") return [];
      const text = `${frame.topic} ${new TextDecoder().decode(frame.payload)}`;
      return [{ sequence: frame.sequence, text }];
    });
  }

  toggleTopic(topic: string): void {
    if (this.topics.delete(topic)) this.end.unsubscribe(topic);
    else {
      this.topics.add(topic);
      this.end.subscribe(topic);
    }
  }

  toggleReading(): void {
    this.isReading = !this.isReading;
    this.end.link.setReading(this.isReading);
    this.wasSlow = true;
  }
}

/** Half of the connections are told to speak another protocol, which is the same. */
function twoProtocols(): Protocol {
  const protocol = msg();
  const other: Protocol = { ...protocol, name: "other" };
  let connections = 0;
  const handshake = () => () => {
    connections++;
    const chosen = connections % 2 === 0 ? protocol : other;
    return Promise.resolve({ claims: {}, name: "", protocol: chosen });
  };
  return { ...protocol, handshake };
}

const topics = ["a", "b", "c"];

describe("what is published to several", () => {
  for (const whenSlow of ["drop-newest", "drop-oldest"] as const) {
    for (const kind of ["one protocol", "two protocols"] as const) {
      it(`reaches each in order, numbered, what is lost counted (${whenSlow}, ${kind})`, async () => {
        const random = seeded(kind.length + whenSlow.length);
        const scene = new Scene();
        scene.network.linkOptions = { capacityBytes: 30_000 };
        const pub = scene.pub({
          whenSlow,
          maxQueued: 40,
          sendHighWaterBytes: 200_000,
          heartbeatMs: Infinity,
          ...(kind === "one protocol" ? {} : { protocol: twoProtocols() }),
        });
        await pub.bind("here");
        const subscribers: Subscriber[] = [];
        for (let i = 0; i < 5; i++) subscribers.push(new Subscriber(await scene.rawDial()));
        await scene.settle();
        for (const subscriber of subscribers) subscriber.toggleTopic("a");
        await scene.settle();
        let published = 0;
        for (let tick = 0; tick < 200; tick++) {
          for (let left = random(tick % 10 === 0 ? 600 : 20); left > 0; left--) {
            const topic = topics[random(random(4) === 0 ? 3 : 1)] as string;
            const length = random(100) === 0 ? random(25_000) : random(300);
            const payload = payloadOf(published++, length);
            void pub.publish(topic, payload);
            for (const { topics: wantedTopics, wanted } of subscribers) {
              if (!wantedTopics.has(topic)) continue;
              wanted.push(`${topic} ${new TextDecoder().decode(payload)}`);
            }
          }
          // One of them is never slow.
          if (random(5) === 0) subscribers[1 + random(4)]?.toggleReading();
          if (random(10) === 0)
            subscribers[random(5)]?.toggleTopic(topics[1 + random(2)] as string);
          await scene.settle();
          // What is not read is not known to be subscribed to.
          for (const subscriber of subscribers.filter(({ isReading }) => !isReading)) {
            if (random(20) === 0) subscriber.toggleReading();
          }
          await scene.settle();
        }
        for (const { end } of subscribers) end.link.setReading(true);
        await scene.settle();
        let lost = 0;
        for (const { got, wanted, wasSlow } of subscribers) {
          const numbers = got.map(({ sequence }) => sequence);
          expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b));
          expect(got.map(({ text }) => text)).toEqual(numbers.map((number) => wanted[number]));
          expect(wasSlow || got.length === wanted.length).toBe(true);
          lost += wanted.length - got.length;
        }
        const { deliveries, dropped, queued } = pub.stats();
        expect(queued).toBe(0);
        expect(deliveries).toBe(subscribers.reduce((sum, { wanted }) => sum + wanted.length, 0));
        expect(lost).toBeGreaterThan(0);
        expect(dropped["slow-subscriber"]).toBe(lost);
      });
    }
  }

  it("is on its way when the publisher closes in the same tick", async () => {
    const scene = new Scene();
    const pub = scene.pub();
    await pub.bind("here");
    const ends = [await scene.rawDial(), await scene.rawDial()];
    for (const end of ends) end.subscribe("a");
    await scene.settle();
    for (let i = 0; i < 3; i++) void pub.publish("a", "x");
    const closing = pub.close();
    await scene.settle();
    for (const end of ends) {
      expect(end.frames("SUB").map(({ type }) => type)).toEqual(["message", "message", "message"]);
      end.link.end();
    }
    await scene.pass(1_000);
    expect(await closing).toEqual({ unsent: 0, unacknowledged: 0 });
  });

  it("goes to those who are left when one of them is gone before the tick ends", async () => {
    const scene = new Scene();
    const pub = scene.pub({ heartbeatMs: Infinity });
    await pub.bind("here");
    const ends = [await scene.rawDial(), await scene.rawDial()];
    for (const end of ends) end.subscribe("a");
    await scene.settle();
    const off = pub.on("disconnected", () => {
      off();
      void pub.publish("a", "last");
    });
    void pub.publish("a", "x");
    ends[0]?.link.destroy();
    await scene.settle();
    const texts = ends[1]?.frames("SUB").map((frame) => "sequence" in frame && frame.sequence);
    expect(texts).toEqual([0, 1]);
  });
});
