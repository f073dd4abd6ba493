import { allocate, copyInto } from "@msg-ts/core/building";
import type { FrameBuffer } from "@msg-ts/core";

/** Bits of the first byte of a frame (RFC 37, "framing"); the others are not looked at. */
export const frameFlag = { more: 0x01, long: 0x02, command: 0x04 } as const;

/** The longest body with a length of one byte. */
const maxShortBytes = 255;

const twoTo32 = 2 ** 32;

/** Bytes of the header of a body of this length. */
export function headerBytesOf(length: number): number {
  return length > maxShortBytes ? 9 : 2;
}

/**
 * Writes the header of a frame: flags (1), length of the body (1, or 8 when it is over 255).
 *
 * @param flags - `more` or `command`; `long` follows from the length.
 */
export function setFrameHeader(
  view: DataView,
  offset: number,
  flags: number,
  length: number,
): number {
  if (length <= maxShortBytes) {
    view.setUint8(offset, flags);
    view.setUint8(offset + 1, length);
    return offset + 2;
  }
  view.setUint8(offset, flags | frameFlag.long);
  view.setUint32(offset + 1, Math.floor(length / twoTo32));
  view.setUint32(offset + 5, length % twoTo32);
  return offset + 9;
}

/** Appends one frame. */
export function writeFrame(out: FrameBuffer, flags: number, body: Uint8Array): void {
  const { length } = body;
  const headerBytes = headerBytesOf(length);
  const isCopied = length <= out.copiesUpTo;
  // Before the view is asked for: it changes with the chunk.
  const offset = out.reserve(isCopied ? headerBytes + length : headerBytes);
  setFrameHeader(out.view, offset, flags, length);
  if (isCopied) copyInto(out.bytes, offset + headerBytes, body);
  else out.append(body);
}

/** One frame as bytes of its own. */
export function encodeFrame(flags: number, body: Uint8Array): Uint8Array {
  const headerBytes = headerBytesOf(body.length);
  const bytes = allocate(headerBytes + body.length);
  setFrameHeader(new DataView(bytes.buffer, bytes.byteOffset), 0, flags, body.length);
  bytes.set(body, headerBytes);
  return bytes;
}
