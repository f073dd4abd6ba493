import type { Compressor } from "@msg-ts/core";
import type { BlockHeader } from "./block-compressor.ts";
import { blockCompressor } from "./block-compressor.ts";
import { loadNativePackage } from "./native-package.ts";
import type { AsyncOptions } from "./options.ts";

/** How {@link snappy} works. It has no levels. */
export type SnappyOptions = AsyncOptions;

/** What is used of the package `snappy`. */
interface SnappyPackage {
  compressSync(payload: Uint8Array, options: typeof copied): Uint8Array;
  compress(payload: Uint8Array): Promise<Uint8Array>;
  uncompressSync(payload: Uint8Array, options: typeof copied): Uint8Array;
  uncompress(payload: Uint8Array): Promise<Uint8Array>;
}

/**
 * Has the package copy a result into memory of V8 instead of lending its own. In place that is
 * quicker; from a thread it is not, because the copy is made on the main thread.
 */
const copied = { copyOutputData: true } as const;

const maxLengthBytes = 5;

/** The densest element is a copy with a 16-bit offset: 3 bytes that stand for 64. */
const densest = { elementBytes: 3, plainBytes: 64 };

/**
 * Makes the compressor `snappy`, id 3: a raw block, not the framing format.
 *
 * @throws MsgError `MSG_INVALID_OPTION`, naming the option and its limits; `MSG_MISSING_PACKAGE`
 *   when the package `snappy` is not installed or does not load.
 */
export function snappy(options: SnappyOptions = {}): Compressor {
  const library = loadNativePackage("snappy", "snappy()") as SnappyPackage;
  const compress = {
    inPlace: (payload: Uint8Array) => library.compressSync(payload, copied),
    onThread: async (payload: Uint8Array) =>
      released(await library.compress(payload), payload.length),
  };
  const decompress = {
    inPlace: (payload: Uint8Array) => library.uncompressSync(payload, copied),
    onThread: (payload: Uint8Array) => library.uncompress(payload),
  };
  return blockCompressor({ id: 3, name: "snappy", compress, decompress, header }, options);
}

/**
 * What the package lends has room for the worst case behind it, a little more than the plain bytes,
 * which no length tells. Where that is more than twice the result, the result is copied.
 */
function released(result: Uint8Array, plainBytes: number): Uint8Array {
  return plainBytes > 2 * result.length ? new Uint8Array(result) : result;
}

/** The length is a varint: seven bits a byte, the lowest first, the top bit says that more follow. */
function header(payload: Uint8Array): BlockHeader {
  let plainBytes = 0;
  for (let at = 0; at < maxLengthBytes; at++) {
    const byte = payload[at];
    if (byte === undefined) throw new Error("announced length is cut short");
    plainBytes += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) return checkedHeader(plainBytes, payload.length - at - 1);
  }
  throw new Error(`announced length has over ${maxLengthBytes} bytes`);
}

function checkedHeader(plainBytes: number, blockBytes: number): BlockHeader {
  if (plainBytes >= 2 ** 32) throw new Error(`announced length is ${plainBytes}, over 32 bits`);
  const maxPlainBytes = Math.floor((blockBytes * densest.plainBytes) / densest.elementBytes);
  return { plainBytes, maxPlainBytes };
}
