import { gunzipSync, gzipSync } from "node:zlib";
import { gzip } from "@msg-ts/compression/gzip";
import { bytes, compressibleBytes, hex, joinBytes } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import { itRefusesMinAsyncBytes, itWorksInPlace } from "./async-options.ts";
import { gzipBomb } from "./gzip-bomb.ts";

const mebibyte = 1024 * 1024;
//                    magic method flags time     extra os  deflate  crc      length
const hi = bytes("1f8b  08     00    00000000 00    ff  cbc80400 ac2a93d8 02000000");

/** The promise form of a decompression that gives or throws at once, or later. */
async function decompressed(payload: Uint8Array, maxBytes = 64 * mebibyte): Promise<string> {
  return hex(await gzip().decompress(payload, maxBytes));
}

const text = (value: string): string => hex(Buffer.from(value));

describe("the options of gzip", () => {
  it("need not be given", () => {
    expect(gzip()).toMatchObject({ id: 1, name: "gzip" });
    expect(() => gzip({ level: undefined, minAsyncBytes: undefined })).not.toThrow();
  });

  it("take every level from 0, which stores, to 9", async () => {
    const plain = compressibleBytes(4_000);
    for (let level = 0; level <= 9; level++) {
      const compressed = await gzip({ level }).compress(plain);
      expect(gunzipSync(compressed).equals(plain)).toBe(true);
    }
    expect((await gzip({ level: 0 }).compress(plain)).length).toBeGreaterThan(plain.length);
  });

  it("have 6 as the level by default", async () => {
    const plain = compressibleBytes(4_000);
    expect(hex(await gzip().compress(plain))).toBe(hex(await gzip({ level: 6 }).compress(plain)));
  });

  for (const level of [-1, 10, 5.5, Number.NaN, Infinity, "6" as unknown as number]) {
    it(`refuse a level of ${JSON.stringify(level)} or ${level}, naming it and its limits`, () => {
      expect(() => gzip({ level })).toThrow(
        expect.objectContaining({
          code: "MSG_INVALID_OPTION",
          message: expect.stringMatching(/^gzip level is .*, must be a whole number, 0 to 9$/),
        }),
      );
    });
  }

  itRefusesMinAsyncBytes("gzip", gzip);
});

describe("gzip works in place", () => {
  itWorksInPlace(gzip, { compressFrom: 8_192, decompressFrom: 65_536 });

  it("never with a long payload, however little it says there is", async () => {
    // One byte, and a trailer that says so, behind empty blocks that are not the last.
    const empty = bytes("00 0000ffff");
    const blocks = Array.from({ length: 20_000 }, () => empty);
    const stream = joinBytes([
      bytes("1f8b08 00 00000000 00ff"),
      ...blocks,
      bytes("01 0100feff 61"),
    ]);
    const payload = joinBytes([stream, bytes("43beb7e8 01000000")]);
    const result = gzip().decompress(payload, 100);
    expect(result).toBeInstanceOf(Promise);
    expect(hex(await result)).toBe("61");
  });

  it("no further than 64 KiB when the sender says there are fewer", async () => {
    // A trailer that says 1 byte.
    const bomb = await gzipBomb(1024, "00000000 01000000");
    const startMs = performance.now();
    const result = gzip().decompress(bomb, mebibyte);
    expect(result).toBeInstanceOf(Promise);
    expect(performance.now() - startMs).toBeLessThan(50);
    await expect(result).rejects.toMatchObject({ code: "MSG_PAYLOAD_TOO_LARGE" });
  });
});

describe("what gzip writes", () => {
  it("is one member without optional fields that zlib reads", async () => {
    for (const length of [1, 8_191, 8_192, 1_000_000]) {
      const plain = compressibleBytes(length);
      const compressed = await gzip().compress(plain);
      expect(hex(compressed.subarray(0, 4))).toBe("1f8b0800");
      expect(gunzipSync(compressed).equals(plain)).toBe(true);
    }
  });
});

