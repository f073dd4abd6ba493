import { describe, expect, it } from "vitest";
import { multipart, partsOf } from "../src/multipart.ts";

describe("a payload of several parts", () => {
  it("is their bytes one after the other, and knows where each ends", () => {
    const payload = multipart(["ab", "", new Uint8Array([1, 2])]);
    expect([...payload]).toEqual([97, 98, 1, 2]);
    expect(partsOf(payload)?.map((part) => [...part])).toEqual([[97, 98], [], [1, 2]]);
  });

  it("is a copy", () => {
    const part = new Uint8Array([1]);
    const payload = multipart([part]);
    part[0] = 2;
    expect([...payload]).toEqual([1]);
  });

  it("is none when it was not made so", () => {
    multipart(["a"]);
    expect(partsOf(new Uint8Array(4))).toBeUndefined();
  });

  it("has only parts of bytes or text", () => {
    expect(() => multipart([7 as never])).toThrow("payload is 7");
  });
});
