import { bytes, joinBytes, naiveEncode } from "@msg-ts/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Compressor, Decompressor } from "../../src/contracts/compressor.ts";
import { MsgError } from "../../src/errors.ts";
import { Compression } from "../../src/wire/compression.ts";
import { startedAgainstRawPeer } from "../connection/connection-scene.ts";
import { pieceLengths } from "./arbitrary-frames.ts";
import { decodePieces } from "./decode-stream.ts";

/** Halves a payload by leaving out every second byte; good enough to see what is done with it. */
function halving(id: number, change: Partial<Compressor> = {}): Compressor {
  return {
    id,
    name: "halving",
    compress: (payload) => payload.filter((_, i) => i % 2 === 0),
    decompress: (payload) =>
      Uint8Array.from({ length: payload.length * 2 }, (_, i) => payload[i >> 1] ?? 0),
    ...change,
  };
}

const later = async (bytes_: Uint8Array): Promise<Uint8Array> => Promise.resolve(bytes_);
const payload = new Uint8Array(10).fill(7);
const plain = { compression: 0, bytes: payload };

describe("a payload that is sent", () => {
  it("stays plain without a compressor", () => {
    expect(new Compression(undefined, 0, []).compress(payload)).toEqual(plain);
    expect(new Compression(undefined, 0, []).applies(1_000_000)).toBe(false);
  });

  it("stays plain below minCompressBytes, and is compressed from there on", () => {
    expect(new Compression(halving(5), 11, []).compress(payload)).toEqual(plain);
    expect(new Compression(halving(5), 10, []).compress(payload)).toEqual({
      compression: 5,
      bytes: new Uint8Array(5).fill(7),
    });
  });

  it("stays plain when it is empty, also with minCompressBytes 0", () => {
    const compression = new Compression(halving(5), 0, []);
    expect(compression.applies(0)).toBe(false);
    expect(compression.compress(new Uint8Array(0))).toEqual({
      compression: 0,
      bytes: new Uint8Array(0),
    });
  });

  it("stays plain, and the same object, when the result is not smaller", async () => {
    for (const compress of [
      (given: Uint8Array) => new Uint8Array(given),
      (given: Uint8Array) => later(new Uint8Array(given)),
      (given: Uint8Array) => later(new Uint8Array(given.length + 1)),
    ]) {
      const result = await new Compression(halving(5, { compress }), 0, []).compress(payload);
      expect(result.compression).toBe(0);
      expect(result.bytes).toBe(payload);
    }
  });

  it("is compressed later by a compressor that takes its time", async () => {
    const slow = halving(6, { compress: () => later(bytes("01")) });
    const result = new Compression(slow, 0, []).compress(payload);
    expect(result).toBeInstanceOf(Promise);
    expect(await result).toEqual({ compression: 6, bytes: bytes("01") });
  });

  it("fails with MSG_COMPRESS_FAILED and the cause, at once or later", async () => {
    const cause = new Error("out of memory");
    const atOnce = halving(5, {
      compress: () => {
        throw cause;
      },
    });
    const failure = { code: "MSG_COMPRESS_FAILED", cause };
    expect(() => new Compression(atOnce, 0, []).compress(payload)).toThrow(
      expect.objectContaining(failure),
    );
    const late = halving(5, { compress: () => Promise.reject(cause) });
    await expect(new Compression(late, 0, []).compress(payload)).rejects.toMatchObject(failure);
  });

  it("fails with the compressor's own error when that is one of ours", async () => {
    const error = new MsgError("MSG_COMPRESS_FAILED", "mine");
    const late = halving(5, { compress: () => Promise.reject(error) });
    await expect(new Compression(late, 0, []).compress(payload)).rejects.toBe(error);
  });
});

