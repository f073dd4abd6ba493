import { cbor } from "@msg-ts/codecs/cbor";
import type { CborOptions } from "@msg-ts/codecs/cbor";
import { bytes, joinBytes } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import { refusal as refused } from "./refusal.ts";

/** The message of the error that decoding ends in. */
function refusal(payload: Uint8Array | string, options?: CborOptions): string {
  const given = typeof payload === "string" ? bytes(payload) : payload;
  return refused("MSG_DECODE_FAILED", () => cbor(options).decode(given));
}

const decoded = (hex: string): unknown => cbor().decode(bytes(hex));

/** `head`, then `body` as often as it takes to have `length` bytes in all. */
function filled(head: string, body: string, length: number): Uint8Array {
  const [start, part] = [bytes(head), bytes(body)];
  const payload = new Uint8Array(length);
  payload.set(start);
  for (let at = start.length; at < length; at++) {
    payload[at] = part[(at - start.length) % part.length] ?? 0;
  }
  return payload;
}

describe("a payload is refused", () => {
  it("when it is empty, or ends within an item", () => {
    expect(refusal("")).toBe("cbor payload ends within an item: it has 0 bytes");
    expect(refusal("19ff")).toBe("cbor payload ends within an item: it has 2 bytes");
    expect(refusal("a16161")).toBe("cbor payload ends within an item: it has 3 bytes");
  });

  it("when something lies behind its item", () => {
    expect(refusal("010203")).toBe("cbor payload has 2 bytes behind its end at byte 1");
    expect(refusal("f6f6")).toBe("cbor payload has 1 bytes behind its end at byte 1");
  });

  it("when text is not UTF-8, wherever it is", () => {
    expect(refusal("61ff")).toBe("cbor payload has text that is not UTF-8 at byte 0");
    expect(refusal("a162c32801")).toBe("cbor payload has text that is not UTF-8 at byte 1");
    expect(refusal("63eda080")).toBe("cbor payload has text that is not UTF-8 at byte 0");
    expect(refusal(filled("7903e8", "ff", 1003))).toMatch(/not UTF-8 at byte 0/);
  });

  it("when a length or a tag takes 8 bytes, however small it is", () => {
    for (const head of ["5b", "7b", "9b", "bb", "db"]) {
      expect(refusal(`${head}0000000000000000`)).toBe(
        "cbor payload has a length or a tag of 8 bytes at byte 0",
      );
    }
  });

  it("when a simple value is written in two bytes, or unknown", () => {
    expect(refusal("f81f")).toBe(
      "cbor payload is not well-formed: a simple value in two bytes at byte 0",
    );
    expect(refusal("f820")).toBe("cbor payload has the unknown simple value 32 at byte 0");
  });

  it("when a break code is not where one may be", () => {
    for (const hex of ["ff", "81ff", "bf6161ff", "c1ff", "9fc1ff", "9fd90102ff", "bf6161c2ff"]) {
      expect(refusal(hex)).toMatch(/a break code where none may be at byte \d$/);
    }
    expect(refusal("9f01ffff")).toBe("cbor payload has 1 bytes behind its end at byte 3");
  });
});

/** The least of a few times, in milliseconds: of a busy machine the others say nothing. */
function leastMs(work: () => void): number {
  const times = Array.from({ length: 5 }, () => {
    const start = performance.now();
    work();
    return performance.now() - start;
  });
  return Math.min(...times);
}

