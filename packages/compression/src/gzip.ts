import { constants } from "node:buffer";
import { crc32, gzip as gzipLater, gzipSync, inflateRaw, inflateRawSync } from "node:zlib";
import type { InflateRaw, ZlibOptions } from "node:zlib";
import type { Compressor, MsgError } from "@msg-ts/core";
import { gzipHeaderBytes } from "./gzip-header.ts";
import type { AsyncOptions } from "./options.ts";
import { checkMinAsyncBytes, checkWhole } from "./options.ts";
import { compressFailed, decompressFailed, tooLarge, trimmed } from "./results.ts";

/** How {@link gzip} works. */
export interface GzipOptions extends AsyncOptions {
  /**
   * How hard to compress: 0 stores, 1 is fastest, 9 is smallest. Receivers need not know it.
   *
   * @defaultValue 6
   */
  readonly level?: number | undefined;
}

const defaultLevel = 6;
const compressAsyncBytes = 8 * 1024;
const decompressAsyncBytes = 64 * 1024;

/** Behind the deflate stream: CRC-32 and length of the plain bytes, both little-endian. */
const trailerBytes = 8;

/** Deflate never grows data by more than this, so that a claim beyond it is a lie. */
const maxRatio = 1032;

/** The smallest piece of output that zlib works with. */
const minPieceBytes = 64;
/** A piece of output that a thread fills; a detour for less would cost more than the work. */
const minAsyncPieceBytes = 64 * 1024;
const maxCompressPieceBytes = 256 * 1024;

/**
 * Makes the compressor `gzip`, id 1: RFC 1952, one member.
 *
 * Bytes behind the first member are ignored, as msg-rs does.
 *
 * @throws MsgError `MSG_INVALID_OPTION`, naming the option and its limits.
 */
export function gzip(options: GzipOptions = {}): Compressor {
  const level = options.level ?? defaultLevel;
  const minAsyncBytes = options.minAsyncBytes;
  checkWhole("gzip level", level, 0, 9);
  checkMinAsyncBytes("gzip", minAsyncBytes);
  const compressFrom = minAsyncBytes ?? compressAsyncBytes;
  const decompressFrom = minAsyncBytes ?? decompressAsyncBytes;
  return {
    id: 1,
    name: "gzip",
    compress: (payload) => compress(payload, level, compressFrom),
    decompress: (payload, maxBytes) => decompress(payload, maxBytes, decompressFrom),
  };
}

function compress(
  payload: Uint8Array,
  level: number,
  asyncFrom: number,
): Uint8Array | Promise<Uint8Array> {
  const chunkSize = between(minPieceBytes, payload.length, maxCompressPieceBytes);
  const settings = { level, chunkSize };
  try {
    if (payload.length < asyncFrom) return trimmed(gzipSync(payload, settings));
  } catch (error) {
    throw compressFailed("gzip", error);
  }
  return new Promise((resolve, reject) => {
    gzipLater(payload, settings, (error, result) => {
      if (error === null) resolve(trimmed(result));
      else reject(compressFailed("gzip", error));
    });
  });
}

/**
 * Small results are made in place: the attempt ends as soon as there are `asyncFrom` bytes, whatever
 * the sender said they would be, and is then made again on a thread.
 */
function decompress(
  payload: Uint8Array,
  maxBytes: number,
  asyncFrom: number,
): Uint8Array | Promise<Uint8Array> {
  try {
    const start = gzipHeaderBytes(payload);
    const announced = announcedBytes(payload);
    if (announced < asyncFrom) {
      const limit = Math.min(maxBytes, asyncFrom);
      const result = inflateInPlace(payload, start, announced, limit, maxBytes);
      if (result !== undefined) return result;
    }
    return inflateOnThread(payload, start, announced, maxBytes);
  } catch (error) {
    throw failure(error, maxBytes);
  }
}

/** `undefined` when there are more than `limit` bytes, but `maxBytes` would allow them. */
function inflateInPlace(
  payload: Uint8Array,
  start: number,
  announced: number,
  limit: number,
  maxBytes: number,
): Uint8Array | undefined {
  const chunkSize = between(minPieceBytes, announced + 1, limit + 1);
  try {
    const inflated = inflateRawSync(payload.subarray(start), settingsFor(chunkSize, limit));
    return checked(inflated as unknown as Inflated, payload, start, maxBytes);
  } catch (error) {
    if (isOverLimit(error) && limit < maxBytes) return undefined;
    throw error;
  }
}

function inflateOnThread(
  payload: Uint8Array,
  start: number,
  announced: number,
  maxBytes: number,
): Promise<Uint8Array> {
  // One piece for all, where the claim is possible and allowed: then nothing is joined afterwards.
  const chunkSize = between(Math.min(minAsyncPieceBytes, maxBytes), announced + 1, maxBytes + 1);
  return new Promise((resolve, reject) => {
    const settings = settingsFor(chunkSize, maxBytes);
    inflateRaw(payload.subarray(start), settings, (error, inflated) => {
      try {
        if (error !== null) throw error;
        resolve(checked(inflated as unknown as Inflated, payload, start, maxBytes));
      } catch (thrown) {
        reject(failure(thrown, maxBytes));
      }
    });
  });
}

/** What zlib gives with the setting `info`. */
interface Inflated {
  readonly buffer: Buffer;
  readonly engine: InflateRaw;
}

function settingsFor(chunkSize: number, limit: number): ZlibOptions {
  // zlib takes no limit of 0 bytes: that one is checked behind it.
  const maxOutputLength = between(1, limit, constants.MAX_LENGTH);
  return { info: true, chunkSize: Math.max(minPieceBytes, chunkSize), maxOutputLength };
}

/**
 * Length of the plain bytes as the last four bytes say, if that is possible at all. It decides only
 * in what pieces memory is taken and where the work is done: it may be a lie, and it is wrong when
 * the trailer is not last.
 */
function announcedBytes(payload: Uint8Array): number {
  const announced = viewOf(payload).getUint32(payload.length - 4, true);
  return Math.min(announced, payload.length * maxRatio);
}

/** Compares the result with the trailer that lies behind its deflate stream. */
function checked(
  { buffer, engine }: Inflated,
  payload: Uint8Array,
  start: number,
  maxBytes: number,
): Uint8Array {
  if (buffer.length > maxBytes) throw tooLarge(maxBytes);
  const trailer = start + engine.bytesWritten;
  if (payload.length < trailer + trailerBytes) throw new Error("unexpected end of file");
  const view = viewOf(payload);
  if (view.getUint32(trailer, true) !== crc32(buffer)) throw new Error("incorrect data check");
  if (view.getUint32(trailer + 4, true) !== buffer.length % 2 ** 32) {
    throw new Error("incorrect length check");
  }
  return trimmed(buffer);
}

function failure(error: unknown, maxBytes: number): MsgError {
  return isOverLimit(error) ? tooLarge(maxBytes) : decompressFailed("gzip", error);
}

function isOverLimit(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function between(min: number, value: number, max: number): number {
  return Math.max(min, Math.min(value, max));
}
