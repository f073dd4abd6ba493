import type { Compressor } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import { guarded } from "./guarded.ts";
import { joinedInTurns } from "./in-turns.ts";
import type { AsyncOptions } from "./options.ts";
import { checkMinAsyncBytes, checkWhole } from "./options.ts";
import { compressFailed, decompressFailed, tooLarge, trimmed } from "./results.ts";
import type { ZstdFrame } from "./zstd-frame.ts";
import { zstdFrames } from "./zstd-frame.ts";

/** One implementation of zstd, set up. What it throws may be of any kind. */
export interface ZstdCodec {
  compress(payload: Uint8Array): Uint8Array | Promise<Uint8Array>;

  /**
   * Decompresses one frame of `payload`, which announces at most `maxBytes`, if anything.
   *
   * @throws MsgError `MSG_PAYLOAD_TOO_LARGE` instead of taking much more memory than that.
   */
  decompressFrame(
    payload: Uint8Array,
    frame: ZstdFrame,
    maxBytes: number,
  ): Uint8Array | Promise<Uint8Array>;
}

/** Sets an implementation up. */
export type ZstdBackend = (level: number, minAsyncBytes: number | undefined) => ZstdCodec;

const defaultLevel = 3;
/** Node's zlib has negative levels too, of which it ignores -1. */
const minLevel = 1;
const maxLevel = 22;

/** Makes the compressor of one implementation. */
export function zstdWith(
  backend: ZstdBackend,
  options: AsyncOptions & { readonly level?: number | undefined },
): Compressor {
  const level = options.level ?? defaultLevel;
  checkWhole("zstd level", level, minLevel, maxLevel);
  checkMinAsyncBytes("zstd", options.minAsyncBytes);
  const codec = backend(level, options.minAsyncBytes);
  return {
    id: 2,
    name: "zstd",
    compress: (payload) =>
      guarded(
        () => codec.compress(payload),
        trimmed,
        (error) => compressFailed("zstd", error),
      ),
    decompress: (payload, maxBytes) =>
      guarded(
        () => decompress(codec, payload, maxBytes),
        trimmed,
        (error) => decompressFailed("zstd", error),
      ),
  };
}

/** Nothing is decompressed before all of the payload has been looked through. */
function decompress(
  codec: ZstdCodec,
  payload: Uint8Array,
  maxBytes: number,
): Uint8Array | Promise<Uint8Array> {
  const frames = zstdFrames(payload);
  let leastBytes = 0;
  for (const frame of frames) leastBytes += frame.announcedBytes ?? frame.blocks.minBytes;
  if (leastBytes > maxBytes) throw tooLarge(maxBytes);
  const [first] = frames;
  if (first === undefined) return new Uint8Array(0);
  return frames.length === 1
    ? decompressFrame(codec, payload, first, maxBytes)
    : decompressFrames(codec, payload, frames, maxBytes);
}

async function decompressFrames(
  codec: ZstdCodec,
  payload: Uint8Array,
  frames: readonly ZstdFrame[],
  maxBytes: number,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let leftBytes = maxBytes;
  try {
    for (const frame of frames) {
      const part = await decompressFrame(codec, payload, frame, leftBytes);
      parts.push(part);
      leftBytes -= part.length;
    }
  } catch (error) {
    // It names what was left of the limit.
    throw MsgError.is(error, "MSG_PAYLOAD_TOO_LARGE") ? tooLarge(maxBytes) : error;
  }
  return joinedInTurns(parts);
}

function decompressFrame(
  codec: ZstdCodec,
  payload: Uint8Array,
  frame: ZstdFrame,
  maxBytes: number,
): Uint8Array | Promise<Uint8Array> {
  const check = (result: Uint8Array): Uint8Array => checked(result, frame, maxBytes);
  const result = codec.decompressFrame(payload, frame, maxBytes);
  return result instanceof Uint8Array ? check(result) : result.then(check);
}

function checked(result: Uint8Array, frame: ZstdFrame, maxBytes: number): Uint8Array {
  if (result.length > maxBytes) throw tooLarge(maxBytes);
  const announced = frame.announcedBytes ?? result.length;
  if (announced === result.length) return result;
  throw new Error(`zstd frame announces ${announced} bytes and makes ${result.length}`);
}
