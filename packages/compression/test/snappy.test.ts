import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { snappy } from "@msg-ts/compression/snappy";
import { bytes, compressibleBytes, hex } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";

/** What a decompression gives, as hex. */
async function decompressed(payload: string, maxBytes = 1_000): Promise<string> {
  return hex(await snappy().decompress(bytes(payload), maxBytes));
}

/** Takes away what nothing refers to any more. */
function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}

describe("the length that a snappy payload announces", () => {
  it("is in seven bits a byte, the lowest first", async () => {
    // 40 = 28, 300 = ac 02: a literal of one byte, then copies of up to 64 from one byte before.
    expect(await decompressed("28 0061 9a0100")).toBe("61".repeat(40));
    const copies = "fe0100".repeat(4) + "aa0100";
    expect(await decompressed(`ac02 0061 ${copies}`)).toBe("61".repeat(300));
  });

  it("may have more bytes than it needs, up to five", async () => {
    for (const length of ["85 00", "85 80 00", "85 80 80 80 00"]) {
      expect(await decompressed(`${length} 10 68656c6c6f`)).toBe("68656c6c6f");
    }
  });

  const malformed = [
    { what: "is missing", payload: "", cause: "announced length is cut short" },
    { what: "has no end", payload: "85 80", cause: "announced length is cut short" },
    {
      what: "has six bytes",
      payload: "85 80 80 80 80 00 10 68656c6c6f",
      cause: "announced length has over 5 bytes",
    },
    {
      what: "is 2^32",
      payload: "80 80 80 80 10 00",
      cause: "announced length is 4294967296, over 32 bits",
    },
    {
      what: "is as large as five bytes can be",
      payload: "ff ff ff ff 7f 00",
      cause: "announced length is 34359738367, over 32 bits",
    },
  ];
  for (const { what, payload, cause } of malformed) {
    it(`is refused when it ${what}, also without a limit`, async () => {
      await expect(decompressed(payload, Infinity)).rejects.toMatchObject({
        code: "MSG_DECOMPRESS_FAILED",
        cause: expect.objectContaining({ message: cause }),
      });
    });
  }
});

describe("what snappy compresses on a thread", () => {
  it("does not keep the room alive that was taken for the worst case", async () => {
    const plain = compressibleBytes(1_000_000);
    const compressor = snappy();
    const kept = [await compressor.compress(plain)];
    collectGarbage();
    // What the package lends is counted as external memory, but not as that of buffers.
    const before = process.memoryUsage().arrayBuffers;
    while (kept.length <= 20) kept.push(await compressor.compress(plain));
    collectGarbage();
    const takenBytes = process.memoryUsage().arrayBuffers - before;
    const keptBytes = kept.reduce((sum, { length }) => sum + length, 0);
    expect(keptBytes).toBeLessThan((kept.length * plain.length) / 2);
    expect(takenBytes).toBeGreaterThan(keptBytes / 2);
  });
});
