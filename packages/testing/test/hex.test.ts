import { bytes, hex, joinBytes } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";

describe("literal hex", () => {
  it("is bytes, whatever white space stands between", () => {
    expect(bytes("02 00ff\n\t7E")).toEqual(Uint8Array.of(2, 0, 255, 126));
    expect(bytes("")).toEqual(new Uint8Array(0));
  });

  it("is refused when it is not whole bytes, or not hex", () => {
    for (const literal of ["0", "0 0 0", "0g", "0x01", "-1"]) {
      expect(() => bytes(literal)).toThrow(literal);
    }
  });

  it("comes back in lower case without spaces", () => {
    expect(hex(bytes("02 00FF 7e"))).toBe("0200ff7e");
    expect(hex(Buffer.from([1]))).toBe("01");
  });
});

describe("joined bytes", () => {
  it("are all parts in order, in new memory", () => {
    const part = bytes("0102");
    const joined = joinBytes([part, new Uint8Array(0), bytes("03")]);
    part.fill(0);
    expect(joined).toEqual(bytes("010203"));
    expect(joinBytes([])).toEqual(new Uint8Array(0));
  });
});
