import { isDeepStrictEqual } from "node:util";
import { json } from "@msg-ts/codecs/json";
import { bytes } from "@msg-ts/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arbitraryJson } from "./arbitrary-text.ts";
import { refusal } from "./refusal.ts";

const codec = json();
const written = (value: unknown): string => Buffer.from(codec.encode(value)).toString();
const read = (text: string): unknown => codec.decode(Buffer.from(text));
const unwritten = (value: unknown): string =>
  refusal("MSG_ENCODE_FAILED", () => codec.encode(value));
const unread = (text: string): string => refusal("MSG_DECODE_FAILED", () => read(text));

describe("json", () => {
  it("writes what JSON.stringify does, as UTF-8 without a byte order mark", () => {
    expect(codec.name).toBe("json");
    expect(written({ a: [1, "\u00fc", null], at: new Date(0), b: undefined })).toBe(
      '{"a":[1,"\u00fc",null],"at":"1970-01-01T00:00:00.000Z"}',
    );
    // What UTF-8 has no form for is escaped.
    expect(written("\ud800")).toBe(String.raw`"\ud800"`);
  });

  it("gives back any value of JSON", () => {
    fc.assert(
      fc.property(arbitraryJson, (value) => {
        expect(isDeepStrictEqual(codec.decode(codec.encode(value)), value)).toBe(true);
      }),
    );
  });

  it("refuses what JSON has no form for", () => {
    expect(unwritten(undefined)).toBe("json has no form for undefined");
    expect(unwritten(() => {})).toBe("json has no form for function");
    expect(unwritten(Symbol("a"))).toBe("json has no form for symbol");
    expect(unwritten({ toJSON: () => undefined })).toBe("json has no form for object");
  });

  it("refuses bigints, values that contain themselves, and what throws, with the cause", () => {
    const cyclic: unknown[] = [];
    cyclic.push(cyclic);
    const thrown = new Error("no");
    const throwing = {
      toJSON: (): never => {
        throw thrown;
      },
    };
    for (const value of [1n, cyclic]) {
      expect(unwritten(value)).toBe("json cannot encode a value");
    }
    expect(() => codec.encode(throwing)).toThrow(expect.objectContaining({ cause: thrown }));
  });

  it("ends in JSON or that error for a value deeper than any stack", () => {
    let deep: unknown = [];
    for (let depth = 1; depth < 100_000; depth++) deep = [deep];
    let outcome: string;
    try {
      outcome = written(deep);
    } catch {
      // JSON.stringify calls itself for each level before Node.js 26.
      outcome = unwritten(deep);
    }
    const whole = "[".repeat(100_000) + "]".repeat(100_000);
    expect(["json cannot encode a value", whole].includes(outcome)).toBe(true);
  });

  it("ignores a byte order mark in front, and nowhere else", () => {
    expect(codec.decode(bytes("efbbbf 31"))).toBe(1);
    expect(() => codec.decode(bytes("efbbbf efbbbf 31"))).toThrow(/is not JSON/);
  });

  it("refuses payloads that are not UTF-8, also inside of strings", () => {
    for (const payload of ["22 ff 22", "22 eda080 22", "31 c3"]) {
      expect(refusal("MSG_DECODE_FAILED", () => codec.decode(bytes(payload)))).toMatch(
        /^json payload of \d bytes is not UTF-8$/,
      );
    }
  });

  it("refuses payloads that are not JSON, quoting none of them", () => {
    expect(unread("")).toBe("json payload of 0 bytes is not JSON: Unexpected end of JSON input");
    const secret = "hunter2hunter2";
    for (const text of [
      `{"password": ${secret}}`,
      secret,
      `"${secret}`,
      `["${secret}" "${secret}"]`,
      `{"${secret}"}`,
      `{"a":"${secret}"}, "b"`,
      `"${secret}\n"`,
      `{"a": "${secret}", ', "': x}`,
      String.raw`"${secret}\x"`,
    ]) {
      const message = unread(text);
      expect(message).toMatch(/^json payload of \d+ bytes is not JSON: ./);
      expect(message).not.toContain("unter2");
      expect(() => read(text)).toThrow(expect.not.objectContaining({ cause: expect.anything() }));
    }
  });

  it("pollutes nothing: __proto__ is one more key", () => {
    const value = read('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}');
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.keys(value as object)).toEqual(["__proto__", "constructor"]);
    expect(codec.decode(codec.encode(value))).toEqual(value);
  });

  it("reads a million brackets as a value or an error, not a crash", () => {
    const depth = 500_000;
    expect(read("[".repeat(depth) + "]".repeat(depth))).toHaveLength(1);
    expect(unread("[".repeat(1_000_000))).toMatch(/is not JSON: Unexpected end/);
    expect(unread("[".repeat(1_000_001))).toMatch(/maxItems/);
    expect(unread('{"a":'.repeat(1_000_000))).toMatch(/maxItems/);
  });
});

/** How many values and keys a value has. */
function itemsOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  const keys = Array.isArray(value) ? 0 : Object.keys(value).length;
  return Object.values(value).reduce<number>((sum, item) => sum + itemsOf(item), 1 + keys);
}

describe("the option maxItems of json", () => {
  it("counts every value and every key, however they are spaced and escaped", () => {
    const space = fc.constantFrom("", " ", "\n\t");
    fc.assert(
      fc.property(arbitraryJson, space, (value, indent) => {
        const payload = Buffer.from(JSON.stringify(value, undefined, indent));
        const items = itemsOf(value);
        if (items > 1) {
          const less = json({ maxItems: items - 1 });
          refusal("MSG_DECODE_FAILED", () => less.decode(payload));
          refusal("MSG_ENCODE_FAILED", () => less.encode(value));
        }
        expect(isDeepStrictEqual(json({ maxItems: items }).decode(payload), value)).toBe(true);
      }),
    );
  });

  it("is 1_000_000 by default, and holds both ways", () => {
    const fits = Array.from({ length: 999_999 }, () => 0);
    expect(codec.decode(codec.encode(fits))).toHaveLength(999_999);
    expect(unwritten([...fits, 0])).toBe(
      "value for json holds more values than maxItems, which is 1000000",
    );
    expect(unread(JSON.stringify([...fits, 0]))).toBe(
      "json payload holds more values than maxItems, which is 1000000",
    );
  });

  it("does not count what stands in strings", () => {
    const value = [String.raw`[[[,,,:::{{{"\"`, `\\"`, '"'];
    expect(json({ maxItems: 4 }).decode(Buffer.from(JSON.stringify(value)))).toEqual(value);
  });

  it("may be Infinity", () => {
    const many = Array.from({ length: 1_000_001 }, () => 0);
    const lifted = json({ maxItems: Infinity });
    expect(lifted.decode(lifted.encode(many))).toHaveLength(many.length);
  });

  for (const maxItems of [0, -1, 1.5, Number.NaN, -Infinity, "9" as unknown as number]) {
    it(`is refused as ${maxItems} of type ${typeof maxItems}`, () => {
      expect(refusal("MSG_INVALID_OPTION", () => json({ maxItems }))).toMatch(
        /^json maxItems is .*, must be a whole number, 1 to \d+$/,
      );
    });
  }
});
