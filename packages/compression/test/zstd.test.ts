import { zstd } from "@msg-ts/compression/zstd";
import type { ZstdOptions } from "@msg-ts/compression/zstd";
import { bytes, compressibleBytes, hex, incompressibleBytes, joinBytes } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import { isInPlace, itRefusesMinAsyncBytes, itWorksInPlace } from "./async-options.ts";
import { addon, backends, builtin } from "./zstd-backends.ts";
import {
  compressedBlock,
  fullBlock,
  rawBlock,
  rleBlock,
  windows,
  zstdFrame,
} from "./zstd-frames.ts";

const mebibyte = 1024 * 1024;
const hello = bytes("28b52ffd 00 58 290000 68656c6c6f");

describe("the options of zstd", () => {
  it("need not be given", () => {
    expect(zstd()).toMatchObject({ id: 2, name: "zstd" });
    expect(() => zstd({ level: undefined, minAsyncBytes: undefined })).not.toThrow();
  });

  for (const level of [0, -1, -7, 23, 5.5, Number.NaN, Infinity, "3" as unknown as number]) {
    it(`refuse a level of ${JSON.stringify(level)} or ${level}, naming it and its limits`, () => {
      expect(() => zstd({ level })).toThrow(
        expect.objectContaining({
          code: "MSG_INVALID_OPTION",
          message: expect.stringMatching(/^zstd level is .*, must be a whole number, 1 to 22$/),
        }),
      );
    });
  }

  itRefusesMinAsyncBytes("zstd", zstd);
});

