import type { Compressor } from "@msg-ts/core";
import type { BlockHeader } from "./block-compressor.ts";
import { blockCompressor } from "./block-compressor.ts";
import { loadNativePackage } from "./native-package.ts";
import type { AsyncOptions } from "./options.ts";

/** How {@link lz4} works. It has no levels. */
export type Lz4Options = AsyncOptions;

/** What is used of the package `lz4-napi`. */
interface Lz4Package {
  compressSync(payload: Uint8Array): Uint8Array;
  compress(payload: Uint8Array): Promise<Uint8Array>;
  uncompressSync(payload: Uint8Array): Uint8Array;
  uncompress(payload: Uint8Array): Promise<Uint8Array>;
}

const lengthBytes = 4;

/** A byte of a block stands for at most this many: that of a match that goes on. */
const maxRatio = 255;

/**
 * Makes the compressor `lz4`, id 4: the length of the plain bytes, u32 little-endian, then one
 * block; not the frame format.
 *
 * @throws MsgError `MSG_INVALID_OPTION`, naming the option and its limits; `MSG_MISSING_PACKAGE`
 *   when the package `lz4-napi` is not installed or does not load.
 */
export function lz4(options: Lz4Options = {}): Compressor {
  const library = loadNativePackage("lz4-napi", "lz4()") as Lz4Package;
  const compress = {
    inPlace: (payload: Uint8Array) => library.compressSync(payload),
    onThread: (payload: Uint8Array) => library.compress(payload),
  };
  const decompress = {
    inPlace: (payload: Uint8Array) => library.uncompressSync(payload),
    onThread: (payload: Uint8Array) => library.uncompress(payload),
  };
  return blockCompressor({ id: 4, name: "lz4", compress, decompress, header }, options);
}

function header(payload: Uint8Array): BlockHeader {
  if (payload.length < lengthBytes) throw new Error("announced length is cut short");
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const plainBytes = view.getUint32(0, true);
  return { plainBytes, maxPlainBytes: (payload.length - lengthBytes) * maxRatio };
}
