import { constants } from "node:buffer";
import type { Transform } from "node:stream";
import zlib from "node:zlib";
import { joinedInTurns } from "./in-turns.ts";
import { piecesOf } from "./pieces.ts";
import { isOverLimit, tooLarge } from "./results.ts";
import type { ZstdCodec } from "./zstd-compressor.ts";
import type { ZstdFrame } from "./zstd-frame.ts";
import { fitted } from "./zstd-rewrite.ts";

/** What `node:zlib` has of zstd since Node 22.15 and 23.8. */
interface BuiltinZstd {
  readonly constants: { readonly ZSTD_c_compressionLevel: number };
  zstdCompressSync(data: Uint8Array, settings: CompressSettings): Buffer;
  createZstdCompress(settings: CompressSettings): Transform;
  zstdDecompressSync(data: Uint8Array, settings: DecompressSettings): Buffer;
  createZstdDecompress(settings: DecompressSettings): Transform;
}

interface CompressSettings {
  readonly chunkSize: number;
  readonly pledgedSrcSize: number;
  readonly params: Readonly<Record<number, number>>;
}

interface DecompressSettings {
  readonly chunkSize: number;
  readonly maxOutputLength: number;
}

const decompressAsyncBytes = 64 * 1024;

/** The smallest piece of output that zlib works with. */
const minPieceBytes = 64;

/** Whether {@link builtinZstd} works here. */
export function hasBuiltinZstd(): boolean {
  return "zstdCompressSync" in zlib;
}

/** The zstd of `node:zlib`, where there is one. Works in place or on a thread. */
export function builtinZstd(level: number, minAsyncBytes: number | undefined): ZstdCodec {
  const builtin = zlib as unknown as BuiltinZstd;
  const compressFrom = minAsyncBytes ?? compressAsyncBytes(level);
  const decompressFrom = minAsyncBytes ?? decompressAsyncBytes;
  return {
    compress: (payload) => compress(builtin, payload, level, compressFrom),
    decompressFrame: (payload, frame, maxBytes) =>
      decompressFrame(builtin, payload, frame, maxBytes, decompressFrom),
  };
}

/** Where a call in place takes about as long as the detour over a thread keeps the main one busy. */
function compressAsyncBytes(level: number): number {
  if (level <= 4) return 16 * 1024;
  return level <= 9 ? 4 * 1024 : 1024;
}

function compress(
  builtin: BuiltinZstd,
  payload: Uint8Array,
  level: number,
  asyncFrom: number,
): Uint8Array | Promise<Uint8Array> {
  const settings = {
    // One piece for all, or two: the end of a large frame comes apart.
    chunkSize: mostCompressedBytes(payload.length) + 1,
    // Without it, a frame made on a thread would not announce its size.
    pledgedSrcSize: payload.length,
    params: { [builtin.constants.ZSTD_c_compressionLevel]: level },
  };
  if (payload.length < asyncFrom) return builtin.zstdCompressSync(payload, settings);
  return piecesOf(builtin.createZstdCompress(settings), payload, Infinity).then(joinedInTurns);
}

/** What libzstd promises as `ZSTD_COMPRESSBOUND`. */
function mostCompressedBytes(length: number): number {
  const below = Math.max(0, 128 * 1024 - length);
  return length + Math.ceil(length / 256) + Math.ceil(below / 2048);
}

/**
 * Small results are made in place. Where their length is not known, the attempt ends as soon as
 * there are `asyncFrom` of them, and is then made again on a thread.
 */
function decompressFrame(
  builtin: BuiltinZstd,
  payload: Uint8Array,
  frame: ZstdFrame,
  maxBytes: number,
  asyncFrom: number,
): Uint8Array | Promise<Uint8Array> {
  const { announcedBytes, blocks } = frame;
  const data = fitted(payload, frame, maxBytes);
  const leastBytes = announcedBytes ?? Math.max(blocks.minBytes, data.length);
  const mostBytes = announcedBytes ?? blocks.maxBytes;
  if (leastBytes < asyncFrom) {
    const limit = Math.min(maxBytes, asyncFrom - 1);
    const result = decompressInPlace(builtin, data, mostBytes, limit);
    if (result !== undefined) return result;
    if (limit === maxBytes) throw tooLarge(maxBytes);
  }
  const engine = builtin.createZstdDecompress(decompressSettings(mostBytes, maxBytes));
  return piecesOf(engine, data, maxBytes).then(joinedInTurns);
}

/** `undefined` when there are more than `limit` bytes. */
function decompressInPlace(
  builtin: BuiltinZstd,
  data: Uint8Array,
  mostBytes: number,
  limit: number,
): Uint8Array | undefined {
  try {
    return builtin.zstdDecompressSync(data, decompressSettings(mostBytes, limit));
  } catch (error) {
    if (isOverLimit(error)) return undefined;
    throw error;
  }
}

/**
 * One piece of output for all, so that nothing is joined afterwards, and so that a frame which
 * announces its size is decompressed right into it. One byte more, or zlib takes a second piece to
 * see that nothing follows.
 */
function decompressSettings(mostBytes: number, limit: number): DecompressSettings {
  // zlib takes no limit of 0 bytes: that one is checked behind it.
  const maxOutputLength = Math.max(1, Math.min(limit, constants.MAX_LENGTH));
  const chunkSize = Math.max(minPieceBytes, Math.min(mostBytes, maxOutputLength) + 1);
  return { chunkSize: Math.min(chunkSize, constants.MAX_LENGTH), maxOutputLength };
}
