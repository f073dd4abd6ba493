import {
  hex,
  joinBytes,
  memoryLinks,
  naiveDecode,
  seededRandom,
  SimulatedRuntime,
} from "@msg-ts/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { OutboxOwner } from "../../src/connection/outbox.ts";
import { ChunkPool, chunkBytes, Outbox } from "../../src/connection/outbox.ts";
import type { Link } from "../../src/contracts/transport.ts";
import { msg } from "../../src/wire/msg/protocol.ts";
import { noPulse, openStream } from "../wire/decode-stream.ts";

const kibibyte = 1024;
/** The largest payload that is copied. */
const copied = 16 * kibibyte;

/** One call of `write`: the very chunks, and what was in them. */
interface Write {
  readonly chunks: readonly Uint8Array[];
  readonly contents: Uint8Array;
}

/** A link that takes everything, or nothing until the test says so. */
class TestLink implements Link {
  readonly remoteAddress = "test";
  readonly writes: Write[] = [];
  isTaking = true;
  bufferedBytes = 0;

  write(chunks: readonly Uint8Array[]): boolean {
    const contents = joinBytes(chunks);
    this.writes.push({ chunks: [...chunks], contents });
    if (!this.isTaking) this.bufferedBytes += contents.length;
    return this.isTaking && this.bufferedBytes === 0;
  }

  get contents(): Uint8Array {
    return joinBytes(this.writes.map((write) => write.contents));
  }

  start(): void {}
  setReading(): void {}
  end(): void {}
  destroy(): void {}
}

const ignoringOwner: OutboxOwner = { onBeforeFlush() {}, onRoom() {}, onTaken() {} };

function outboxScene(options: { highWaterBytes?: number; beforeFlush?: () => void } = {}) {
  const runtime = new SimulatedRuntime();
  const link = new TestLink();
  const pool = new ChunkPool();
  const told = { rooms: 0 };
  const outbox: Outbox = new Outbox(link, pool, runtime, options.highWaterBytes ?? Infinity, {
    onBeforeFlush: options.beforeFlush ?? (() => {}),
    onRoom: () => {
      told.rooms++;
    },
    onTaken: () => {},
  });
  return { runtime, link, pool, outbox, told };
}

/** Reserves and fills, as writers do. */
function put(outbox: Outbox, length: number, value: number): void {
  const offset = outbox.reserve(length);
  outbox.bytes.fill(value, offset, offset + length);
}

describe("an outbox", () => {
  it("hands all frames of a tick to the link in one write", () => {
    const { runtime, link, outbox } = outboxScene();
    for (let value = 0; value < 100; value++) put(outbox, 10, value);
    expect(link.writes).toEqual([]);
    runtime.runTicks();
    expect(link.writes.length).toBe(1);
    expect(hex(link.contents.subarray(0, 20))).toBe("00".repeat(10) + "01".repeat(10));
    runtime.run();
    expect(link.writes.length).toBe(1);
  });

  it("schedules one flush for a tick, and none when nothing was written", () => {
    const { runtime, link, outbox } = outboxScene();
    put(outbox, 1, 1);
    runtime.runTicks();
    put(outbox, 1, 2);
    put(outbox, 1, 3);
    runtime.runTicks();
    runtime.runTicks();
    expect(link.writes.map(({ contents }) => hex(contents))).toEqual(["01", "0203"]);
  });

  it("never sets a timer", () => {
    const { runtime, outbox } = outboxScene();
    put(outbox, 1, 1);
    expect(runtime.timersInMs).toEqual([]);
  });

  it("hands over when its chunk is full, and the rest at the end of the tick", () => {
    const { runtime, link, outbox } = outboxScene();
    for (let count = 0; count < 65; count++) put(outbox, kibibyte, count);
    expect(link.writes.map(({ contents }) => contents.length)).toEqual([chunkBytes]);
    runtime.runTicks();
    expect(link.writes.map(({ contents }) => contents.length)).toEqual([chunkBytes, kibibyte]);
  });

  it("fills a chunk to its last byte", () => {
    const { runtime, link, outbox } = outboxScene();
    put(outbox, chunkBytes, 7);
    expect(link.writes).toEqual([]);
    runtime.runTicks();
    expect(link.writes.map(({ contents }) => contents.length)).toEqual([chunkBytes]);
  });

  it("flushes when told, and not again at the end of the tick", () => {
    const { runtime, link, outbox } = outboxScene();
    put(outbox, 3, 1);
    outbox.flush();
    expect(link.writes.length).toBe(1);
    runtime.run();
    expect(link.writes.length).toBe(1);
  });

  it("sends what its owner adds before a flush with it", () => {
    const { runtime, link, outbox } = outboxScene({ beforeFlush: () => put(outbox, 2, 0xee) });
    put(outbox, 1, 1);
    runtime.run();
    expect(link.writes.map(({ contents }) => hex(contents))).toEqual(["01eeee"]);
  });

  it("asks its owner at the end of a tick in which it was only scheduled", () => {
    const { runtime, link, outbox } = outboxScene({ beforeFlush: () => put(outbox, 1, 0xee) });
    outbox.schedule();
    runtime.run();
    expect(link.writes.map(({ contents }) => hex(contents))).toEqual(["ee"]);
  });
});

