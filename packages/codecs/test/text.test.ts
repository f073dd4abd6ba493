import { text } from "@msg-ts/codecs/text";
import { bytes, hex } from "@msg-ts/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arbitraryText } from "./arbitrary-text.ts";
import { refusal } from "./refusal.ts";

describe("text", () => {
  it("is UTF-8 on the wire", () => {
    expect(text().name).toBe("text");
    expect(hex(text().encode("a\u00fc\u6c34\u{10151}"))).toBe("61c3bce6b0b4f0908591");
    expect(text().decode(bytes("61c3bce6b0b4f0908591"))).toBe("a\u00fc\u6c34\u{10151}");
    expect(text().encode("")).toHaveLength(0);
    expect(text().decode(new Uint8Array(0))).toBe("");
  });

  it("comes out as it went in, a byte order mark included", () => {
    fc.assert(
      fc.property(arbitraryText, (given) => {
        expect(text().decode(text().encode(given))).toBe(given);
      }),
    );
    expect(text().decode(text().encode("\ufeffa"))).toBe("\ufeffa");
  });

  it("of a lone surrogate is refused, not sent as U+FFFD", () => {
    for (const given of ["\ud800", "a\udc00", "\udc00\ud800", "x".repeat(1_000) + "\ud800"]) {
      expect(refusal("MSG_ENCODE_FAILED", () => text().encode(given))).toBe(
        "text cannot encode a string with a lone surrogate",
      );
    }
  });

  it("can be nothing but a string", () => {
    for (const given of [1, undefined, null, { toString: () => "a" }, Buffer.from("a")]) {
      const message = refusal("MSG_ENCODE_FAILED", () => text().encode(given as string));
      expect(message).toBe(`text cannot encode a ${typeof given}`);
    }
  });

  it("that is not UTF-8 is refused", () => {
    for (const payload of ["ff", "61c3", "eda080", "c080", "f4908080"]) {
      expect(refusal("MSG_DECODE_FAILED", () => text().decode(bytes(payload)))).toBe(
        `text payload of ${payload.length / 2} bytes is not UTF-8`,
      );
    }
  });
});
