import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { bytes, incompressibleBytes, joinBytes, naiveEncode, waitFor } from "@msg-ts/testing";
import fc from "fast-check";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { FrameAssembler, sharedReadBuffer } from "../../src/connection/frame-assembler.ts";
import type { FrameDecoder } from "../../src/contracts/protocol.ts";
import { cutInto } from "../wire/arbitrary-frames.ts";
import { openStream, piecesOf } from "../wire/decode-stream.ts";

const kibibyte = 1024;
const mebibyte = 1024 * 1024;

function request(id: number, payload: Uint8Array): Uint8Array {
  return naiveEncode({ type: "request", id, compression: 0, payload });
}

/** Bytes in array buffers, these frames' among them. */
function arrayBufferBytes(): number {
  return process.memoryUsage().arrayBuffers;
}

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}

/** No two places of it are alike. */
const noise = incompressibleBytes(1_500_000);

/** What is longer than any frame that tests make. */
const payloads = [0, 1, 9, 100].map((length) => new Uint8Array(length).fill(length));

/** Gives bytes as a link does that reads where it is told; gives the number of reads. */
function place(assembler: FrameAssembler, stream: Uint8Array, mostBytes = Infinity): number {
  let reads = 0;
  for (let start = 0; start < stream.length; reads++) {
    const buffer = assembler.nextBuffer();
    expect(buffer.length).toBeGreaterThan(0);
    const part = stream.subarray(start, start + Math.min(buffer.length, mostBytes));
    buffer.set(part);
    assembler.push(buffer.subarray(0, part.length));
    // Another link reads into whatever is offered now.
    assembler.nextBuffer().fill(0xdd);
    sharedReadBuffer.fill(0xdd);
    start += part.length;
  }
  return reads;
}

function isShared(assembler: FrameAssembler | undefined): boolean {
  return assembler?.nextBuffer().buffer === sharedReadBuffer.buffer;
}

/** Gives back at the end of the test what an assembler has. */
function ofTest<Stream extends { readonly assembler: FrameAssembler }>(stream: Stream): Stream {
  onTestFinished(() => stream.assembler.dispose());
  return stream;
}

function open() {
  return ofTest(openStream("REP"));
}

/** A stream whose sink closes the gate with the frames that `closes` picks. */
function closingAfter(closes: (id: number) => boolean) {
  const stream = openStream("REP");
  const tell = stream.sink.onRequest.bind(stream.sink);
  stream.sink.onRequest = (id, payload, wasCompressed) => {
    tell(id, payload, wasCompressed);
    if (closes(id)) stream.gate.hold();
  };
  return stream;
}

