import { describe, expect, it } from "vitest";
import { tokensEqual } from "../src/contracts/authenticator.ts";

describe("two tokens", () => {
  it("are equal when all their bytes are, as text or as bytes", () => {
    expect(tokensEqual("secret", "secret")).toBe(true);
    expect(tokensEqual(Buffer.from("sécret"), "sécret")).toBe(true);
    expect(tokensEqual("", "")).toBe(true);
    expect(tokensEqual(new Uint8Array(0), "")).toBe(true);
  });

  it("are not equal when one byte differs, wherever it is", () => {
    for (let at = 0; at < 6; at++) {
      const other = Buffer.from("secret");
      other[at] = (other[at] ?? 0) ^ 1;
      expect(tokensEqual(other, "secret")).toBe(false);
      expect(tokensEqual("secret", other)).toBe(false);
    }
  });

  it("are not equal when one is the beginning, or a repetition, of the other", () => {
    for (const [left, right] of [
      ["", "a"],
      ["a", "ab"],
      ["ab", "abab"],
      ["aaaa", "aa"],
    ] as const) {
      expect(tokensEqual(left, right)).toBe(false);
      expect(tokensEqual(right, left)).toBe(false);
    }
  });

  it("are not equal when one is empty and the other is zeros", () => {
    expect(tokensEqual(new Uint8Array(3), "")).toBe(false);
    expect(tokensEqual("", new Uint8Array(3))).toBe(false);
  });
});
