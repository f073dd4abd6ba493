import { bytes, joinBytes } from "@msg-ts/testing";

/** A length as lz4 announces it: u32, little-endian. */
export function littleEndian32(value: number): Uint8Array {
  const field = new Uint8Array(4);
  new DataView(field.buffer).setUint32(0, value, true);
  return field;
}

/** A length as snappy announces it: seven bits a byte, the lowest first. */
export function varint(value: number): Uint8Array {
  const groups: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) groups.push((rest % 0x80) | 0x80);
  return Uint8Array.of(...groups, rest);
}

/**
 * A snappy payload of `length` zeros in 3 bytes for each 64: the densest there is.
 *
 * @param length - a multiple of 64, and 1.
 */
export function snappyBomb(length: number, announced: number = length): Uint8Array {
  //                  literal of 1 byte; copy of 64 bytes from 1 byte before
  const [literal, copy] = [bytes("00 00"), bytes("fe 0100")];
  const copies = Buffer.alloc(copy.length * ((length - 1) / 64), copy);
  return joinBytes([varint(announced), literal, copies]);
}

/**
 * An lz4 payload of zeros in 1 byte for each 255: the densest there is.
 *
 * @param length - 25, and a multiple of 255.
 */
export function lz4Bomb(length: number, announced: number = length): Uint8Array {
  // 1 literal and a match from 1 byte before: 4 + 15 bytes, 255 for each ff, 0 for the 00.
  const start = bytes("1f 00 0100");
  const longer = new Uint8Array((length - 25) / 255).fill(0xff);
  // 5 literals: a block ends with as many.
  const end = bytes("00 50 0000000000");
  return joinBytes([littleEndian32(announced), start, longer, end]);
}