describe("a frame assembler", () => {
  it("tells whole frames where they lie, without a copy", () => {
    const { assembler, payloads: told } = openStream("REP");
    const chunk = joinBytes([request(1, bytes("01")), request(2, bytes("02"))]);
    assembler.push(chunk);
    expect(told.map((payload) => payload.buffer)).toEqual([chunk.buffer, chunk.buffer]);
    expect(told[0]?.buffer).toBe(chunk.buffer);
  });

  it("copies a chunk that fills little of its memory, so that a payload does not pin that", () => {
    const { assembler, payloads: told } = openStream("REP");
    const memory = new Uint8Array(64 * kibibyte);
    const frame = request(1, bytes("01"));
    memory.set(frame);
    assembler.push(memory.subarray(0, frame.length));
    memory.fill(0xff);
    expect([...(told[0] ?? [])]).toEqual([1]);
    expect(told[0]?.buffer).not.toBe(memory.buffer);
  });

  it("copies the beginning of a frame, so that it does not pin its chunk", () => {
    const { assembler, payloads: told } = openStream("REP");
    const chunk = joinBytes([request(1, bytes("01")), request(2, bytes("02")).subarray(0, 5)]);
    assembler.push(chunk);
    expect(assembler.bufferedBytes).toBe(5);
    assembler.push(request(2, bytes("02")).subarray(5));
    expect(told[1]?.buffer).not.toBe(chunk.buffer);
  });

  it("counts what waits", () => {
    const { assembler } = openStream("REP");
    const frame = request(1, new Uint8Array(100));
    let length = 0;
    for (const piece of piecesOf(frame.subarray(0, -1), 7)) {
      assembler.push(piece);
      length += piece.length;
      expect(assembler.bufferedBytes).toBe(length);
    }
    assembler.push(frame.subarray(-1));
    expect(assembler.bufferedBytes).toBe(0);
  });

  it("holds under 100 KB of a frame of 64 MiB of which 10 bytes came", () => {
    const streams = Array.from({ length: 50 }, () => openStream("REP"));
    const before = arrayBufferBytes();
    for (const { assembler } of streams) assembler.push(bytes("02 00 00000001 04000000"));
    const heldBytes = (arrayBufferBytes() - before) / streams.length;
    expect(heldBytes).toBeLessThan(100 * kibibyte);
    expect(streams[0]?.assembler.bufferedBytes).toBe(10);
  });

  it("holds at most four times what came of a large frame", () => {
    const { assembler, frames } = openStream("REP");
    assembler.push(bytes("02 00 00000001 04000000"));
    const piece = new Uint8Array(256 * kibibyte);
    const pieceCount = (64 * mebibyte) / piece.length;
    for (let count = 1; count <= pieceCount; count++) {
      const before = arrayBufferBytes();
      assembler.push(piece);
      const grownBy = arrayBufferBytes() - before;
      expect(grownBy).toBeLessThanOrEqual(4 * count * piece.length + mebibyte);
    }
    expect(frames.length).toBe(1);
  });

  it("copies a frame that comes in many pieces a few times, not once for each", () => {
    const { assembler, frames } = openStream("REP");
    const whole = request(1, new Uint8Array(8 * mebibyte));
    const startMs = performance.now();
    for (const piece of piecesOf(whole, 1000)) assembler.push(piece);
    expect(frames.length).toBe(1);
    // 8,400 copies of 4 MiB on average would take over ten seconds.
    expect(performance.now() - startMs).toBeLessThan(2_000);
  });

  it("copies little in each call, also when a large frame outgrows its memory", () => {
    const { assembler, frames } = openStream("REP");
    const whole = request(1, new Uint8Array(20 * mebibyte));
    const set = vi.spyOn(Object.getPrototypeOf(Uint8Array.prototype) as Uint8Array, "set");
    onTestFinished(() => set.mockRestore());
    for (const piece of piecesOf(whole, 64 * kibibyte)) {
      const chunk = new Uint8Array(piece);
      set.mockClear();
      assembler.push(chunk);
      const copied = set.mock.calls.reduce((sum, [source]) => sum + source.length, 0);
      expect(copied).toBeLessThanOrEqual(2 * 64 * kibibyte);
    }
    expect(frames.length).toBe(1);
  });

  it("gives a large frame as it was, however it is cut", () => {
    const lengths = fc.oneof(
      fc.integer({ min: 1, max: 5_000 }),
      fc.integer({ min: 60_000, max: 70_000 }),
      fc.integer({ min: 1, max: 1_500_000 }),
    );
    const cuts = fc.array(lengths, { minLength: 1, maxLength: 20 });
    const property = fc.property(fc.nat({ max: noise.length }), cuts, (length, pieces) => {
      const payload = noise.subarray(0, length);
      const { assembler, payloads: told } = openStream("REP");
      for (const piece of cutInto(joinBytes([request(1, payload), request(2, noise)]), pieces)) {
        assembler.push(piece);
      }
      expect(told.length).toBe(2);
      expect(Buffer.compare(told[0] ?? noise, payload)).toBe(0);
      expect(Buffer.compare(told[1] ?? payload, noise)).toBe(0);
    });
    fc.assert(property, { seed: 20_261_120, numRuns: 60 });
  });

  it("lets go of a frame once it was told", async () => {
    const { assembler, payloads: told, frames } = openStream("REP");
    const whole = request(1, new Uint8Array(mebibyte));
    assembler.push(whole.subarray(0, 1000));
    assembler.push(whole.subarray(1000));
    const memory = new WeakRef(told[0]?.buffer ?? new ArrayBuffer(0));
    told.length = frames.length = 0;
    const isFreed = (): boolean => {
      collectGarbage();
      return memory.deref() === undefined;
    };
    await waitFor(isFreed, { what: "an idle assembler pins no frame" });
    expect(assembler.bufferedBytes).toBe(0);
  });

  it("throws what the decoder throws", () => {
    const decoder: FrameDecoder = {
      neededBytes: 1,
      decode: () => {
        throw new Error("violation");
      },
    };
    expect(() => new FrameAssembler(decoder).push(bytes("00"))).toThrow("violation");
  });
});

