import { createRequire } from "node:module";
import { MsgError } from "@msg-ts/core";
import type { Compressor } from "@msg-ts/core";
import { bytes, compressibleBytes, hex } from "@msg-ts/testing";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { loadNativePackage } from "../src/native-package.ts";
import { addonZstd, zstdAddonOf, zstdOfAddon } from "../src/zstd-addon.ts";
import type { ZstdAddon, ZstdFunctions } from "../src/zstd-addon.ts";
import { zstdWith } from "../src/zstd-compressor.ts";
import { compressedBlock, fullBlock, rleBlock, windows, zstdFrame } from "./zstd-frames.ts";

vi.mock(import("../src/native-package.ts"), { spy: true });
const load = vi.mocked(loadNativePackage);

beforeEach(() => void load.mockReset());

const mebibyte = 1024 * 1024;
const require = createRequire(import.meta.url);
const real = require("@mongodb-js/zstd/bindings") as ZstdFunctions;

/** The installed addon with some things changed, and the lengths of all that it decompressed. */
function spied(changes: Partial<ZstdAddon> = {}) {
  const lengths: number[] = [];
  const decompress = async (data: Buffer): Promise<Uint8Array> => {
    const result = await real.decompress(data);
    lengths.push(result.length);
    return result;
  };
  const { compress } = real;
  const addon = { compress, decompress, hasLevels: true, copiesResult: false, ...changes };
  const compressor: Compressor = zstdWith((level) => zstdOfAddon(addon, level), {});
  return { compressor, lengths };
}

describe("@mongodb-js/zstd", () => {
  it("is missed when a compressor is made, saying with which Node it is not needed", () => {
    const missing = new MsgError("MSG_MISSING_PACKAGE", "it needs the package");
    load.mockImplementation(() => {
      throw missing;
    });
    expect(() => zstdWith(addonZstd, {})).toThrow(missing);
    expect(load).toHaveBeenCalledExactlyOnceWith("@mongodb-js/zstd", "zstd() before Node 22.15");
  });

  it("is used by its bindings where it has some, because they heed the level", () => {
    const wrapper = { compress: async (data: Buffer) => data, decompress: real.decompress };
    expect(zstdAddonOf(wrapper, real)).toEqual({
      compress: real.compress,
      decompress: real.decompress,
      hasLevels: true,
      copiesResult: false,
    });
  });

  it("is used as it is where it has none, with levels if it takes a second argument", () => {
    const withLevel = {
      ...real,
      compress: async (data: Buffer, level: number) => data.fill(level),
    };
    expect(zstdAddonOf(withLevel, undefined)).toMatchObject({
      hasLevels: true,
      copiesResult: true,
    });
    const without = { ...real, compress: async (data: Buffer) => data };
    expect(zstdAddonOf(without, undefined)).toMatchObject({ hasLevels: false, copiesResult: true });
  });

  it("is refused when a level is asked for that it would not heed", () => {
    const addon = { ...real, hasLevels: false, copiesResult: true };
    expect(() => zstdOfAddon(addon, 3)).not.toThrow();
    expect(() => zstdOfAddon(addon, 9)).toThrow(
      expect.objectContaining({
        code: "MSG_INVALID_OPTION",
        message:
          "zstd level is 9, must be 3 with the installed @mongodb-js/zstd, which has no levels",
      }),
    );
  });

  it("is told the level", async () => {
    const compress = vi.fn<ZstdFunctions["compress"]>(async (data) => data);
    const addon = { ...real, compress, hasLevels: true, copiesResult: true };
    await zstdWith((level) => zstdOfAddon(addon, level), { level: 19 }).compress(bytes("616263"));
    expect(compress).toHaveBeenCalledExactlyOnceWith(Buffer.from("abc"), 19);
  });

  it("is not given a frame that is cut, of which some versions would give a part", async () => {
    const decompress = vi.fn<ZstdFunctions["decompress"]>(async () => Buffer.from("part"));
    const { compressor } = spied({ decompress });
    const cut = bytes("28b52ffd 00 58 290000 68656c6c");
    expect(() => compressor.decompress(cut, 100)).toThrow(
      expect.objectContaining({ code: "MSG_DECOMPRESS_FAILED" }),
    );
    expect(decompress).not.toHaveBeenCalled();
  });

  it("is not given a frame that says that it is over the limit", () => {
    const decompress = vi.fn<ZstdFunctions["decompress"]>(real.decompress);
    const { compressor } = spied({ decompress });
    const announcing = zstdFrame({ announces: 100, blocks: [compressedBlock(100)] });
    const runs = zstdFrame({ window: windows.mib2, blocks: [rleBlock(50), rleBlock(50)] });
    for (const payload of [announcing, runs, Buffer.concat([runs, announcing])]) {
      expect(() => compressor.decompress(payload, 99)).toThrow(
        expect.objectContaining({ code: "MSG_PAYLOAD_TOO_LARGE" }),
      );
    }
    expect(decompress).not.toHaveBeenCalled();
  });

  it("is not believed: what it gives has the length that is announced, within the limit", async () => {
    const decompress = vi.fn<ZstdFunctions["decompress"]>(async () => Buffer.from("part"));
    const { compressor } = spied({ decompress });
    const announcing = zstdFrame({ announces: 100, blocks: [compressedBlock(100)] });
    await expect(compressor.decompress(announcing, 100)).rejects.toMatchObject({
      code: "MSG_DECOMPRESS_FAILED",
      cause: expect.objectContaining({ message: "zstd frame announces 100 bytes and makes 4" }),
    });
    const silent = zstdFrame({ window: windows.mib2, blocks: [compressedBlock(100)] });
    await expect(compressor.decompress(silent, 3)).rejects.toMatchObject({
      code: "MSG_PAYLOAD_TOO_LARGE",
    });
  });

  it("fails with its error as the cause, whether it throws or rejects", async () => {
    const cause = new Error("out of order");
    const throwing = (): never => {
      throw cause;
    };
    const rejecting = (): Promise<never> => Promise.reject(cause);
    for (const compress of [throwing, rejecting]) {
      const { compressor } = spied({ compress, decompress: compress });
      const compressed = (async () => compressor.compress(bytes("61")))();
      await expect(compressed).rejects.toMatchObject({ code: "MSG_COMPRESS_FAILED", cause });
      const hello = bytes("28b52ffd 00 58 290000 68656c6c6f");
      const plain = (async () => compressor.decompress(hello, 5))();
      await expect(plain).rejects.toMatchObject({ code: "MSG_DECOMPRESS_FAILED", cause });
    }
  });
});