describe("a payload in an outbox", () => {
  for (const length of [0, 1, 15, 16, 17, 1000, copied]) {
    it(`of ${length} bytes is copied, so that a later change does not show`, () => {
      const { runtime, link, outbox } = outboxScene();
      const payload = new Uint8Array(length).fill(5);
      put(outbox, 1, 9);
      outbox.append(payload);
      payload.fill(6);
      put(outbox, 1, 9);
      runtime.runTicks();
      expect(hex(link.contents)).toBe(`09${"05".repeat(length)}09`);
      expect(link.writes.flatMap(({ chunks }) => chunks)).not.toContain(payload);
    });
  }

  it("of more goes by reference, between what was written before and after it", () => {
    const { runtime, link, outbox } = outboxScene();
    const payload = new Uint8Array(copied + 1).fill(5);
    put(outbox, 2, 1);
    outbox.append(payload);
    put(outbox, 3, 2);
    runtime.runTicks();
    expect(link.writes.length).toBe(1);
    const chunks = link.writes[0]?.chunks ?? [];
    expect(chunks.map(({ length }) => length)).toEqual([2, copied + 1, 3]);
    expect(chunks[1]).toBe(payload);
    expect(chunks[0]?.buffer).toBe(chunks[2]?.buffer);
  });

  it("goes out alone too", () => {
    const { runtime, link, outbox } = outboxScene();
    outbox.append(new Uint8Array(copied + 1));
    runtime.runTicks();
    expect(link.contents.length).toBe(copied + 1);
  });

  it("does not wait for the end of the tick once 256 KiB go by reference", () => {
    const { link, outbox } = outboxScene();
    for (let count = 0; count < 3; count++) outbox.append(new Uint8Array(64 * kibibyte));
    expect(link.writes).toEqual([]);
    outbox.append(new Uint8Array(64 * kibibyte));
    expect(link.writes.length).toBe(1);
  });
});

describe("a frame header over 64 KiB", () => {
  it("of the longest topic is whole", () => {
    const { runtime, link, outbox } = outboxScene();
    const { sink, gate } = openStream("PUB");
    const context = {
      maxMessageBytes: 1024,
      gate,
      decompress: () => new Uint8Array(0),
      fail: rethrow,
      pulse: noPulse,
    };
    const { writer } = msg().open("PUB", outbox, sink, context);
    put(outbox, 3, 9);
    const topic = "t".repeat(65_525);
    writer.subscribed(topic, 7);
    writer.mark(8);
    runtime.runTicks();
    expect(hex(link.contents.subarray(0, 3))).toBe("090909");
    expect(naiveDecode(link.contents.subarray(3), { role: "SUB" })).toEqual({
      frames: [
        { type: "subscribed", topic, sequence: 7 },
        { type: "mark", sequence: 8 },
      ],
      unfinishedBytes: 0,
    });
  });

  it("does not come back to the pool", () => {
    const { runtime, pool, outbox } = outboxScene();
    put(outbox, 70_000, 1);
    runtime.runTicks();
    expect(pool.take(1).bytes.length).toBe(chunkBytes);
  });
});