describe("what gzip reads", () => {
  it("ends with the first member: bytes behind it are ignored, whatever they are", async () => {
    for (const behind of [
      "00",
      "00000000000000000000",
      "504b0304",
      "1f8b",
      "1f8bffff00000000",
      "ff",
    ]) {
      expect(await decompressed(joinBytes([hi, bytes(behind)]))).toBe(text("hi"));
    }
  });

  it("ends with the first member: a second one is ignored and cannot break the limit", async () => {
    const second = gzipSync(new Uint8Array(10 * mebibyte));
    expect(await decompressed(joinBytes([hi, second]), 2)).toBe(text("hi"));
    const large = compressibleBytes(200_000);
    const members = joinBytes([gzipSync(large), second]);
    const result = await gzip().decompress(members, large.length);
    expect(Buffer.compare(result, large)).toBe(0);
  });

  it("may be large, also when bytes behind it hide how large", async () => {
    const large = compressibleBytes(200_000);
    for (const behind of ["00000000", "ffffffff"]) {
      const payload = joinBytes([gzipSync(large), bytes(behind)]);
      const result = await gzip().decompress(payload, large.length);
      expect(Buffer.compare(result, large)).toBe(0);
    }
  });

  it("may be nothing, also when the limit is 0", async () => {
    expect(await decompressed(gzipSync(""), 0)).toBe("");
    expect(await decompressed(gzipSync(""), 1)).toBe("");
  });

  it("is refused when the limit is 0 and there is a byte, naming the limit", async () => {
    for (const minAsyncBytes of [0, Infinity]) {
      const call = async () => gzip({ minAsyncBytes }).decompress(hi, 0);
      await expect(call()).rejects.toMatchObject({
        code: "MSG_PAYLOAD_TOO_LARGE",
        message: "payload decompresses to over 0 bytes, maxMessageBytes is 0",
      });
    }
  });

  it("has no limit when the limit is Infinity", async () => {
    expect(await decompressed(hi, Infinity)).toBe(text("hi"));
  });

  it("may have an extra field, a name, a comment and a header check", async () => {
    const rest = "cbc80400 ac2a93d8 02000000";
    const headers = [
      "1f8b08 04 00000000 00 ff 0300 616263", // extra, 3 bytes
      "1f8b08 08 00000000 00 ff 6e616d6500", // name
      "1f8b08 10 00000000 00 ff 00", // empty comment
      "1f8b08 1c 00000000 00 ff 0000 6e00 6300", // extra, name and comment
      "1f8b08 01 00000000 00 ff", // says that it is text
    ];
    for (const header of headers) {
      expect(await decompressed(bytes(`${header} ${rest}`))).toBe(text("hi"));
    }
  });

  it("may have a header check, which must be right", async () => {
    const rest = "cbc80400 ac2a93d8 02000000";
    // The low half of the CRC-32 of the ten bytes before, little-endian.
    const header = "1f8b08 02 00000000 00 ff";
    const check = crc16(bytes(header));
    expect(await decompressed(bytes(`${header} ${check} ${rest}`))).toBe(text("hi"));
    await expect(decompressed(bytes(`${header} 0000 ${rest}`))).rejects.toMatchObject({
      code: "MSG_DECOMPRESS_FAILED",
    });
  });

  const damaged: readonly {
    readonly what: string;
    readonly payload: string;
    readonly cause: string;
  }[] = [
    { what: "another magic", payload: "1f8c0800", cause: "header check" },
    { what: "another method", payload: "1f8b0900", cause: "method" },
    { what: "a reserved flag", payload: "1f8b0820", cause: "flags" },
    { what: "an extra field that never ends", payload: "1f8b0804", cause: "end of file" },
    { what: "a name that never ends", payload: "1f8b0808", cause: "end of file" },
  ];
  for (const { what, payload, cause } of damaged) {
    it(`is refused with its cause when it has ${what}`, async () => {
      const call = decompressed(bytes(`${payload} 00000000 00 ff ffff`));
      await expect(call).rejects.toMatchObject({
        code: "MSG_DECOMPRESS_FAILED",
        cause: expect.objectContaining({ message: expect.stringContaining(cause) }),
      });
    });
  }

  it("is refused when its check or its length is wrong, in place and later", async () => {
    for (const minAsyncBytes of [0, Infinity]) {
      for (const trailer of ["ad2a93d8 02000000", "ac2a93d8 03000000"]) {
        const payload = joinBytes([hi.subarray(0, -8), bytes(trailer)]);
        const call = async () => gzip({ minAsyncBytes }).decompress(payload, 1000);
        await expect(call()).rejects.toMatchObject({ code: "MSG_DECOMPRESS_FAILED" });
      }
    }
  });

  it("is refused with zlib's own error when the deflate stream is bad, in place and later", async () => {
    const payload = joinBytes([hi.subarray(0, 10), bytes("07 00"), hi.subarray(-8)]);
    for (const minAsyncBytes of [0, Infinity]) {
      const call = async () => gzip({ minAsyncBytes }).decompress(payload, 1000);
      await expect(call()).rejects.toMatchObject({
        code: "MSG_DECOMPRESS_FAILED",
        cause: expect.objectContaining({ code: "Z_DATA_ERROR" }),
      });
    }
  });
});

/** The low half of the CRC-32, little-endian, bit by bit. */
function crc16(data: Uint8Array): string {
  let crc = 0xffff_ffff;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) === 0 ? 0 : 0xedb8_8320);
  }
  const low = ~crc & 0xffff;
  return hex(Uint8Array.of(low & 0xff, low >>> 8));
}
