import { constants } from "node:buffer";
import { crc32, createGzip, createInflateRaw, gzipSync, inflateRawSync } from "node:zlib";
import type { InflateRaw, ZlibOptions } from "node:zlib";
import type { Compressor, MsgError } from "@msg-ts/core";
import { gzipHeaderBytes } from "./gzip-header.ts";
import { crc32InTurns, joinedInTurns } from "./in-turns.ts";
import type { AsyncOptions } from "./options.ts";
import { checkMinAsyncBytes, checkWhole } from "./options.ts";
import { piecesOf } from "./pieces.ts";
import { compressFailed, decompressFailed, isOverLimit, tooLarge, trimmed } from "./results.ts";

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
  return piecesOf(createGzip(settings), payload, Infinity)
    .then(joinedInTurns)
    .catch((error: unknown) => {
      throw compressFailed("gzip", error);
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
    // A stream may take long to read and yet make little.
    if (Math.max(announced, payload.length) < asyncFrom) {
      const limit = Math.min(maxBytes, asyncFrom);
      const result = inflateInPlace(payload, start, announced, limit, maxBytes);
      if (result !== undefined) return result;
    }
    return inflateOnThread(payload, start, announced, maxBytes).catch((error: unknown) => {
      throw failure(error, maxBytes);
    });
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
    // zlib takes no limit of 0 bytes: that one is checked behind it.
    const maxOutputLength = between(1, limit, constants.MAX_LENGTH);
    const settings = { ...settingsFor(chunkSize), maxOutputLength, info: true };
    const { buffer, engine } = inflateRawSync(payload.subarray(start), settings) as unknown as Info;
    if (buffer.length > maxBytes) throw tooLarge(maxBytes);
    checkTrailer(payload, start + engine.bytesWritten, buffer.length, crc32(buffer));
    return trimmed(buffer);
  } catch (error) {
    if (isOverLimit(error) && limit < maxBytes) return undefined;
    throw error;
  }
}

async function inflateOnThread(
  payload: Uint8Array,
  start: number,
  announced: number,
  maxBytes: number,
): Promise<Uint8Array> {
  // One piece for all, where the claim is possible and allowed: then nothing is joined afterwards.
  const chunkSize = between(Math.min(minAsyncPieceBytes, maxBytes), announced + 1, maxBytes + 1);
  const engine = createInflateRaw(settingsFor(chunkSize));
  const plain = await joinedInTurns(await piecesOf(engine, payload.subarray(start), maxBytes));
  checkTrailer(payload, start + engine.bytesWritten, plain.length, await crc32InTurns(plain));
  return plain;
}

/** What `inflateRawSync` gives with the setting `info`. */
interface Info {
  readonly buffer: Buffer;
  readonly engine: InflateRaw;
}

function settingsFor(chunkSize: number): ZlibOptions {
  return { chunkSize: Math.max(minPieceBytes, chunkSize) };
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

/** Compares what came out with what stands behind the deflate stream. */
function checkTrailer(payload: Uint8Array, trailer: number, bytes: number, crc: number): void {
  if (payload.length < trailer + trailerBytes) throw new Error("unexpected end of file");
  const view = viewOf(payload);
  if (view.getUint32(trailer, true) !== crc) throw new Error("incorrect data check");
  if (view.getUint32(trailer + 4, true) !== bytes % 2 ** 32) {
    throw new Error("incorrect length check");
  }
}

function failure(error: unknown, maxBytes: number): MsgError {
  return isOverLimit(error) ? tooLarge(maxBytes) : decompressFailed("gzip", error);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function between(min: number, value: number, max: number): number {
  return Math.max(min, Math.min(value, max));
}