describe("a frame assembler whose gate is closed", () => {
  const stream = joinBytes(payloads.map((payload, id) => request(id, payload)));
  const boundaries = payloads.map((_, id) => id);

  for (const stopAfter of boundaries) {
    it(`by frame ${stopAfter} tells the rest when it is resumed`, () => {
      const { assembler, gate, frames } = closingAfter((id) => id === stopAfter);
      assembler.push(stream);
      expect(frames.length).toBe(stopAfter + 1);
      gate.release();
      assembler.resume();
      expect(frames.length).toBe(payloads.length);
      expect(assembler.bufferedBytes).toBe(0);
    });

    it(`by frame ${stopAfter} holds what comes meanwhile, one byte at a time`, () => {
      const { assembler, gate, frames } = closingAfter((id) => id === stopAfter);
      for (const piece of piecesOf(stream, 1)) assembler.push(piece);
      expect(frames.length).toBe(stopAfter + 1);
      const heldFrames = payloads.slice(stopAfter + 1);
      const heldBytes = heldFrames.reduce((sum, payload) => sum + 10 + payload.length, 0);
      expect(assembler.bufferedBytes).toBe(heldBytes);
      gate.release();
      assembler.resume();
      expect(frames.length).toBe(payloads.length);
      expect(assembler.bufferedBytes).toBe(0);
    });
  }

  it("at every frame goes on one frame for each resume", () => {
    const { assembler, gate, frames } = closingAfter(() => true);
    for (const piece of piecesOf(stream, 13)) assembler.push(piece);
    for (let told = 1; told <= payloads.length; told++) {
      expect(frames.length).toBe(told);
      gate.release();
      assembler.resume();
    }
    expect(assembler.bufferedBytes).toBe(0);
  });

  it("before the last byte of a frame tells it when it is resumed", () => {
    for (let cut = 1; cut < stream.length; cut++) {
      const { assembler, gate, frames } = openStream("REP");
      assembler.push(stream.subarray(0, cut));
      gate.hold();
      const toldBefore = frames.length;
      assembler.push(stream.subarray(cut));
      expect(frames.length).toBe(toldBefore);
      gate.release();
      assembler.resume();
      expect(frames.length).toBe(payloads.length);
      expect(assembler.bufferedBytes).toBe(0);
    }
  });

  it("copies what it holds of memory that others read into", () => {
    const { assembler, gate, payloads: told } = openStream("REP");
    gate.hold();
    place(assembler, request(1, bytes("aa")));
    sharedReadBuffer.fill(0xdd);
    gate.release();
    assembler.resume();
    expect(told.map((payload) => [...payload])).toEqual([[0xaa]]);
  });

  it("throws at resume what it would have thrown before", () => {
    const { assembler, gate } = openStream("REP");
    gate.hold();
    assembler.push(joinBytes([request(1, bytes("aa")), bytes("99")]));
    gate.release();
    expect(() => assembler.resume()).toThrow("0x99");
  });
});