describe("a payload that is received", () => {
  it("is given as it is when it is plain, whatever its length", () => {
    expect(new Compression(undefined, 0, []).decompress(0, payload, 1)).toBe(payload);
  });

  it("is undone by the decompressor of its id, the compressor's own too", () => {
    const compression = new Compression(halving(5), 0, [halving(6)]);
    for (const id of [5, 6]) {
      expect(compression.decompress(id, bytes("0102"), 100)).toEqual(bytes("01010202"));
    }
  });

  it("is undone with the limit", () => {
    const limits: number[] = [];
    const decompress: Decompressor["decompress"] = (given, maxBytes) => {
      limits.push(maxBytes);
      return given;
    };
    void new Compression(undefined, 0, [halving(5, { decompress })]).decompress(5, payload, 123);
    expect(limits).toEqual([123]);
  });

  it("fails when its id is unknown, naming it", () => {
    expect(() => new Compression(halving(5), 0, []).decompress(6, payload, 100)).toThrow(
      expect.objectContaining({
        code: "MSG_UNKNOWN_COMPRESSION",
        message: expect.stringContaining("id 6"),
      }),
    );
  });

  it("fails when it is empty and says that it is compressed", () => {
    expect(() => new Compression(halving(5), 0, []).decompress(5, new Uint8Array(0), 100)).toThrow(
      expect.objectContaining({ code: "MSG_DECOMPRESS_FAILED" }),
    );
  });
});

function request(id: number, compression: number, data: Uint8Array): Uint8Array {
  return naiveEncode({ type: "request", id, compression, payload: data });
}

describe("a frame whose decompressor fails", () => {
  const broken = new Error("broken");
  const failures: readonly { readonly what: string; readonly decompressor: Decompressor }[] = [
    {
      what: "at once",
      decompressor: halving(5, {
        decompress: () => {
          throw broken;
        },
      }),
    },
    { what: "later", decompressor: halving(5, { decompress: () => Promise.reject(broken) }) },
  ];
  for (const { what, decompressor } of failures) {
    it(`${what} fails alone, with the cause, and the next one is told`, async () => {
      const compression = new Compression(undefined, 0, [decompressor]);
      const { runtime, peer, end } = await startedAgainstRawPeer("REP", "accepts", { compression });
      peer.send(joinBytes([request(1, 5, bytes("aa")), request(2, 0, bytes("bb"))]));
      await runtime.settle();
      expect(end.recording.frames).toEqual([
        { type: "unreadable", number: 1 },
        { type: "request", id: 2, compression: 0, payload: bytes("bb") },
      ]);
      expect(end.recording.errors).toEqual([
        expect.objectContaining({ code: "MSG_DECOMPRESS_FAILED", cause: broken }),
      ]);
      expect(end.events).toEqual(["ready"]);
    });
  }

  it("with an error of ours fails with that", () => {
    const error = new MsgError("MSG_PAYLOAD_TOO_LARGE", "too large");
    const decompressor = halving(5, {
      decompress: () => {
        throw error;
      },
    });
    const compression = new Compression(undefined, 0, [decompressor]);
    const { frames } = decodePieces("REP", [request(1, 5, bytes("aa"))], { compression });
    expect(frames).toEqual([{ type: "unreadable", number: 1 }]);
  });
});

describe("frames of which some are compressed", () => {
  const slow = halving(5, { decompress: (given) => later(given.toReversed()) });
  const quick = halving(6, { decompress: (given) => given.toReversed() });

  it("are told in their order, however the stream is cut", async () => {
    const payloads = fc.uint8Array({ minLength: 1, maxLength: 30 });
    const frames = fc.array(fc.tuple(fc.constantFrom(0, 5, 6), payloads), { maxLength: 15 });
    const property = fc.asyncProperty(frames, pieceLengths, async (list, lengths) => {
      let piece = 0;
      const pieceBytes = (): number => lengths[piece++ % lengths.length] ?? Infinity;
      const compression = new Compression(undefined, 0, [slow, quick]);
      const scene = await startedAgainstRawPeer("REP", "accepts", { compression }, { pieceBytes });
      scene.peer.send(joinBytes(list.map(([id, data], index) => request(index, id, data))));
      await scene.runtime.settle();
      expect(scene.end.recording.frames).toEqual(
        list.map(([id, data], index) => ({
          type: "request",
          id: index,
          compression: 0,
          payload: id === 0 ? data : data.toReversed(),
        })),
      );
      expect(scene.connection.undecodedBytes).toBe(0);
    });
    await fc.assert(property, { seed: 20_261_120, numRuns: 100 });
  });
});
