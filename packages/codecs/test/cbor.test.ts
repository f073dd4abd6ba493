import { cbor } from "@msg-ts/codecs/cbor";
import { bytes, hex } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import { refusal } from "./refusal.ts";

describe("the options of cbor", () => {
  it("need not be given", () => {
    expect(cbor().name).toBe("cbor");
    const absent = { maxDepth: undefined, maxItems: undefined, maxBignumBytes: undefined };
    expect(cbor(absent).decode(bytes("8101"))).toEqual([1]);
  });

  const ranges = {
    maxDepth: { allowed: [1, 64, 1_000], refused: [0, -1, 1_001, 1.5, Infinity, Number.NaN, "1"] },
    maxItems: { allowed: [1, 2 ** 53 - 1, Infinity], refused: [0, -1, 1.5, Number.NaN, null, "1"] },
    maxBignumBytes: { allowed: [0, 16_384], refused: [-1, 16_385, 0.5, Infinity, "1"] },
  };
  for (const [option, { allowed, refused }] of Object.entries(ranges)) {
    for (const value of allowed) {
      it(`allow ${value} as ${option}`, () => {
        expect(() => cbor({ [option]: value })).not.toThrow();
      });
    }
    for (const value of refused) {
      it(`refuse ${JSON.stringify(value)} or ${value} as ${option}, naming it and its limits`, () => {
        expect(refusal("MSG_INVALID_OPTION", () => cbor({ [option]: value }))).toMatch(
          new RegExp(`^cbor ${option} is .*, must be a whole number, \\d+ to \\d+$`),
        );
      });
    }
  }

  it("are not changed, and not looked at again", () => {
    const options = { maxItems: 2 };
    const codec = cbor(Object.freeze({ ...options }));
    const loose = cbor(options);
    options.maxItems = 1;
    expect(codec.decode(bytes("8101"))).toEqual([1]);
    expect(loose.decode(bytes("8101"))).toEqual([1]);
  });
});

describe("a codec of cbor", () => {
  it("says what it cannot do in this library's errors, whatever it is given", () => {
    const codec = cbor();
    const values: readonly unknown[] = ["text", 1, null, undefined, {}, []];
    for (const given of values) {
      expect(refusal("MSG_DECODE_FAILED", () => codec.decode(given as Uint8Array))).toMatch(
        /^cbor /,
      );
    }
  });

  it("keeps nothing from one message to the next: each is whole by itself", () => {
    const codec = cbor();
    const value = { symbol: "BTC-USD", bid: 1 };
    const first = hex(codec.encode(value));
    for (let round = 0; round < 100; round++) expect(hex(codec.encode(value))).toBe(first);
    expect(cbor().decode(bytes(first))).toEqual(value);
  });
});