describe("a bomb is refused", () => {
  it("of 200 KB that are one integer, in under 100 ms", () => {
    // cbor-x alone takes 20 s for it.
    const payload = filled("c25a00030d40", "ff", 200_006);
    expect(leastMs(() => refusal(payload))).toBeLessThan(100);
    expect(refusal(payload)).toBe(
      "cbor payload has an integer of 200000 bytes, maxBignumBytes is 1024, at byte 0",
    );
  });

  it("of many integers that are each short enough: their bytes count as items", () => {
    const one = filled("c2590400", "ff", 1028);
    const head = bytes("9a000003e8");
    const payload = joinBytes([head, ...Array.from({ length: 1000 }, () => one)]);
    expect(leastMs(() => refusal(payload))).toBeLessThan(100);
    expect(refusal(payload)).toMatch(/more values than maxItems, which is 1000000$/);
  });

  it("of empty maps, before any is made", () => {
    const payload = filled("9a00f42400", "a0", 16_000_005);
    expect(leastMs(() => refusal(payload))).toBeLessThan(100);
    expect(refusal(payload)).toBe("cbor payload holds more values than maxItems, which is 1000000");
  });

  it("of items without a length in front", () => {
    expect(refusal(filled("9f", "a0", 2_000_000))).toMatch(/more values than maxItems/);
    expect(refusal(filled("9f", "00", 2_000_000))).toMatch(/more values than maxItems/);
    expect(refusal(filled("bf", "6161a0", 3_000_001))).toMatch(/more values than maxItems/);
  });

  it("of arrays, maps or sets in each other, in any number", () => {
    const deep = "cbor payload nests deeper than maxDepth, which is 64, at byte";
    expect(refusal(filled("", "81", 1_000_000))).toBe(`${deep} 64`);
    expect(refusal(filled("", "9f", 1_000_000))).toBe(`${deep} 64`);
    expect(refusal(filled("", "a100", 1_000_000))).toBe(`${deep} 128`);
    expect(refusal(filled("", "d9010281", 1_000_000))).toBe(`${deep} 259`);
    expect(refusal(filled("", "d90103a100", 1_000_000))).toBe(`${deep} 323`);
    expect(refusal(filled("", "d90103bf00", 1_000_000))).toBe(`${deep} 323`);
  });

  it("of tags on tags", () => {
    expect(refusal(filled("", "c1", 1_000_000))).toMatch(/tag on an item that it is not for at/);
    expect(refusal(filled("", "d9d9f7", 999_999))).toMatch(/tag 55799, which is not read, at/);
  });

  it("that says it holds more than its bytes can", () => {
    for (const head of ["9affffffff", "baffffffff", "99ffff", "b9ffff", "98ff", "b8ff"]) {
      expect(refusal(head)).toMatch(/^cbor payload ends within an item/);
      expect(refusal(`81${head}00`)).toMatch(/^cbor payload ends within an item/);
    }
    for (const head of ["5affffffff", "7affffffff", "c25affffffff", "d8405affffffff"]) {
      expect(refusal(`${head}00`)).toMatch(/ends within an item|maxBignumBytes/);
    }
  });
});

describe("the limits", () => {
  it("let pass what is exactly at them", () => {
    expect(cbor({ maxItems: 4 }).decode(bytes("83010203"))).toEqual([1, 2, 3]);
    expect(cbor({ maxItems: 3 }).decode(bytes("a1616101"))).toEqual({ a: 1 });
    expect(cbor({ maxDepth: 2 }).decode(bytes("8180"))).toEqual([[]]);
    expect(cbor({ maxBignumBytes: 2 }).decode(bytes("c2420100"))).toBe(256n);
    expect(cbor({ maxBignumBytes: 0 }).decode(bytes("c240"))).toBe(0n);
  });

  it("refuse what is one past them", () => {
    expect(refusal("83010203", { maxItems: 3 })).toMatch(/maxItems, which is 3$/);
    expect(refusal("9f010203ff", { maxItems: 3 })).toMatch(/maxItems, which is 3$/);
    expect(refusal("a1616101", { maxItems: 2 })).toMatch(/maxItems, which is 2$/);
    expect(refusal("8180", { maxDepth: 1 })).toMatch(/maxDepth, which is 1, at byte 1$/);
    expect(refusal("c2420100", { maxBignumBytes: 1 })).toMatch(/2 bytes, maxBignumBytes is 1,/);
  });

  it("count the bytes of a bignum, and a tagged item once", () => {
    expect(cbor({ maxItems: 3 }).decode(bytes("c2420100"))).toBe(256n);
    expect(refusal("c2420100", { maxItems: 2 })).toMatch(/maxItems/);
    expect(cbor({ maxItems: 1 }).decode(bytes("c100"))).toEqual(new Date(0));
  });

  it("can be lifted: maxItems to Infinity, maxDepth to 1000", () => {
    const many = filled("9a001e8480", "00", 2_000_005);
    expect(cbor({ maxItems: Infinity }).decode(many)).toHaveLength(2_000_000);
    const deep = filled("", "81", 1_000);
    deep[999] = 0x80;
    let level: unknown = cbor({ maxDepth: 1_000 }).decode(deep);
    for (let depth = 1; depth < 1_000; depth++) level = (level as unknown[])[0];
    expect(level).toEqual([]);
  });

  it("hold for each payload anew, also after one that was refused", () => {
    const codec = cbor({ maxItems: 4, maxDepth: 2 });
    for (let round = 0; round < 3; round++) {
      expect(codec.decode(bytes("83010203"))).toEqual([1, 2, 3]);
      expect(() => codec.decode(bytes("818401020304"))).toThrow(/maxItems/);
      expect(() => codec.decode(bytes("818180"))).toThrow(/maxDepth/);
      expect(codec.decode(bytes("8180"))).toEqual([[]]);
    }
  });
});