describe("a frame whose blocks might make more than the limit", () => {
  const blockBytes = 75_000;
  const blocks = Array.from({ length: 200 }, () => compressedBlock(blockBytes, 0x61));
  const plain = Buffer.alloc(blocks.length * blockBytes, "a");
  const silent = zstdFrame({ window: windows.mib2, blocks });
  const payloads = {
    "does not announce its size": silent,
    "announces its size": zstdFrame({ window: windows.mib2, announces: plain.length, blocks }),
  };

  for (const copiesResult of [false, true]) {
    const version = copiesResult ? "2.0 and later" : "1.x";
    for (const [what, payload] of Object.entries(payloads)) {
      it(`is read when it does not, and ${what}, by ${version}`, async () => {
        const { compressor, lengths } = spied({ copiesResult });
        const result = await compressor.decompress(payload, plain.length);
        expect(Buffer.compare(result, plain)).toBe(0);
        // Its beginning, then all of it.
        expect(lengths).toEqual([expect.any(Number), plain.length]);
        expect(lengths[0]).toBeLessThan(plain.length);
      });
    }
  }

  it("is refused when it does, without having been decompressed much further", async () => {
    for (const limit of [plain.length - 1, plain.length / 2, mebibyte]) {
      const { compressor, lengths } = spied();
      await expect(compressor.decompress(silent, limit)).rejects.toMatchObject({
        code: "MSG_PAYLOAD_TOO_LARGE",
        message: expect.stringContaining(`maxMessageBytes is ${limit}`),
      });
      expect(Math.max(...lengths)).toBeLessThanOrEqual(limit + fullBlock);
    }
  });

  it("is refused when its beginning leaves too much doubt, naming what it may come to", async () => {
    const tiny = Array.from({ length: 1_000 }, () => compressedBlock(1));
    const { compressor, lengths } = spied();
    const payload = zstdFrame({ window: windows.kib128, blocks: tiny });
    const possibleBytes = 25 + (1_000 - 25) * fullBlock;
    await expect(compressor.decompress(payload, mebibyte)).rejects.toMatchObject({
      code: "MSG_PAYLOAD_TOO_LARGE",
      message: `payload may decompress to ${possibleBytes} bytes, maxMessageBytes is 1048576`,
    });
    // Nine full blocks would be over the limit.
    expect(lengths).toEqual([9, 17, 25]);
  });

  it("keeps its checksum out of the tries and in what is read", async () => {
    const payload = Buffer.concat([silent, bytes("01020304")]);
    payload[4] = 0x04;
    const { compressor, lengths } = spied();
    await expect(compressor.decompress(payload, plain.length)).rejects.toMatchObject({
      code: "MSG_DECOMPRESS_FAILED",
      cause: expect.objectContaining({ message: expect.stringContaining("checksum") }),
    });
    expect(lengths.length).toBe(1);
  });
});

describe("a frame with a wide window", () => {
  const window = windows.mib128;

  it("is tried with less of it, because the window takes memory as well", async () => {
    const blocks = Array.from({ length: 1_000 }, () => compressedBlock(fullBlock));
    const { compressor, lengths } = spied();
    const refused = compressor.decompress(zstdFrame({ window, blocks }), 8 * mebibyte);
    await expect(refused).rejects.toMatchObject({ code: "MSG_PAYLOAD_TOO_LARGE" });
    expect(lengths).toEqual([4 * mebibyte + fullBlock]);
  });

  it("is given to the addon with no more of it than its blocks can fill", async () => {
    const decompress = vi.fn<ZstdFunctions["decompress"]>(real.decompress);
    const { compressor } = spied({ decompress });
    await compressor.decompress(zstdFrame({ window, blocks: [compressedBlock(100)] }), mebibyte);
    const many = Array.from({ length: 64 }, () => compressedBlock(fullBlock));
    await compressor.decompress(zstdFrame({ window, blocks: many }), 8 * mebibyte);
    const fields = decompress.mock.calls.map(([data]) => hex(data.subarray(4, 6)));
    // 128 KiB and 8 MiB.
    expect(fields).toEqual(["0038", "0068"]);
  });

  it("has it still when matches reach all over it", async () => {
    const plain = compressibleBytes(500_000);
    const { compressor } = spied();
    const compressed = await real.compress(Buffer.from(plain), 20);
    // 32 MiB.
    expect(compressed[5]).toBe(0x78);
    const result = await compressor.decompress(compressed, plain.length);
    expect(Buffer.compare(result, plain)).toBe(0);
  });
});