describe("a frame assembler whose link reads where it is told", () => {
  const sizes = fc.oneof(
    fc.nat({ max: 300 }),
    fc.integer({ min: 4_000, max: 20_000 }),
    fc.integer({ min: 60_000, max: 70_000 }),
    fc.integer({ min: 1, max: 600_000 }),
  );

  it("gives every frame as it was, whatever sizes follow each other and however they are cut", () => {
    const frameSizes = fc.array(fc.tuple(sizes, fc.integer({ min: 1, max: 40 })), { maxLength: 8 });
    const property = fc.property(frameSizes, sizes, fc.boolean(), (runs, cut, isForeign) => {
      const lengths = runs.flatMap(([length, count]) =>
        Array.from({ length: length > 20_000 ? 2 : count }, () => length),
      );
      const sent = lengths.map((length, id) => noise.subarray(id, id + length));
      const stream = joinBytes(sent.map((payload, id) => request(id, payload)));
      const { assembler, payloads: told } = openStream("REP");
      const pieceBytes = Math.max(cut + 1, Math.ceil(stream.length / 200));
      const middle = isForeign ? Math.floor(stream.length / 2) : 0;
      for (const piece of piecesOf(stream.subarray(0, middle), pieceBytes)) {
        assembler.push(new Uint8Array(piece));
      }
      place(assembler, stream.subarray(middle), pieceBytes);
      expect(told.length).toBe(sent.length);
      expect(told.every((payload, id) => Buffer.compare(payload, sent[id] ?? noise) === 0)).toBe(
        true,
      );
      expect(assembler.bufferedBytes).toBe(0);
      assembler.dispose();
    });
    fc.assert(property, { seed: 20_261_120, numRuns: 60 });
  });

  it("offers memory that all share while little comes, and after that again", () => {
    const { assembler } = open();
    const frames = joinBytes(Array.from({ length: 2_000 }, (_, id) => request(id, bytes("aa"))));
    expect(assembler.nextBuffer().buffer).toBe(sharedReadBuffer.buffer);
    place(assembler, frames.subarray(0, 20_000));
    expect(assembler.nextBuffer().buffer).not.toBe(sharedReadBuffer.buffer);
    place(assembler, frames.subarray(20_000), 100);
    expect(assembler.bufferedBytes).toBe(0);
    expect(assembler.nextBuffer().buffer).toBe(sharedReadBuffer.buffer);
  });

  it("tells payloads in slabs without a copy while much comes", () => {
    const { assembler, payloads: told } = open();
    const frames = Array.from({ length: 3_000 }, (_, id) => request(id, new Uint8Array(100)));
    place(assembler, joinBytes(frames));
    const memories = new Set(told.map((payload) => payload.buffer));
    // 330,000 bytes: the first read is copied, the others fill slabs of 64 KiB.
    expect(memories.size).toBeLessThanOrEqual(7);
  });

  it("offers memory of its own to 16 at a time, and to others when one of them ends", () => {
    const frames = joinBytes(
      Array.from({ length: 500 }, (_, id) => request(id, noise.subarray(0, 100))),
    );
    const busy = Array.from({ length: 20 }, () => open().assembler);
    for (const assembler of busy) place(assembler, frames);
    expect(busy.filter((assembler) => !isShared(assembler)).length).toBe(16);
    busy[0]?.dispose();
    expect(isShared(busy[16])).toBe(false);
  });

  it("reads a large frame into memory of exactly its size, once one was as large", () => {
    const { assembler, payloads: told } = open();
    const frame = request(1, new Uint8Array(500_000));
    place(assembler, joinBytes([frame, frame, frame]));
    expect(told.map(({ buffer }) => buffer.byteLength)).toEqual(told.map(() => frame.length));
    const { assembler: other } = open();
    place(other, frame);
    expect(place(other, frame, 100_000)).toBeLessThanOrEqual(7);
  });

  it("holds more than a slab has room for while the gate is closed", () => {
    const { assembler, gate, payloads: told } = open();
    const frames = Array.from({ length: 6_000 }, (_, id) =>
      request(id, noise.subarray(id, id + 90)),
    );
    place(assembler, joinBytes(frames.slice(0, 2_000)));
    gate.hold();
    place(assembler, joinBytes(frames.slice(2_000)));
    expect(told.length).toBe(2_000);
    gate.release();
    assembler.resume();
    expect(told.length).toBe(frames.length);
    const wrong = told.filter(
      (payload, id) => Buffer.compare(payload, noise.subarray(id, id + 90)) !== 0,
    );
    expect(wrong).toEqual([]);
  });

  it("holds what comes while the gate is closed", () => {
    const cases = [
      [1, 2],
      [13, 20],
      [5_000, 300],
      [70_000, 300],
    ] as const;
    for (const [cut, step] of cases) {
      const {
        assembler,
        gate,
        frames,
        payloads: told,
      } = ofTest(closingAfter((id) => id % 7 === 3));
      const sent = Array.from({ length: 60 }, (_, id) => noise.subarray(id, id * step + id));
      place(assembler, joinBytes(sent.map((payload, id) => request(id, payload))), cut);
      while (frames.length < sent.length) {
        const before = frames.length;
        gate.release();
        assembler.resume();
        expect(frames.length).toBeGreaterThan(before);
      }
      expect(told.every((payload, id) => Buffer.compare(payload, sent[id] ?? noise) === 0)).toBe(
        true,
      );
    }
  });
});

/** Calls back when a frame is told, and keeps whether its payload was lent. */
function lending(onTold: (assembler: FrameAssembler, id: number) => void) {
  const stream = open();
  const lent: boolean[] = [];
  const tell = stream.sink.onRequest.bind(stream.sink);
  stream.sink.onRequest = (id, payload, wasCompressed) => {
    tell(id, payload, wasCompressed);
    lent.push(stream.assembler.isLent);
    onTold(stream.assembler, id);
  };
  return { ...stream, lent };
}

describe("a frame assembler that lends", () => {
  const large = noise.subarray(0, 300_000);

  it("goes on telling that a chunk is lent when a frame in it ends lending", () => {
    const { assembler, lent } = lending((told, id) => {
      if (id === 1) told.setLending(false);
    });
    assembler.setLending(true);
    const frames = [1, 2, 3].map((id) => request(id, noise.subarray(0, 50)));
    const stream = joinBytes(frames);
    // The first frame is put together; the others lie in memory that all read into.
    place(assembler, stream.subarray(0, 20));
    const buffer = assembler.nextBuffer();
    expect(buffer.buffer).toBe(sharedReadBuffer.buffer);
    buffer.set(stream.subarray(20));
    assembler.push(buffer.subarray(0, stream.length - 20));
    expect(lent).toEqual([true, true, true]);
  });

  it("leaves a large payload alone that was told before lending began", () => {
    const {
      assembler,
      payloads: told,
      lent,
    } = lending((one, id) => {
      if (id === 1) one.setLending(true);
    });
    place(assembler, request(1, large));
    place(assembler, request(2, noise.subarray(7, 300_007)));
    expect(lent).toEqual([false, true]);
    expect(Buffer.compare(told[0] ?? noise, large)).toBe(0);
  });
});