describe("of the tags that cbor-x knows", () => {
  it("those that make it refer, pack, define or construct something are refused", () => {
    const tags = {
      "fractions it rounds": ["c48201196ab3", "c5822003"],
      "packed references and tables": ["c600", "d8338480808000", "d8d861618100", "d8e16161"],
      "packed affixes of 2 and 4 bytes": ["d96bff00", "d9702000", "da6c00000000", "da7000000000"],
      "bundled strings": ["ce01", "cf01", "d9dff98200"],
      "objects of the sender's choice": ["d81b8266526567457870613a", "d81b82654572726f726161"],
      "shared and cyclic references": ["d81c81d81d00", "d81d00"],
      "definitions of records": ["d869821900e08161611861", "d9dffe8219e0008161616101"],
      "records, defined or used": ["d9dfff8319e000816161016101", "d9e00081016101", "d9e0ff80"],
      "shared data": ["da5368726400"],
    };
    for (const [what, payloads] of Object.entries(tags)) {
      for (const payload of payloads) {
        expect(`${what}: ${refusal(payload)}`).toMatch(
          /: cbor payload has tag \d+, which is not read, at byte 0$/,
        );
      }
    }
  });

  it("those past 4 bytes, and all others, are refused: no application sees a Tag", () => {
    for (const payload of ["c900", "d82501", "d8644001", "d90100a0", "daffffffff00"]) {
      expect(refusal(payload)).toMatch(/which is not read, at byte 0$/);
    }
  });

  it("those that are read are refused on anything that they are not for", () => {
    const wrong = ["c001", "c080", "c16161", "c180", "c1f4", "c261 61", "c280", "c301"];
    const others = [
      "d9010200",
      "d9010261 61",
      "d90102a0",
      "d9010300",
      "d9010380",
      "d84001",
      "d84580",
    ];
    for (const payload of [...wrong, ...others]) {
      expect(refusal(payload)).toMatch(/tag on an item|no Date can be/);
    }
  });

  it("55799 in front is read over, with any value behind, and refused anywhere else", () => {
    expect(decoded("d9d9f7 83010203")).toEqual([1, 2, 3]);
    expect(decoded("d9d9f7 f7")).toBeUndefined();
    expect(refusal("81d9d9f700")).toMatch(/tag 55799, which is not read, at byte 1$/);
    expect(refusal("d9d9f7")).toBe("cbor payload ends within an item: it has 3 bytes");
  });
});