describe("a chunk", () => {
  it("goes back to the pool as soon as the link took it: an idle outbox holds none", () => {
    const { runtime, pool, outbox } = outboxScene();
    put(outbox, 10, 1);
    const chunk = outbox.bytes;
    expect(chunk.length).toBe(chunkBytes);
    runtime.runTicks();
    expect(outbox.bytes.length).toBe(0);
    expect(pool.take(1).bytes).toBe(chunk);
  });

  it("is used by the next tick, and by another outbox of the same pool", () => {
    const { runtime, link, pool, outbox } = outboxScene();
    const other = new Outbox(link, pool, runtime, Infinity, ignoringOwner);
    put(outbox, 10, 1);
    const chunk = outbox.bytes;
    runtime.runTicks();
    put(other, 10, 1);
    expect(other.bytes).toBe(chunk);
    runtime.runTicks();
    put(outbox, 10, 1);
    expect(outbox.bytes).toBe(chunk);
  });

  it("stays out of the pool while the link holds it, until the link drained", () => {
    const { runtime, link, pool, outbox } = outboxScene();
    link.isTaking = false;
    put(outbox, 10, 1);
    const chunk = outbox.bytes;
    runtime.runTicks();
    expect(pool.take(1).bytes).not.toBe(chunk);
    put(outbox, 10, 2);
    expect(outbox.bytes).not.toBe(chunk);
    runtime.runTicks();
    expect(hex(link.writes[0]?.chunks[0] ?? new Uint8Array(0))).toBe("01".repeat(10));
    link.isTaking = true;
    link.bufferedBytes = 0;
    outbox.onDrain();
    const free = [pool.take(1).bytes, pool.take(1).bytes];
    expect(free).toContain(chunk);
  });

  it("is one of at most 16 that wait for their next use", () => {
    const { pool } = outboxScene();
    const chunks = Array.from({ length: 20 }, () => pool.take(1));
    for (const chunk of chunks) pool.give(chunk);
    const again = new Set(Array.from({ length: 20 }, () => pool.take(1)));
    expect(chunks.filter((chunk) => again.has(chunk)).length).toBe(16);
  });

  it("is never changed while the link holds it, whatever is written and taken when", () => {
    const actions = fc.array(
      fc.oneof(
        { weight: 6, arbitrary: fc.record({ put: fc.integer({ min: 1, max: 30_000 }) }) },
        { weight: 3, arbitrary: fc.record({ append: fc.integer({ min: 0, max: 40_000 }) }) },
        { weight: 4, arbitrary: fc.constant("tick" as const) },
        { weight: 2, arbitrary: fc.constant("full" as const) },
        { weight: 2, arbitrary: fc.constant("drain" as const) },
      ),
      { maxLength: 60 },
    );
    const property = fc.property(actions, (list) => {
      const { runtime, link, outbox } = outboxScene();
      const expected: Uint8Array[] = [];
      let held: Write[] = [];
      let seen = 0;
      let value = 0;
      for (const action of list) {
        value = (value + 1) % 251;
        if (action === "tick") runtime.runTicks();
        else if (action === "full") link.isTaking = false;
        else if (action === "drain") {
          link.isTaking = true;
          link.bufferedBytes = 0;
          held = [];
          outbox.onDrain();
        } else if ("put" in action) {
          put(outbox, action.put, value);
          expected.push(new Uint8Array(action.put).fill(value));
        } else {
          const payload = new Uint8Array(action.append).fill(value);
          outbox.append(payload);
          expected.push(payload);
        }
        if (link.bufferedBytes > 0) held.push(...link.writes.slice(seen));
        seen = link.writes.length;
        for (const { chunks, contents } of held) {
          expect(Buffer.compare(joinBytes(chunks), contents)).toBe(0);
        }
      }
      runtime.runTicks();
      expect(Buffer.compare(link.contents, joinBytes(expected))).toBe(0);
      expect(outbox.sentBytes).toBe(link.contents.length);
    });
    fc.assert(property, { seed: 20_261_120, numRuns: 200 });
  });

  it("arrives as it was written over a link that reads it late", async () => {
    const runtime = new SimulatedRuntime();
    const random = seededRandom(7);
    const { dialed, accepted } = memoryLinks({ runtime, capacityBytes: 5_000 });
    const received: Uint8Array[] = [];
    const ignore = { onData() {}, onDrain() {}, onEnd() {}, onClose() {} };
    accepted.start({ ...ignore, onData: (chunk) => received.push(new Uint8Array(chunk)) });
    const outbox: Outbox = new Outbox(dialed, new ChunkPool(), runtime, Infinity, ignoringOwner);
    dialed.start({ ...ignore, onDrain: () => outbox.onDrain() });
    const expected: Uint8Array[] = [];
    for (let count = 0; count < 300; count++) {
      const payload = new Uint8Array(Math.floor(random() * 3_000)).fill(count);
      outbox.append(payload);
      expected.push(payload);
      if (random() < 0.3) runtime.runTurn();
    }
    await runtime.settle();
    expect(Buffer.compare(joinBytes(received), joinBytes(expected))).toBe(0);
  });
});