for (const { name, isAbsent, create } of backends) {
  /** The promise form of a decompression that gives or throws at once, or later. */
  const decompressed = async (payload: Uint8Array, maxBytes = 64 * mebibyte): Promise<string> =>
    hex(await create().decompress(payload, maxBytes));

  describe.skipIf(isAbsent)(`the levels of ${name}`, () => {
    it("are heeded", async () => {
      const plain = compressibleBytes(200_000);
      const lengths: number[] = [];
      for (const level of [1, 3, 9, 19]) {
        const compressed = await create({ level }).compress(plain);
        expect(Buffer.compare(await create().decompress(compressed, plain.length), plain)).toBe(0);
        lengths.push(compressed.length);
      }
      expect(new Set(lengths).size).toBe(4);
      expect(Math.min(...lengths)).toBe(lengths[3]);
    });

    it("are 3 by default", async () => {
      const plain = compressibleBytes(4_000);
      expect(hex(await create().compress(plain))).toBe(
        hex(await create({ level: 3 }).compress(plain)),
      );
    });
  });

  describe.skipIf(isAbsent)(`what ${name} writes`, () => {
    it("is one whole frame without a checksum", async () => {
      for (const length of [0, 1, 1_000, 16_383, 16_384, 300_000]) {
        const compressed = await create().compress(compressibleBytes(length));
        expect(hex(compressed.subarray(0, 4))).toBe("28b52ffd");
        expect((compressed[4] ?? 0) & 0x04).toBe(0);
        expect((await create().decompress(compressed, length)).length).toBe(length);
      }
    });
  });

  describe.skipIf(isAbsent)(`what ${name} reads`, () => {
    const quick = Buffer.from("the quick brown fox, the quick brown fox");
    const quickBlock = "dd0000 a874686520717569636b2062726f776e20666f782c20010031994c";
    const abc = Buffer.from("abc".repeat(100_000));
    const frames: readonly { readonly what: string; payload: string; plain: Buffer }[] = [
      {
        what: "with content size and checksum",
        payload: `28b52ffd 2428 ${quickBlock} 157de44c`,
        plain: quick,
      },
      { what: "with content size alone", payload: `28b52ffd 2028 ${quickBlock}`, plain: quick },
      {
        what: "with a checksum alone",
        payload: `28b52ffd 0458 ${quickBlock} 157de44c`,
        plain: quick,
      },
      { what: "with neither", payload: `28b52ffd 0000 ${quickBlock}`, plain: quick },
      {
        what: "with a window of 128 MiB",
        payload: `28b52ffd 0488 ${quickBlock} 157de44c`,
        plain: quick,
      },
      {
        what: "of some blocks, with content size",
        payload: `28b52ffd a4e0930400
          5c0000 186162630100faffe66e08 4c0000 08630100fcff391002 4d0000 08620100dc131d08 0149c1711e`,
        plain: abc,
      },
      {
        what: "of some blocks, without content size, with a window of 128 MiB",
        payload: `28b52ffd 0488
          5c0000 186162630100faffe66e08 440000 000100fdffe60e08 450000 000100dd131d00 0149c1711e`,
        plain: abc,
      },
      {
        what: "with a run as a block",
        payload: `28b52ffd a4e0930400
          540000 1000000100fbff39c002 020010 00 039f04 00 2d28de26`,
        plain: Buffer.alloc(300_000),
      },
      { what: "of nothing", payload: "28b52ffd 2400 010000 99e9d851", plain: Buffer.alloc(0) },
    ];
    for (const { what, payload, plain } of frames) {
      it(`may be a frame ${what}, with the limit at its length and not below`, async () => {
        const data = bytes(payload.replaceAll(/\s/g, ""));
        expect(Buffer.compare(await create().decompress(data, plain.length), plain)).toBe(0);
        if (plain.length === 0) return;
        await expect(decompressed(data, plain.length - 1)).rejects.toMatchObject({
          code: "MSG_PAYLOAD_TOO_LARGE",
          message: `payload decompresses to over ${plain.length - 1} bytes, maxMessageBytes is ${plain.length - 1}`,
        });
      });
    }

    it("may be nothing, also when the limit is 0", async () => {
      expect(await decompressed(bytes("28b52ffd 2000 010000"), 0)).toBe("");
      expect(await decompressed(bytes("28b52ffd 0058 010000"), 0)).toBe("");
      expect(await decompressed(bytes("502a4d18 03000000 616263"), 0)).toBe("");
    });

    it("has no limit when the limit is Infinity", async () => {
      expect(await decompressed(hello, Infinity)).toBe("68656c6c6f");
    });

    it("may be frames in a row, among skippable ones, with one limit for all", async () => {
      const skipped = bytes("502a4d18 03000000 616263");
      const payload = joinBytes([skipped, hello, skipped, hello, bytes("28b52ffd 2000 010000")]);
      expect(await decompressed(payload, 10)).toBe("68656c6c6f68656c6c6f");
      await expect(decompressed(payload, 9)).rejects.toMatchObject({
        code: "MSG_PAYLOAD_TOO_LARGE",
        message: "payload decompresses to over 9 bytes, maxMessageBytes is 9",
      });
    });

    it("may be large frames in a row", async () => {
      const large = compressibleBytes(200_000);
      const one = await create().compress(large);
      const result = await create().decompress(joinBytes([one, hello, one]), 400_005);
      const expected = joinBytes([large, Buffer.from("hello"), large]);
      expect(Buffer.compare(result, expected)).toBe(0);
      await expect(decompressed(joinBytes([one, hello, one]), 400_004)).rejects.toMatchObject({
        code: "MSG_PAYLOAD_TOO_LARGE",
        message: expect.stringContaining("over 400004 bytes"),
      });
    });

    it("must be whole: no part is given of what is cut", async () => {
      const payload = await create().compress(compressibleBytes(1_000));
      for (let end = 0; end < payload.length; end++) {
        await expect(decompressed(payload.subarray(0, end))).rejects.toMatchObject({
          code: "MSG_DECOMPRESS_FAILED",
          cause: expect.objectContaining({ message: "unexpected end of file" }),
        });
      }
    });

    it("must have the checksum of its bytes, if it has one", async () => {
      const payload = bytes(`28b52ffd 2428 ${quickBlock} 157de44d`);
      await expect(decompressed(payload)).rejects.toMatchObject({
        code: "MSG_DECOMPRESS_FAILED",
        cause: expect.any(Error),
      });
    });

    it("must be no larger or smaller than it announces, as far as that is seen late", async () => {
      for (const announces of [99, 101, 3 * mebibyte - 1, 3 * mebibyte + 1]) {
        const length = announces < 1000 ? 100 : 3 * mebibyte;
        const blocks = [compressedBlock(length % fullBlock)];
        for (let made = 0; made + fullBlock <= length; made += fullBlock) {
          blocks.push(compressedBlock(fullBlock));
        }
        blocks.push(compressedBlock(0));
        const payload = zstdFrame({ window: windows.mib2, announces, blocks });
        await expect(decompressed(payload)).rejects.toMatchObject({
          code: "MSG_DECOMPRESS_FAILED",
        });
      }
    });

    it("may be larger than a window that it does not fill, and look back to its beginning", async () => {
      // Random bytes twice, with 1 MiB between them that no match can bridge but over the window.
      const noise = incompressibleBytes(50_000);
      const plain = joinBytes([noise, incompressibleBytes(mebibyte, 2), noise]);
      const compressed = await create({ level: 9 }).compress(plain);
      expect(compressed.length).toBeLessThan(plain.length - 40_000);
      const result = await create().decompress(compressed, plain.length);
      expect(Buffer.compare(result, plain)).toBe(0);
    });
  });
}