describe("a date", () => {
  it("is read from text as RFC 3339 has it, with any offset and fraction", () => {
    const codec = cbor();
    for (const text of [
      "2013-03-21T20:04:00Z",
      "2013-03-21T20:04:00.380841Z",
      "2013-03-21T20:04:00+02:00",
      "0000-01-01T00:00:00-23:59",
      "2024-02-29T23:59:59.999Z",
    ]) {
      const payload = joinBytes([bytes("c078"), Uint8Array.of(text.length), Buffer.from(text)]);
      expect(codec.decode(payload)).toEqual(new Date(text));
    }
  });

  it("is refused where it would be an invalid or another Date", () => {
    for (const text of [
      "",
      "1",
      "2013",
      "2013-03-21",
      "2013-03-21t20:04:00z",
      "2013-13-21T20:04:00Z",
      "2013-00-21T20:04:00Z",
      "2013-03-00T20:04:00Z",
      "2013-02-29T20:04:00Z",
      "2013-03-21T24:00:00Z",
      "2013-03-21T20:60:00Z",
      "2016-12-31T23:59:60Z",
      "2013-03-21T20:04:00",
      "2013-03-21T20:04:00Z ",
      `2013-03-21T20:04:00.${"0".repeat(60)}Z`,
    ]) {
      const payload = joinBytes([bytes("c078"), Uint8Array.of(text.length), Buffer.from(text)]);
      expect(refusal(payload)).toMatch(/a date that is none of RFC 3339 at byte 1$/);
    }
  });

  it("is refused as a number of seconds that no Date can have", () => {
    for (const seconds of ["f97e00", "f97c00", "fa7fc00000", "fb7ff0000000000000"]) {
      expect(refusal(`c1${seconds}`)).toBe("cbor payload has a date that no Date can be at byte 1");
    }
    expect(refusal("c1fb429f6ea086000001")).toMatch(/no Date can be/);
    expect(refusal("c11b0000000000000001")).toMatch(/no Date can be/);
    expect(decoded("c1fb429f6ea086000000")).toEqual(new Date(8.64e15));
    expect(decoded("c1fa47c35000")).toEqual(new Date(100_000_000));
    expect(decoded("c13903e7")).toEqual(new Date(-1_000_000));
  });
});

describe("the keys of an object", () => {
  it("are text, or integers, which become their digits", () => {
    expect(decoded("a3 01 61 61 20 61 62 6163 03")).toEqual({ "1": "a", "-1": "b", c: 3 });
    expect(decoded("a1 1b0020000000000001 00")).toEqual({ "9007199254740993": 0 });
    expect(decoded("bf 01 00 ff")).toEqual({ "1": 0 });
  });

  it("may be neither anything else nor tagged", () => {
    for (const key of ["40", "80", "a0", "f4", "f6", "f7", "f93c00", "c100", "c24101"]) {
      expect(refusal(`a1${key}00`)).toBe(
        "cbor payload has a key that is neither text nor an integer at byte 1",
      );
    }
  });

  it("are the last ones where they are there twice, as in JSON", () => {
    expect(decoded("a2 6161 01 6161 02")).toEqual({ a: 2 });
  });

  it("may not be __proto__, however it is written; nothing is polluted", () => {
    const proto = Buffer.from("__proto__").toString("hex");
    for (const key of [`69${proto}`, `7809${proto}`, `790009${proto}`, `7a00000009${proto}`]) {
      expect(refusal(`a1${key}a1 6161 01`)).toBe("cbor payload has the key __proto__ at byte 1");
      expect(refusal(`bf${key}a1 6161 01 ff`)).toMatch(/has the key __proto__ at byte 1$/);
      expect(refusal(`81a2 6161 01 ${key}00`)).toMatch(/has the key __proto__ at byte 5$/);
    }
    expect(({} as { a?: unknown }).a).toBeUndefined();
  });

  it("may be any other name that objects inherit, and are then their own", () => {
    const value = decoded("a2 6b636f6e7374727563746f72 01 68746f537472696e67 02");
    expect(value).toStrictEqual({ constructor: 1, toString: 2 });
  });
});

describe("the keys of a Map", () => {
  it("may be anything, __proto__ included", () => {
    const proto = Buffer.from("__proto__").toString("hex");
    const value = decoded(`d90103 a4 69${proto} 01 80 02 f6 03 a0 04`);
    expect(value).toEqual(
      new Map<unknown, unknown>([
        ["__proto__", 1],
        [[], 2],
        [null, 3],
        [{}, 4],
      ]),
    );
  });

  it("make no Maps of the maps inside", () => {
    const value = decoded("d90103 a1 a1 6161 01 82 a0 d90103a0");
    expect(value).toEqual(new Map([[{ a: 1 }, [{}, new Map()]]]));
  });
});

