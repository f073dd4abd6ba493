import { joinBytes } from "@msg-ts/testing";

/** What {@link zstdFrame} makes a frame of. */
export interface FrameParts {
  /** The byte of the header that stands for the window; a single segment when there is none. */
  readonly window?: number;
  /** What the header says of the length of the plain bytes; nothing when absent. */
  readonly announces?: number | bigint;
  /** Without the bit of the last one, which is set here. */
  readonly blocks: readonly Uint8Array[];
}

/** Fields of a header for windows of 1 KiB, 128 KiB, 2 MiB, 8 MiB and 128 MiB: (log2 - 10) << 3. */
export const windows = { kib1: 0x00, kib128: 0x38, mib2: 0x58, mib8: 0x68, mib128: 0x88 } as const;

/** The most that one block may make. */
export const fullBlock: number = 128 * 1024;

/** One frame without a checksum. A content size always has eight bytes. */
export function zstdFrame({ window, announces, blocks }: FrameParts): Uint8Array {
  const descriptor = (announces === undefined ? 0 : 0xc0) | (window === undefined ? 0x20 : 0);
  const size = new Uint8Array(announces === undefined ? 0 : 8);
  if (announces !== undefined) new DataView(size.buffer).setBigUint64(0, BigInt(announces), true);
  const last = new Uint8Array(blocks.at(-1) ?? rawBlock(new Uint8Array(0)));
  last[0] = (last[0] ?? 0) | 1;
  return joinBytes([
    Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, descriptor),
    Uint8Array.from(window === undefined ? [] : [window]),
    size,
    ...blocks.slice(0, -1),
    last,
  ]);
}

/** A block of bytes as they are. */
export function rawBlock(content: Uint8Array): Uint8Array {
  return joinBytes([blockHeader(0, content.length), content]);
}

/** A block of one byte, `length` times. */
export function rleBlock(length: number, byte = 0): Uint8Array {
  return joinBytes([blockHeader(1, length), Uint8Array.of(byte)]);
}

/** Eight bytes, and nothing in a header says that they make `length`: literals are one byte. */
export function compressedBlock(length: number, byte = 0): Uint8Array {
  // 01: literals of one byte, 11: their length has 20 bits; then no sequences.
  const literals = littleEndian24((length << 4) | 0b1101);
  return joinBytes([blockHeader(2, 5), literals, Uint8Array.of(byte, 0)]);
}

/** A block that makes 65_539 bytes `count` times, whatever a block may: matches with the byte before. */
export function overlongBlock(count: number): Uint8Array {
  const bits = count * (2 + 16);
  const stream = new Uint8Array(Math.floor(bits / 8) + 1);
  stream[stream.length - 1] = 1 << (bits % 8);
  const content = joinBytes([
    Uint8Array.of(0x00), // no literals
    Uint8Array.of(0xff, (count - 0x7f00) & 0xff, (count - 0x7f00) >>> 8), // how many sequences
    Uint8Array.of(0x54), // one code for all literal lengths, one for offsets, one for match lengths
    Uint8Array.of(0, 2, 52), // length 0; 2 bits, of which 00 is offset 1; 65_539 and 16 bits
    stream,
  ]);
  return joinBytes([blockHeader(2, content.length), content]);
}

function blockHeader(kind: number, size: number): Uint8Array {
  return littleEndian24((size << 3) | (kind << 1));
}

function littleEndian24(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, (value >>> 8) & 0xff, value >>> 16);
}
