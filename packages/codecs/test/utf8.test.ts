import { Buffer, isUtf8 as hostIsUtf8 } from "node:buffer";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isUtf8, isUtf8Here } from "../src/utf8.ts";
import { arbitraryText } from "./arbitrary-text.ts";

describe("whether bytes are UTF-8", () => {
  it("is what Node.js says, for every sequence of up to 2 bytes and the ends of longer ones", () => {
    const edges = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0];
    const leads = [...edges, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff];
    const wrong: string[] = [];
    const compare = (...sequence: number[]): void => {
      const bytes = Buffer.from(sequence);
      if (isUtf8Here(bytes, 0, bytes.length) !== hostIsUtf8(bytes))
        wrong.push(bytes.toString("hex"));
    };
    for (let first = 0; first < 256; first++) {
      compare(first);
      for (let second = 0; second < 256; second++) compare(first, second);
    }
    for (const first of leads) {
      for (const second of leads) {
        for (const third of leads) {
          compare(first, second, third);
          for (const fourth of leads) compare(first, second, third, fourth);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it("is what Node.js says, for random bytes and text, long and short", () => {
    const part = fc.oneof(fc.uint8Array({ maxLength: 3 }), arbitraryText);
    fc.assert(
      fc.property(fc.array(part), fc.nat(3), (parts, cut) => {
        const all = Buffer.concat(parts.map((each) => Buffer.from(each as Uint8Array)));
        const bytes = all.subarray(0, Math.max(0, all.length - cut));
        const expected = hostIsUtf8(bytes);
        expect(isUtf8(bytes, 0, bytes.length)).toBe(expected);
        expect(isUtf8Here(bytes, 0, bytes.length)).toBe(expected);
      }),
    );
  });

  it("is asked of nothing outside of start and end", () => {
    const bytes = Buffer.from(`\u00fc${"x".repeat(100)}\u00fc`);
    expect(isUtf8(bytes, 2, 102)).toBe(true);
    expect(isUtf8(bytes, 1, 102)).toBe(false);
    expect(isUtf8(bytes, 2, 103)).toBe(false);
    expect(isUtf8Here(bytes, 1, 3)).toBe(false);
    expect(isUtf8Here(bytes, 100, 103)).toBe(false);
    expect(isUtf8Here(bytes, 5, 5)).toBe(true);
  });
});