describe("text that cbor-x would change", () => {
  const mark = "\ufeff";

  it("keeps its byte order mark, at any length and place", () => {
    const codec = cbor();
    for (const length of [0, 1, 63, 64, 65, 100, 252, 253, 300, 70_000]) {
      const text = mark + "x".repeat(length);
      const value = [text, { [text]: text, y: [`${mark}${mark}`, text] }, "end", text];
      expect(codec.decode(codec.encode(value))).toStrictEqual(value);
    }
  });

  it("is refused where it looks like a break code to it", () => {
    const text = `6f${Buffer.from("[object Object]").toString("hex")}`;
    const falseBreak = /"\[object Object\]" where a break code may be/;
    expect(refusal(`9f${text}ff`)).toMatch(falseBreak);
    expect(refusal(`9f01${text}ff`)).toMatch(falseBreak);
    expect(refusal(`bf${text}00ff`)).toMatch(falseBreak);
    expect(refusal(`d90103bf${text}00ff`)).toMatch(falseBreak);
    // Anywhere else it is text as any other.
    const codec = cbor();
    expect(codec.decode(bytes(`bf6161${text}ff`))).toEqual({ a: "[object Object]" });
    expect(codec.decode(bytes(`9f81${text}ff`))).toEqual([["[object Object]"]]);
    const value = ["[object Object]", { "[object Object]": "[object Object]" }];
    expect(codec.decode(codec.encode(value))).toStrictEqual(value);
  });

  it("is the same with a letter outside ASCII at every place", () => {
    const codec = cbor();
    for (let length = 1; length < 80; length++) {
      for (let at = 0; at < length; at++) {
        const text = `${"x".repeat(at)}\u00fc${"y".repeat(length - at - 1)}`;
        expect(codec.decode(codec.encode(text))).toBe(text);
        expect(codec.decode(codec.encode([{ [text]: text }]))).toEqual([{ [text]: text }]);
      }
    }
  });
});

describe("typed arrays", () => {
  it("may not have half an element", () => {
    expect(refusal("d84543010203")).toBe(
      "cbor payload has 3 bytes for elements of 2 bytes at byte 2",
    );
    expect(refusal("d85643010203")).toMatch(/3 bytes for elements of 8 bytes/);
    expect(refusal("d84143010203")).toMatch(/3 bytes for elements of 2 bytes/);
  });

  it("of 2 and 16 byte floats are refused", () => {
    for (const tag of [76, 80, 83, 84, 87]) {
      expect(refusal(`d8${tag.toString(16)}40`)).toMatch(/which is not read/);
    }
  });
});

describe("what was decoded", () => {
  it("shares no memory with the payload", () => {
    const payload = bytes("83 4401020304 d84044 05060708 d84544 01000200");
    const value = cbor().decode(payload) as Uint8Array[];
    payload.fill(0xee);
    expect(value).toEqual([
      Uint8Array.of(1, 2, 3, 4),
      Uint8Array.of(5, 6, 7, 8),
      Uint16Array.of(1, 2),
    ]);
    for (const part of value) {
      expect(part.buffer).not.toBe(payload.buffer);
      expect(part.buffer.byteLength).toBe(4);
    }
  });

  it("has byte strings that are Uint8Arrays, also when the payload is a Buffer", () => {
    const value = cbor().decode(Buffer.from("4101", "hex")) as object;
    expect(value.constructor).toBe(Uint8Array);
  });

  it("is read from the middle of a larger buffer", () => {
    const outer = bytes("ffff 83010203 ffff");
    expect(cbor().decode(outer.subarray(2, 6))).toEqual([1, 2, 3]);
    expect(cbor().decode(Buffer.from(outer.buffer, 2, 4))).toEqual([1, 2, 3]);
  });

  it("is the same from a payload that nobody may extend", () => {
    const payload = Object.preventExtensions(bytes("83010203"));
    expect(cbor().decode(payload)).toEqual([1, 2, 3]);
  });
});
