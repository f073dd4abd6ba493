import type { ZstdBlocks, ZstdFrame } from "./zstd-frame.ts";
import { maxBlockBytes, windowOf } from "./zstd-frame.ts";

/** Magic number, descriptor, window. */
const headerBytes = 6;

/**
 * The frame, with no wider a window than it has a use for while it makes at most `limitBytes`.
 *
 * A decoder takes memory for the window of a frame that does not announce its size, and one bad
 * block can fill it. Encoders that do not know how much will come announce the widest of their
 * level: 2 MiB for a payload of 20 bytes, 128 MiB on level 22.
 */
export function fitted(payload: Uint8Array, frame: ZstdFrame, limitBytes: number): Uint8Array {
  const { start, end, blocks } = frame;
  const whole = payload.subarray(start, end);
  if (frame.announcedBytes !== undefined) return whole;
  const field = usedWindow(frame, Math.min(blocks.maxBytes, limitBytes + maxBlockBytes));
  if (windowOf(field) >= frame.windowBytes) return whole;
  return withHeader(field, frame.hasChecksum, payload.subarray(blocks.start, end));
}

/**
 * A whole frame of the first blocks only, which need nothing of what follows them.
 *
 * @param last - ends with the last of them.
 */
export function firstBlocks(
  payload: Uint8Array,
  frame: ZstdFrame,
  last: ZstdBlocks,
  maxBytes: number,
): Uint8Array {
  const { start } = frame.blocks;
  const field = usedWindow(frame, maxBytes);
  const bytes = withHeader(field, false, payload.subarray(start, last.end));
  const lastAt = headerBytes + last.lastAt - start;
  bytes[lastAt] = (bytes[lastAt] ?? 0) | 1;
  return bytes;
}

/** The least field of a header for a window that is wide enough for `usedBytes` of the frame. */
function usedWindow(frame: ZstdFrame, usedBytes: number): number {
  const neededBytes = Math.min(frame.windowBytes, usedBytes);
  let field = 0;
  while (windowOf(field) < neededBytes) field++;
  return field;
}

/** A frame that announces no size: its header of six bytes, then `rest`. */
function withHeader(field: number, hasChecksum: boolean, rest: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(headerBytes + rest.length);
  bytes.set([0x28, 0xb5, 0x2f, 0xfd, hasChecksum ? 0x04 : 0, field]);
  bytes.set(rest, headerBytes);
  return bytes;
}
