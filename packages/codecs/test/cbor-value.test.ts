import { isDeepStrictEqual } from "node:util";
import { cbor } from "@msg-ts/codecs/cbor";
import type { CborOptions } from "@msg-ts/codecs/cbor";
import { hex } from "@msg-ts/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arbitraryJson } from "./arbitrary-text.ts";
import { refusal as refused } from "./refusal.ts";

/** The message of the error that encoding ends in. */
function refusal(value: unknown, options?: CborOptions): string {
  return refused("MSG_ENCODE_FAILED", () => cbor(options).encode(value));
}

const codec = cbor();
const encoded = (value: unknown): string => hex(codec.encode(value));
const again = (value: unknown): unknown => codec.decode(codec.encode(value));

describe("a value is written", () => {
  it("in the shortest form that there is for its length", () => {
    expect(encoded([1, 23, 24, 255, 256, 65_535, 65_536, 4_294_967_295])).toBe(
      "8801171818 18ff 190100 19ffff 1a00010000 1affffffff".replaceAll(" ", ""),
    );
    expect(encoded({ a: 1 })).toBe("a1616101");
    expect(encoded("x".repeat(24))).toBe(`7818${"78".repeat(24)}`);
  });

  it("with as many keys as it has, also past 65535", () => {
    const value = Object.fromEntries(Array.from({ length: 70_000 }, (_, key) => [`k${key}`, key]));
    const payload = codec.encode(value);
    expect(hex(payload.subarray(0, 5))).toBe("ba00011170");
    expect(isDeepStrictEqual(codec.decode(payload), value)).toBe(true);
  });

  it("as a float where it is no integer of 32 bits, as a bigint in 8 bytes", () => {
    expect(encoded(2 ** 32)).toBe("fb41f0000000000000");
    expect(encoded(5n)).toBe("1b0000000000000005");
    expect(encoded(-5n)).toBe("3b0000000000000004");
    expect(encoded(2n ** 64n)).toBe("c249010000000000000000");
    expect(encoded(-(2n ** 64n))).toBe("c348ffffffffffffffff");
  });
});

describe("what comes back as it was", () => {
  const values: Record<string, unknown> = {
    "a number past 32 bits": 2 ** 53 + 2,
    "the least number": Number.MIN_VALUE,
    NaN: Number.NaN,
    Infinity: -Infinity,
    undefined: undefined,
    null: null,
    "a bigint, however small": 1n,
    "a bigint of 64 bits": 2n ** 64n - 1n,
    "a bigint past 64 bits": -(2n ** 200n),
    "a Date": new Date(1_722_470_400_123),
    "a Date before 1970": new Date(-1),
    "the last Date": new Date(8.64e15),
    "the first Date": new Date(-8.64e15),
    "a Map of anything": new Map<unknown, unknown>([
      [1, "one"],
      ["1", { a: new Map() }],
      [{ key: true }, []],
    ]),
    "a Set of anything": new Set([1, "1", undefined, new Set([[]])]),
    bytes: Uint8Array.of(1, 2, 3),
    "no bytes": new Uint8Array(0),
    "clamped bytes": Uint8ClampedArray.of(1, 2),
    "signed bytes": Int8Array.of(-1, 2),
    "integers of 16 bits": [Int16Array.of(-1, 2), Uint16Array.of(1, 65_535)],
    "integers of 32 bits": [Int32Array.of(-1, 2), Uint32Array.of(1, 4_294_967_295)],
    "integers of 64 bits": [BigInt64Array.of(-1n, 2n), BigUint64Array.of(2n ** 64n - 1n)],
    floats: [Float32Array.of(0.5, -0), Float64Array.of(0.1, Number.NaN)],
    "odd keys": { "": 1, " ": 2, "\u0000": 3, constructor: 4, toString: 5, length: 6 },
    "an object in arrays": [[[{ a: [] }]]],
  };
  for (const [what, given] of Object.entries(values)) {
    it(`is ${what}`, () => {
      expect(again(given)).toStrictEqual(given);
      expect(again([{ given }])).toStrictEqual([{ given }]);
    });
  }

  it("is any value of JSON, and what JSON has no form for", () => {
    const more = fc.oneof(
      fc.bigInt(),
      // To the year 141353: past it, seconds as a float may be off by a millisecond.
      fc.integer({ min: -(2 ** 42) * 1_000, max: 2 ** 42 * 1_000 }).map((ms) => new Date(ms)),
      fc.uint8Array(),
      fc.float64Array(),
      fc.double().map((number) => (Object.is(number, -0) ? 0 : number)),
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(arbitraryJson, more)), (given) => {
        expect(isDeepStrictEqual(again(given), given)).toBe(true);
      }),
    );
  });
});

