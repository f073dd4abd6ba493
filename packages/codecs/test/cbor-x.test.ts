import { cbor } from "@msg-ts/codecs/cbor";
import { hex } from "@msg-ts/testing";
import { addExtension, Encoder, isNativeAccelerationEnabled, setSizeLimits } from "cbor-x";
import * as ownBuild from "cbor-x/index-no-eval";
import { describe, expect, it } from "vitest";
import { refusal } from "./refusal.ts";

describe("the cbor-x that is used", () => {
  it("is no concern of the one that the rest of the process uses", () => {
    const codec = cbor();
    const given = [new Date(0), new Set([1]), Array.from({ length: 10 }, () => 0)];
    const before = hex(codec.encode(given));
    addExtension({
      Class: Date,
      tag: 1,
      encode: () => new Uint8Array(0),
      decode: () => {
        throw new Error("not ours");
      },
    });
    setSizeLimits({ maxArraySize: 1, maxMapSize: 1, maxObjectSize: 1 });
    expect(hex(codec.encode(given))).toBe(before);
    expect(codec.decode(codec.encode(given))).toEqual(given);
  });

  it("never uses the native addon, which the other one loads where it is installed", () => {
    expect(ownBuild.isNativeAccelerationEnabled).toBe(false);
    expect(typeof isNativeAccelerationEnabled).toBe("boolean");
  });

  it("may run inside of the other one", () => {
    const codec = cbor();
    const value = {
      get inner(): Uint8Array {
        return codec.encode({ a: 1 });
      },
    };
    const outer = new Encoder({ useRecords: false, variableMapSize: true }).encode(value);
    expect(hex(outer)).toBe("a165696e6e657244a1616101");
  });
});

describe("the bytes of an encoded value", () => {
  it("are never written again, whatever is encoded later", () => {
    const codec = cbor();
    const kept: { payload: Uint8Array; before: Uint8Array }[] = [];
    for (let round = 0; round < 1_000; round++) {
      // Small ones, ones that outgrow the memory, and ones that fail half-way.
      const size = round % 50 === 0 ? 20_000 : round % 97;
      const payload = codec.encode({
        round,
        text: "\u00fc".repeat(size),
        bytes: Buffer.alloc(size),
      });
      kept.push({ payload, before: new Uint8Array(payload) });
      const failing = { a: "x".repeat(round % 3_000), b: () => {} };
      refusal("MSG_ENCODE_FAILED", () => codec.encode(failing));
    }
    expect(kept.filter(({ payload, before }) => hex(payload) !== hex(before))).toEqual([]);
  });

  it("are not written again after a getter failed while cbor-x wrote", () => {
    const codec = cbor();
    let calls = 0;
    const failing = {
      a: "x".repeat(100),
      get b(): number {
        calls += 1;
        if (calls % 2 === 0) throw new Error("no");
        return 1;
      },
    };
    const first = codec.encode("first");
    expect(() => codec.encode(failing)).toThrow(/could not encode a value/);
    expect(calls).toBe(2);
    const second = codec.encode("second");
    expect([codec.decode(first), codec.decode(second)]).toEqual(["first", "second"]);
  });

  it("keep at most 8 KiB alive, or twice their length", () => {
    const codec = cbor();
    for (const length of [1, 100, 5_000, 9_000, 50_000, 1_000_000]) {
      for (const value of [
        "x".repeat(length),
        Buffer.alloc(length),
        [{ a: "\u00fc".repeat(length) }],
      ]) {
        const payload = codec.encode(value);
        const limit = Math.max(8_192, 2 * payload.length);
        expect(payload.buffer.byteLength).toBeLessThanOrEqual(limit);
        // And the next small one does not keep what the large one took.
        const small = codec.encode(1);
        expect(small.buffer.byteLength).toBeLessThanOrEqual(8_192);
        // Nor is it a copy: that would mean that cbor-x still writes into the large memory.
        expect(codec.encode(2).buffer).toBe(small.buffer);
      }
    }
  });

  it("are right for text of every length, ASCII and not", () => {
    const codec = cbor();
    for (const letter of ["x", "\u00fc", "\u6c34", "\u{10151}"]) {
      for (let length = 0; length < 300; length++) {
        const text = letter.repeat(length);
        expect(codec.decode(codec.encode(text))).toBe(text);
      }
      for (const length of [21_000, 22_000, 32_000, 33_000, 65_535, 65_536]) {
        const text = letter.repeat(length);
        expect(codec.decode(codec.encode([text, 1]))).toEqual([text, 1]);
      }
    }
  });
});

describe("a getter or toJSON that encodes", () => {
  it("gets an error instead of two mixed results", () => {
    const codec = cbor();
    const values = [
      {
        get inner(): Uint8Array {
          return cbor().encode({ a: 1 });
        },
      },
      new (class {
        toJSON(): unknown {
          return codec.encode({ a: 1 });
        }
      })(),
    ];
    for (const value of values) {
      expect(() => codec.encode(["outer", value])).toThrow(
        expect.objectContaining({
          code: "MSG_ENCODE_FAILED",
          message: expect.stringContaining("called by a getter or toJSON"),
        }),
      );
      expect(hex(codec.encode(["outer"]))).toBe("81656f75746572");
    }
  });

  it("may decode", () => {
    const codec = cbor();
    const payload = codec.encode({ a: 1 });
    const value = {
      get inner(): unknown {
        return codec.decode(payload);
      },
    };
    expect(codec.decode(codec.encode(value))).toEqual({ inner: { a: 1 } });
  });
});