describe("an outbox that fills", () => {
  it("counts what it holds and what the link holds", () => {
    const { runtime, link, outbox } = outboxScene({ highWaterBytes: 100 });
    link.isTaking = false;
    put(outbox, 40, 1);
    expect(outbox.bufferedBytes).toBe(40);
    runtime.runTicks();
    expect(outbox.bufferedBytes).toBe(40);
    put(outbox, 59, 1);
    expect(outbox.isFull).toBe(false);
    put(outbox, 1, 1);
    expect(outbox.isFull).toBe(true);
  });

  it("counts what goes by reference", () => {
    const { outbox } = outboxScene({ highWaterBytes: 20_000 });
    outbox.append(new Uint8Array(20_000));
    expect(outbox.bufferedBytes).toBe(20_000);
    expect(outbox.isFull).toBe(true);
  });

  it("tells of room once, when the link drained, if it was seen full", () => {
    const { runtime, link, outbox, told } = outboxScene({ highWaterBytes: 100 });
    link.isTaking = false;
    put(outbox, 100, 1);
    expect(outbox.isFull).toBe(true);
    runtime.runTicks();
    expect(told.rooms).toBe(0);
    link.isTaking = true;
    link.bufferedBytes = 0;
    outbox.onDrain();
    outbox.onDrain();
    expect(told.rooms).toBe(1);
  });

  it("tells of room at the end of the tick when the link took all at once", () => {
    const { runtime, outbox, told } = outboxScene({ highWaterBytes: 100 });
    put(outbox, 100, 1);
    expect(outbox.isFull).toBe(true);
    runtime.runTicks();
    expect(told.rooms).toBe(1);
  });

  it("tells nobody of room when nobody saw it full", () => {
    const { runtime, outbox, told } = outboxScene({ highWaterBytes: 100 });
    put(outbox, 100, 1);
    runtime.runTicks();
    expect(told.rooms).toBe(0);
  });

  it("never refuses bytes", () => {
    const { runtime, link, outbox } = outboxScene({ highWaterBytes: 1 });
    link.isTaking = false;
    for (let count = 0; count < 1_000; count++) put(outbox, 100, 1);
    runtime.runTicks();
    expect(link.contents.length).toBe(100_000);
  });
});

describe("an outbox that is destroyed", () => {
  it("writes nothing any more, what waited included, and counts it as not sent", () => {
    const { runtime, link, outbox } = outboxScene();
    put(outbox, 5, 1);
    runtime.runTicks();
    put(outbox, 10, 1);
    outbox.destroy();
    put(outbox, 10, 2);
    outbox.append(new Uint8Array(copied + 1));
    outbox.flush();
    runtime.run();
    expect(link.contents.length).toBe(5);
    expect(outbox.sentBytes).toBe(5);
  });

  it("takes any amount without writing it", () => {
    const { runtime, link, outbox } = outboxScene();
    outbox.destroy();
    for (let count = 0; count < 100; count++) put(outbox, 10_000, 1);
    for (let count = 0; count < 10; count++) outbox.append(new Uint8Array(100_000));
    runtime.run();
    expect(link.writes).toEqual([]);
  });

  it("tells nobody of room", () => {
    const { link, outbox, told } = outboxScene({ highWaterBytes: 100 });
    link.isTaking = false;
    put(outbox, 100, 1);
    expect(outbox.isFull).toBe(true);
    outbox.destroy();
    outbox.onDrain();
    expect(told.rooms).toBe(0);
  });
});

function rethrow(error: unknown): never {
  throw error;
}