/** A frame of as many bytes that does not say so. */
function unsized(length: number): Uint8Array {
  return zstdFrame({ window: windows.mib2, blocks: [compressedBlock(length)] });
}

describe.skipIf(builtin.isAbsent)("zstd of node:zlib works in place", () => {
  itWorksInPlace(builtin.create, { compressFrom: 16_384, decompressFrom: 65_536 });

  it("up to less to compress on a level that takes longer", async () => {
    for (const [level, limit] of [
      [4, 16_384],
      [5, 4_096],
      [9, 4_096],
      [10, 1_024],
      [22, 1_024],
    ] as const) {
      expect((await isInPlace(builtin.create({ level }), limit - 1)).compress).toBe(true);
      expect((await isInPlace(builtin.create({ level }), limit)).compress).toBe(false);
    }
  });

  it("no further than 64 KiB when the sender does not say how many there are", async () => {
    expect(builtin.create().decompress(unsized(65_535), mebibyte)).toBeInstanceOf(Uint8Array);
    const result = builtin.create().decompress(unsized(65_536), mebibyte);
    expect(result).toBeInstanceOf(Promise);
    expect((await result).length).toBe(65_536);
  });

  it("not at all when the blocks say that there are more", async () => {
    const runs = zstdFrame({ window: windows.mib2, blocks: [rleBlock(65_536)] });
    const result = builtin.create().decompress(runs, mebibyte);
    expect(result).toBeInstanceOf(Promise);
    expect((await result).length).toBe(65_536);
  });
});

describe.skipIf(builtin.isAbsent)("a frame of node:zlib", () => {
  it("announces its size, made in place or on a thread", async () => {
    for (const minAsyncBytes of [0, Infinity]) {
      const compressed = await builtin.create({ minAsyncBytes }).compress(compressibleBytes(1_000));
      // Single segment, two bytes of content size: 256 less than it is.
      expect(hex(compressed.subarray(4, 7))).toBe("60e802");
    }
  });

  it("is read by @mongodb-js/zstd, and the other way around", async () => {
    for (const length of [1, 1_000, 200_000]) {
      for (const plain of [compressibleBytes(length), incompressibleBytes(length)]) {
        for (const [from, to] of [
          [builtin, addon],
          [addon, builtin],
        ] as const) {
          const compressed = await from.create().compress(plain);
          const result = await to.create().decompress(compressed, length);
          expect(Buffer.compare(result, plain)).toBe(0);
        }
      }
    }
  });
});

describe("zstd", () => {
  it("has the zstd of node:zlib where there is one, else @mongodb-js/zstd", async () => {
    const compressed = zstd().compress(compressibleBytes(1_000));
    expect(compressed instanceof Uint8Array).toBe(!builtin.isAbsent);
    const expected = (builtin.isAbsent ? addon : builtin).create();
    expect(hex(await compressed)).toBe(hex(await expected.compress(compressibleBytes(1_000))));
  });

  it("gives a raw block as it is", async () => {
    const payload = zstdFrame({ announces: 5, blocks: [rawBlock(Buffer.from("hello"))] });
    expect(Buffer.from(await zstd().decompress(payload, 5)).toString()).toBe("hello");
  });
});