describe("what comes back as something else", () => {
  it("is -0, as 0", () => {
    expect(again([-0])).toStrictEqual([0]);
  });

  it("is a Buffer, as a Uint8Array", () => {
    expect(again(Buffer.from([1, 2]))).toStrictEqual(Uint8Array.of(1, 2));
  });

  it("is a hole in an array, as undefined", () => {
    expect(again(Array.from({ length: 2 }))).toStrictEqual([undefined, undefined]);
    const holes = [1];
    holes[2] = 3;
    expect(again(holes)).toStrictEqual([1, undefined, 3]);
  });

  it("is an object without a prototype or of a class, as a plain one of its own keys", () => {
    class Quote {
      readonly bid = 1;
      readonly #secret = 2;
      get spread(): number {
        return this.#secret;
      }
    }
    expect(again(new Quote())).toStrictEqual({ bid: 1 });
    expect(again(Object.assign(Object.create(null), { a: 1 }))).toStrictEqual({ a: 1 });
    expect(again({ a: 1, [Symbol("b")]: 2 })).toStrictEqual({ a: 1 });
  });

  it("is an instance with toJSON, as what that gives", () => {
    class Money {
      readonly #cents = 150n;
      toJSON(): unknown {
        return { amount: this.#cents, at: new Date(0) };
      }
    }
    expect(again([new Money()])).toStrictEqual([{ amount: 150n, at: new Date(0) }]);
    // The array, the object, two keys and two values: the instance itself does not count.
    expect(() => cbor({ maxItems: 6 }).encode([new Money()])).not.toThrow();
    expect(refusal([new Money()], { maxItems: 5 })).toMatch(/maxItems/);
    expect(again(new URL("tcp://host:1/"))).toBe("tcp://host:1/");
    class Self {
      readonly a = 1;
      toJSON(): unknown {
        return this;
      }
    }
    expect(again(new Self())).toStrictEqual({ a: 1 });
  });

  it("is a getter, as what it gives", () => {
    const value = {
      get a(): number {
        return 1;
      },
    };
    expect(again(value)).toStrictEqual({ a: 1 });
  });
});

function* generator(): Generator<number> {
  yield 1;
}

describe("a value is refused, saying where it is", () => {
  it("when it is a function or a symbol", () => {
    expect(refusal(() => {})).toBe("cbor cannot encode a function");
    expect(refusal({ items: [1, { call: () => {} }] })).toBe(
      "cbor cannot encode a function at items[1].call",
    );
    expect(refusal({ "odd key": [Symbol("a")] })).toBe(
      'cbor cannot encode a symbol at ["odd key"][0]',
    );
    expect(refusal(new Map([["a", { b: () => {} }]]))).toBe("cbor cannot encode a function at a.b");
    expect(refusal([new Set([0, () => {}])])).toBe("cbor cannot encode a function at [0][1]");
  });

  it("when it is of a class whose content would be lost or changed", () => {
    class Tags extends Array<string> {}
    class Index extends Map<string, number> {}
    const values: Record<string, object> = {
      Error: new Error("a"),
      TypeError: new TypeError("a"),
      RegExp: /a/,
      Promise: Promise.resolve(),
      WeakMap: new WeakMap(),
      WeakRef: new WeakRef({}),
      ArrayBuffer: new ArrayBuffer(1),
      SharedArrayBuffer: new SharedArrayBuffer(1),
      DataView: new DataView(new ArrayBuffer(1)),
      Blob: new Blob([]),
      URLSearchParams: new URLSearchParams(),
      Number: new Number(1),
      String: new String("a"),
      ReadableStream: new ReadableStream(),
      Tags: new Tags("a"),
      Index: new Index(),
    };
    for (const [name, value] of Object.entries(values)) {
      expect(refusal({ value })).toBe(`cbor cannot encode an instance of ${name} at value`);
    }
    class Feed {
      async *[Symbol.asyncIterator](): AsyncGenerator<number> {
        yield 1;
      }
    }
    expect(refusal({ feed: new Feed() })).toBe("cbor cannot encode an instance of Feed at feed");
    const failure = Object.assign(new Error("a"), { toJSON: () => ({}) });
    expect(refusal(failure)).toBe("cbor cannot encode an instance of Error");
    const iterators = [[1][Symbol.iterator](), new Map().keys(), "a".matchAll(/a/g), generator()];
    for (const value of iterators) {
      expect(refusal([value])).toMatch(/^cbor cannot encode an instance of [A-Za-z ]+ at \[0\]$/);
    }
  });

  it("when it is an invalid Date", () => {
    expect(refusal({ at: new Date(Number.NaN) })).toBe("cbor cannot encode an invalid Date at at");
  });

  it("when text has a lone surrogate, as a value or a key", () => {
    expect(refusal(["a", "\ud800"])).toBe("cbor cannot encode text with a lone surrogate at [1]");
    expect(refusal({ "\udc00": 1 })).toMatch(/^cbor cannot encode text with a lone surrogate at /);
    expect(refusal("x".repeat(100) + "\ud800")).toMatch(/lone surrogate$/);
  });

  it("when a key of an object is __proto__; a Map may have it", () => {
    const value = JSON.parse('{"a":{"__proto__":1}}') as unknown;
    expect(refusal(value)).toBe(
      "cbor cannot encode an object with the key __proto__ at a.__proto__",
    );
    expect(again(new Map([["__proto__", 1]]))).toStrictEqual(new Map([["__proto__", 1]]));
  });

  it("when it contains itself, in any way", () => {
    const array: unknown[] = [];
    array.push(array);
    const object: Record<string, unknown> = {};
    object["a"] = { b: [object] };
    const map = new Map<unknown, unknown>();
    map.set(map, map);
    const set = new Set<unknown>();
    set.add(set);
    const endless = class {
      toJSON(): unknown {
        return new endless();
      }
    };
    for (const value of [array, object, map, set, new endless()]) {
      expect(refusal(value)).toMatch(
        /^value for cbor nests deeper than maxDepth, which is 64, or contains itself at /,
      );
    }
  });

  it("when it is deeper than any stack", () => {
    let value: unknown = [];
    for (let depth = 0; depth < 1_000_000; depth++) value = [value];
    expect(refusal(value)).toMatch(/nests deeper than maxDepth, which is 64,/);
    expect(refusal(value, { maxDepth: 1_000 })).toMatch(/maxDepth, which is 1000,/);
  });

  it("when it holds more values than maxItems, before a long array is walked", () => {
    const long: unknown[] = [];
    long.length = 4_294_967_295;
    expect(refusal({ a: long })).toBe(
      "value for cbor holds more values than maxItems, which is 1000000 at a",
    );
    expect(refusal([1, 2, 3], { maxItems: 3 })).toMatch(/maxItems, which is 3$/);
  });

  it("when it is a bigint longer than maxBignumBytes", () => {
    expect(again(2n ** 8192n - 1n)).toBe(2n ** 8192n - 1n);
    expect(again(-(2n ** 8192n))).toBe(-(2n ** 8192n));
    expect(refusal({ a: 2n ** 8192n })).toBe(
      "cbor cannot encode an integer of more bytes than maxBignumBytes, 1024, at a",
    );
    expect(refusal(-(2n ** 8192n) - 1n)).toMatch(/maxBignumBytes, 1024,$/);
    const none = { maxBignumBytes: 0 };
    expect(refusal(2n ** 64n, none)).toMatch(/maxBignumBytes, 0,$/);
    expect(refusal(-(2n ** 64n), none)).toMatch(/maxBignumBytes, 0,$/);
    expect(hex(cbor(none).encode([2n ** 64n - 1n, 1n - 2n ** 64n]))).toBe(
      `821b${"ff".repeat(8)}3b${"ff".repeat(7)}fe`,
    );
  });
});

describe("what is thrown while a value is written", () => {
  it("by a getter or toJSON is the cause of the error", () => {
    const thrown = new Error("no");
    const values = [
      {
        get a(): never {
          throw thrown;
        },
      },
      new (class {
        toJSON(): never {
          throw thrown;
        }
      })(),
    ];
    for (const value of values) {
      expect(() => cbor().encode(value)).toThrow(
        expect.objectContaining({ code: "MSG_ENCODE_FAILED", cause: thrown }),
      );
    }
  });

  it("leaves the codec as it was", () => {
    const tight = cbor({ maxItems: 10, maxDepth: 2 });
    for (let round = 0; round < 100; round++) {
      expect(() => tight.encode([1, 2, { a: () => {} }])).toThrow(/a function/);
      expect(() => tight.encode([[[]]])).toThrow(/maxDepth/);
      expect(hex(tight.encode([1, [2, 3]]))).toBe("8201820203");
    }
  });
});

describe("what one codec writes, another with the same limits reads", () => {
  it("for any value and any limits", () => {
    const value = fc.letrec((tie) => ({
      leaf: fc.oneof(fc.integer(), fc.string(), fc.bigInt({ max: 2n ** 99n }), fc.uint8Array()),
      node: fc.oneof(
        { maxDepth: 6 },
        tie("leaf"),
        fc.array(tie("node"), { maxLength: 3 }),
        fc.dictionary(fc.stringMatching(/^[a-z]*$/), tie("node"), {
          maxKeys: 3,
          noNullPrototype: true,
        }),
        fc.array(tie("node"), { maxLength: 3 }).map((items) => new Set(items)),
        fc.array(fc.tuple(tie("node"), tie("node")), { maxLength: 3 }).map((all) => new Map(all)),
      ),
    })).node;
    const limits = fc.record({
      maxItems: fc.integer({ min: 1, max: 40 }),
      maxDepth: fc.integer({ min: 1, max: 6 }),
      maxBignumBytes: fc.integer({ min: 0, max: 16 }),
    });
    const seen = { written: 0, refused: 0 };
    fc.assert(
      fc.property(value, limits, (given, options) => {
        const receiver = cbor(options);
        let payload: Uint8Array;
        try {
          payload = receiver.encode(given);
        } catch {
          seen.refused += 1;
          // The other end would refuse it as well.
          refused("MSG_DECODE_FAILED", () => receiver.decode(codec.encode(given)));
          return true;
        }
        seen.written += 1;
        return isDeepStrictEqual(receiver.decode(payload), given);
      }),
      { numRuns: 1_000 },
    );
    expect(Math.min(seen.written, seen.refused)).toBeGreaterThan(50);
  });
});
