import { bytes, hex } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import {
  allocate,
  copyOf,
  decodeText,
  describe as describeValue,
  emptyBytes,
  encodeText,
  payloadBytes,
  viewOf,
} from "../src/bytes.ts";

describe("a view", () => {
  it("is on the same memory, and a Buffer under Node.js", () => {
    const memory = bytes("0001020304").subarray(1);
    const view = viewOf(memory, 1, 2);
    expect(hex(view)).toBe("0203");
    expect(view.buffer).toBe(memory.buffer);
    expect(Buffer.isBuffer(view)).toBe(true);
    memory[1] = 0xff;
    expect(hex(view)).toBe("ff03");
  });

  it("may be empty", () => {
    expect(viewOf(bytes("01"), 1, 0).length).toBe(0);
    expect(emptyBytes.length).toBe(0);
  });
});

describe("memory", () => {
  it("that is allocated is not part of a larger one", () => {
    for (const length of [0, 1, 100, 70_000]) {
      const memory = allocate(length);
      expect(memory.length).toBe(length);
      expect(memory.buffer.byteLength).toBe(length);
    }
  });

  it("that is copied is not shared, also when it was a Buffer", () => {
    for (const original of [bytes("0102"), Buffer.from([1, 2])]) {
      const copy = copyOf(original);
      original.fill(0);
      expect(hex(copy)).toBe("0102");
    }
  });
});

describe("text", () => {
  const pairs = [
    ["", ""],
    ["a", "61"],
    ["é", "c3a9"],
    ["\u{1f600}", "f09f9880"],
    ["\ufeffa", "efbbbf61"],
    ["\0", "00"],
  ] as const;
  it.each(pairs)("%j is %s as UTF-8, and back", (text, literal) => {
    expect(hex(encodeText(text))).toBe(literal);
    expect(decodeText(bytes(literal))).toBe(text);
  });

  it("has U+FFFD for what is not UTF-8, and for half a surrogate pair", () => {
    expect(decodeText(bytes("61ff62"))).toBe("a\ufffdb");
    expect(hex(encodeText("\ud800"))).toBe("efbfbd");
  });
});

describe("a payload", () => {
  it("is bytes as they are, or text as UTF-8", () => {
    const given = bytes("0102");
    expect(payloadBytes(given)).toBe(given);
    expect(hex(payloadBytes("é"))).toBe("c3a9");
    expect(payloadBytes("").length).toBe(0);
  });

  const others: readonly (readonly [unknown, string])[] = [
    [undefined, "undefined"],
    [null, "null"],
    [7, "7"],
    [true, "true"],
    [Symbol("s"), "symbol"],
    [{}, "Object"],
    [[1], "Array"],
    [new ArrayBuffer(1), "ArrayBuffer"],
    [new Uint16Array(1), "Uint16Array"],
    [Object.create(null), "an object"],
  ];
  it.each(others)("is not %s, and the error says so without its contents", (value, shown) => {
    expect(() => payloadBytes(value as string)).toThrow(
      expect.objectContaining({
        code: "MSG_INVALID_ARGUMENT",
        message: `payload is ${shown}, must be a Uint8Array or a string`,
      }),
    );
  });

  it("is never shown in an error: text may be secret", () => {
    expect(describeValue("secret")).toBe("string");
  });
});
