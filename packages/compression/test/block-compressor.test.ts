import { lz4 } from "@msg-ts/compression/lz4";
import { snappy } from "@msg-ts/compression/snappy";
import { hex } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import { isInPlace, itKeepsMinAsyncBytes, itRefusesMinAsyncBytes } from "./async-options.ts";
import { littleEndian32, lz4Bomb, snappyBomb, varint } from "./block-bombs.ts";

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

const algorithms = [
  {
    create: snappy,
    announced: varint,
    bomb: snappyBomb,
    // 1 and a multiple of 64: just below 32 MiB, and 1 GiB.
    fittingBytes: 32 * mebibyte - 63,
    hugeBytes: 1024 * mebibyte + 1,
  },
  {
    create: lz4,
    announced: littleEndian32,
    bomb: lz4Bomb,
    // 25 and a multiple of 255.
    fittingBytes: 25 + 255 * 131_000,
    hugeBytes: 25 + 255 * 4_210_752,
  },
];

/** The promise form of a call that gives or throws at once, or later. */
async function later(call: () => Uint8Array | Promise<Uint8Array>): Promise<Uint8Array> {
  return call();
}

/** How much memory the process has taken at most since `before`. */
function takenBytes(before: number): number {
  return process.resourceUsage().maxRSS * kibibyte - before;
}

for (const { create, announced, bomb, fittingBytes, hugeBytes } of algorithms) {
  const { name } = create();

  describe(`the options of ${name}`, () => {
    it("need not be given", () => {
      expect(() => create()).not.toThrow();
      expect(() => create({ minAsyncBytes: undefined })).not.toThrow();
    });

    itRefusesMinAsyncBytes(name, create);
  });

  describe(`${name} works in place`, () => {
    itKeepsMinAsyncBytes(create);

    it("whatever the size, by default: results of a thread would stay in memory", async () => {
      expect(await isInPlace(create(), 1_000_000)).toEqual({ compress: true, decompress: true });
    });

    it("never with a long block, however little it announces", async () => {
      const result = create({ minAsyncBytes: 65_536 }).decompress(bomb(hugeBytes, 1), mebibyte);
      expect(result).toBeInstanceOf(Promise);
      await expect(result).rejects.toMatchObject({ code: "MSG_DECOMPRESS_FAILED" });
    });
  });

  describe(`what ${name} reads`, () => {
    it("may be nothing, also when the limit is 0", async () => {
      for (const limit of [0, 1, Infinity]) {
        const nothing = await create().compress(new Uint8Array(0));
        expect(hex(await create().decompress(nothing, limit))).toBe("");
      }
    });

    it("is refused when the limit is 0 and there is a byte, naming the limit", async () => {
      const payload = await create().compress(Uint8Array.of(1));
      await expect(later(() => create().decompress(payload, 0))).rejects.toMatchObject({
        code: "MSG_PAYLOAD_TOO_LARGE",
        message: "payload decompresses to over 0 bytes, maxMessageBytes is 0",
      });
    });

    it("is refused when it announces 4 GiB, whatever the limit, and takes no memory", async () => {
      const before = process.resourceUsage().maxRSS * kibibyte;
      for (const block of ["", "00", "5068656c6c6f", "ff".repeat(500)]) {
        const payload = Buffer.concat([announced(2 ** 32 - 1), Buffer.from(block, "hex")]);
        const startMs = performance.now();
        await expect(later(() => create().decompress(payload, mebibyte))).rejects.toMatchObject({
          code: "MSG_PAYLOAD_TOO_LARGE",
        });
        await expect(later(() => create().decompress(payload, Infinity))).rejects.toMatchObject({
          code: "MSG_DECOMPRESS_FAILED",
          cause: expect.objectContaining({
            message: expect.stringContaining("announce 4294967295, can hold at most"),
          }),
        });
        expect(performance.now() - startMs).toBeLessThan(100);
      }
      expect(takenBytes(before)).toBeLessThan(16 * mebibyte);
    });

    it("may be as dense as can be", async () => {
      const plain = await create().decompress(bomb(fittingBytes), 32 * mebibyte);
      expect(plain.length).toBe(fittingBytes);
      expect(Buffer.compare(plain, Buffer.alloc(fittingBytes))).toBe(0);
    });

    it("is refused at the announced length when it holds 1 GiB", async () => {
      const payload = bomb(hugeBytes, 32 * mebibyte);
      const before = process.resourceUsage().maxRSS * kibibyte;
      const refused = later(() => create().decompress(payload, 32 * mebibyte));
      await expect(refused).rejects.toMatchObject({ code: "MSG_DECOMPRESS_FAILED" });
      expect(takenBytes(before)).toBeLessThan(64 * mebibyte);
    });

    for (const minAsyncBytes of [0, Infinity]) {
      const where = minAsyncBytes === 0 ? "on a thread" : "in place";

      it(`is refused when it holds more or less than it announces, ${where}`, async () => {
        const compressor = create({ minAsyncBytes });
        const block = (await compressor.compress(Buffer.from("hello"))).subarray(
          announced(5).length,
        );
        for (const length of [0, 1, 4, 6, 50]) {
          const payload = Buffer.concat([announced(length), block]);
          await expect(later(() => compressor.decompress(payload, 1_000))).rejects.toMatchObject({
            code: "MSG_DECOMPRESS_FAILED",
            message: `${name} could not decompress`,
            cause: expect.any(Error),
          });
        }
      });
    }
  });
}
