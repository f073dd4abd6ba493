import { constants } from "node:buffer";
import { crc32, gzip as gzipLater, gzipSync, inflateRaw, inflateRawSync } from "node:zlib";
import type { InflateRaw, ZlibOptions } from "node:zlib";
import type { Compressor } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import { gzipHeaderBytes } from "./gzip-header.ts";

/** How {@link gzip} works. */
export interface GzipOptions {
  /**
   * How hard to compress: 0 stores, 1 is fastest, 9 is smallest. Receivers need not know it.
   *
   * @defaultValue 6
   */
  readonly level?: number | undefined;

  /**
   * From how many plain bytes on a payload is compressed, or decompressed, off the main thread.
   * Lower keeps the event loop free; higher saves the detour of a small payload.
   *
   * Bytes, 0 or more, or `Infinity` for never.
   *
   * @defaultValue 8_192 to compress, 65_536 to decompress (docs/compression.md)
   */
  readonly minAsyncBytes?: number | undefined;
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
/** Keeping this much alive is cheaper than a copy. */
const neverTrimmedBytes = 8 * 1024;

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
  checkWhole("gzip level", level, 9);
  if (minAsyncBytes !== undefined && minAsyncBytes !== Infinity) {
    checkWhole("gzip minAsyncBytes", minAsyncBytes, Number.MAX_SAFE_INTEGER);
  }
  const compressFrom = minAsyncBytes ?? compressAsyncBytes;
  const decompressFrom = minAsyncBytes ?? decompressAsyncBytes;
  return {
    id: 1,
    name: "gzip",
    compress: (payload) => compress(payload, level, compressFrom),
    decompress: (payload, maxBytes) => decompress(payload, maxBytes, decompressFrom),
  };
}

function checkWhole(name: string, value: number, max: number): void {
  if (Number.isInteger(value) && value >= 0 && value <= max) return;
  const shown = typeof value === "number" ? String(value) : typeof value;
  const text = `${name} is ${shown}, must be a whole number, 0 to ${max}`;
  throw new MsgError("MSG_INVALID_OPTION", text);
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
    throw compressFailed(error);
  }
  return new Promise((resolve, reject) => {
    gzipLater(payload, settings, (error, result) => {
      if (error === null) resolve(trimmed(result));
      else reject(compressFailed(error));
    });
  });
}

function compressFailed(cause: unknown): MsgError {
  return new MsgError("MSG_COMPRESS_FAILED", "gzip could not compress", { cause });
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
    throw decompressFailed(error, maxBytes);
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
        reject(decompressFailed(thrown, maxBytes));
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

function decompressFailed(error: unknown, maxBytes: number): MsgError {
  if (MsgError.is(error)) return error;
  if (isOverLimit(error)) return tooLarge(maxBytes);
  return new MsgError("MSG_DECOMPRESS_FAILED", "gzip could not decompress", { cause: error });
}

function tooLarge(maxBytes: number): MsgError {
  const text = `payload decompresses to over ${maxBytes} bytes, maxMessageBytes is ${maxBytes}`;
  return new MsgError("MSG_PAYLOAD_TOO_LARGE", text);
}

function isOverLimit(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * A result that would keep more than twice its own memory alive is copied out of it: Node's pool,
 * from which zlib takes its pieces, has 64 KiB since Node 24.
 */
function trimmed(result: Buffer): Buffer {
  const keptBytes = result.buffer.byteLength;
  if (keptBytes <= neverTrimmedBytes || keptBytes <= 2 * result.length) return result;
  const copy = Buffer.allocUnsafeSlow(result.length);
  copy.set(result);
  return copy;
}

function between(min: number, value: number, max: number): number {
  return Math.max(min, Math.min(value, max));
}
