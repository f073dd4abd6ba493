import type { Compressor } from "@msg-ts/core";
import { guarded } from "./guarded.ts";
import type { AsyncOptions } from "./options.ts";
import { checkMinAsyncBytes } from "./options.ts";
import { compressFailed, decompressFailed, tooLarge, trimmed } from "./results.ts";

/** One direction of an algorithm, as its package does it. */
interface Direction {
  readonly inPlace: (payload: Uint8Array) => Uint8Array;
  readonly onThread: (payload: Uint8Array) => Promise<Uint8Array>;
}

/** What a compressed payload says of its plain bytes. */
export interface BlockHeader {
  /** How many there are. */
  readonly plainBytes: number;
  /** How many there can be at most in a payload of this length. */
  readonly maxPlainBytes: number;
}

/** An algorithm whose payloads begin with the length of the plain bytes, then have one block. */
export interface BlockFormat {
  readonly id: number;
  readonly name: string;
  readonly compress: Direction;
  readonly decompress: Direction;
  /** @throws Error when the payload does not begin with a length. */
  readonly header: (payload: Uint8Array) => BlockHeader;
}

/**
 * Makes a compressor of such an algorithm, one that takes no memory before it has compared the
 * announced length with the limit and with what is possible.
 *
 * It works in place unless it is told otherwise. What the packages allocate on a thread is freed on
 * the main one, and their allocator does not take that back: a stream of payloads of 1 MiB or more
 * would make the process grow by nearly all of it (docs/compression.md).
 *
 * @throws MsgError `MSG_INVALID_OPTION`, naming the option and its limits.
 */
export function blockCompressor(format: BlockFormat, { minAsyncBytes }: AsyncOptions): Compressor {
  const { id, name } = format;
  checkMinAsyncBytes(name, minAsyncBytes);
  const asyncFrom = minAsyncBytes ?? Infinity;
  return {
    id,
    name,
    compress: (payload) => compress(format, payload, asyncFrom),
    decompress: (payload, maxBytes) => decompress(format, payload, maxBytes, asyncFrom),
  };
}

function compress(
  { name, compress: { inPlace, onThread } }: BlockFormat,
  payload: Uint8Array,
  asyncFrom: number,
): Uint8Array | Promise<Uint8Array> {
  return guarded(
    () => (payload.length < asyncFrom ? inPlace(payload) : onThread(payload)),
    trimmed,
    (error) => compressFailed(name, error),
  );
}

function decompress(
  format: BlockFormat,
  payload: Uint8Array,
  maxBytes: number,
  asyncFrom: number,
): Uint8Array | Promise<Uint8Array> {
  const { inPlace, onThread } = format.decompress;
  let plainBytes = 0;
  return guarded(
    () => {
      plainBytes = announcedBytes(format, payload, maxBytes);
      // A block may take long to read and yet announce little.
      const mostBytes = Math.max(plainBytes, payload.length);
      return mostBytes < asyncFrom ? inPlace(payload) : onThread(payload);
    },
    (result) => whole(result, plainBytes),
    (error) => decompressFailed(format.name, error),
  );
}

/** The announced length, once it is known to be allowed and possible. */
function announcedBytes(format: BlockFormat, payload: Uint8Array, maxBytes: number): number {
  const { plainBytes, maxPlainBytes } = format.header(payload);
  if (plainBytes > maxBytes) throw tooLarge(maxBytes);
  if (plainBytes > maxPlainBytes) {
    const text = `${payload.length} bytes announce ${plainBytes}, can hold at most ${maxPlainBytes}`;
    throw new Error(text);
  }
  return plainBytes;
}

function whole(result: Uint8Array, plainBytes: number): Uint8Array {
  if (result.length !== plainBytes) {
    throw new Error(`block holds ${result.length} bytes, announced are ${plainBytes}`);
  }
  return trimmed(result);
}
