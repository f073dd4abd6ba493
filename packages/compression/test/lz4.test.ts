import { lz4 } from "@msg-ts/compression/lz4";
import { bytes, compressibleBytes, hex } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";

/** What a decompression gives, as hex. */
async function decompressed(payload: string, maxBytes = 1_000): Promise<string> {
  return hex(await lz4().decompress(bytes(payload), maxBytes));
}

describe("the length that an lz4 payload announces", () => {
  it("has four bytes, the lowest first", async () => {
    expect(await decompressed("05000000 50 68656c6c6f")).toBe("68656c6c6f");
    for (const length of [5, 40_000]) {
      const compressed = await lz4().compress(compressibleBytes(length));
      const field = Buffer.alloc(4);
      field.writeUInt32LE(length);
      expect(hex(compressed.subarray(0, 4))).toBe(hex(field));
    }
  });

  it("is refused when it is cut short", async () => {
    for (const payload of ["", "05", "050000"]) {
      await expect(decompressed(payload)).rejects.toMatchObject({
        code: "MSG_DECOMPRESS_FAILED",
        cause: expect.objectContaining({ message: "announced length is cut short" }),
      });
    }
  });

  it("is refused when it is more than 255 for each byte of the block", async () => {
    await expect(decompressed("fb050000 50 68656c6c6f", 2_000)).rejects.toMatchObject({
      code: "MSG_DECOMPRESS_FAILED",
      cause: expect.objectContaining({
        message: "10 bytes announce 1531, can hold at most 1530",
      }),
    });
  });
});
