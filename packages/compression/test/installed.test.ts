import { MsgError } from "@msg-ts/core";
import { installedDecompressors } from "@msg-ts/compression/installed";
import { bytes, hex } from "@msg-ts/testing";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { loadNativePackage } from "../src/native-package.ts";

vi.mock(import("../src/native-package.ts"), { spy: true });
const load = vi.mocked(loadNativePackage);

beforeEach(() => void load.mockReset());

/** 40 times "a", by other programs. */
const forties = [
  { name: "gzip", id: 1, compressed: "1f8b08000000000000034b4c240e0000258a5bc928000000" },
  { name: "zstd", id: 2, compressed: "28b52ffd005845000010616101001f8005" },
  { name: "snappy", id: 3, compressed: "2800619a0100" },
  { name: "lz4", id: 4, compressed: "280000001f6101000e60616161616161" },
];

/** Those that need a package here. */
const native = forties.filter(({ id }) => id > ("zstd" in process.versions ? 2 : 1));

function decompressor(name: string) {
  const found = installedDecompressors().find((one) => one.name === name);
  if (found === undefined) throw new Error(`none is called ${name}`);
  return found;
}

/** What a decompression gives, as hex. */
async function decompressed(name: string, compressed: string, maxBytes: number): Promise<string> {
  return hex(await decompressor(name).decompress(bytes(compressed), maxBytes));
}

describe("what is installed", () => {
  it("is one decompressor for each algorithm, in the order of their ids", () => {
    const found = installedDecompressors().map(({ id, name }) => [id, name]);
    expect(found).toEqual([
      [1, "gzip"],
      [2, "zstd"],
      [3, "snappy"],
      [4, "lz4"],
    ]);
  });

  for (const { name, compressed } of forties) {
    it(`reads what another program compressed with ${name}`, async () => {
      expect(await decompressed(name, compressed, 40)).toBe("61".repeat(40));
    });

    it(`keeps to the limit of ${name}`, async () => {
      await expect(decompressed(name, compressed, 39)).rejects.toMatchObject({
        code: "MSG_PAYLOAD_TOO_LARGE",
      });
    });
  }

  for (const { name, compressed } of native) {
    it(`loads the package of ${name} once, and not before a payload needs it`, async () => {
      const created = decompressor(name);
      expect(load).not.toHaveBeenCalled();
      for (let i = 0; i < 3; i++) await created.decompress(bytes(compressed), 40);
      expect(load).toHaveBeenCalledOnce();
    });

    it(`looks for the package of ${name} once when it is missing, and fails every payload`, async () => {
      const missing = new MsgError("MSG_MISSING_PACKAGE", "thing() needs the package thing");
      load.mockImplementation(() => {
        throw missing;
      });
      const created = decompressor(name);
      for (let i = 0; i < 3; i++) {
        // The first is told later, when the algorithm is loaded; those behind it at once.
        const reading = async () => await created.decompress(bytes(compressed), 40);
        await expect(reading()).rejects.toMatchObject({
          code: "MSG_UNKNOWN_COMPRESSION",
          message: `payload is compressed with ${name}, and thing() needs the package thing`,
          cause: missing,
        });
      }
      expect(load).toHaveBeenCalledOnce();
    });
  }
});
