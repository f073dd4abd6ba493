import { bytes, joinBytes } from "@msg-ts/testing";

/** Puts bits behind each other as deflate does: the lowest of a byte first. */
class BitWriter {
  readonly #bits: number[] = [];

  put(value: number, count: number): void {
    for (let bit = 0; bit < count; bit++) this.#bits.push((value >> bit) & 1);
  }

  bytes(): Uint8Array {
    const result = new Uint8Array(Math.ceil(this.#bits.length / 8));
    this.#bits.forEach((bit, at) => {
      result[at >> 3] = (result[at >> 3] ?? 0) | (bit << (at & 7));
    });
    return result;
  }
}

/** The order in which a block gives the lengths of the codes for lengths, RFC 1951 section 3.2.7. */
const lengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1];

/** A block with its own tables, which a decoder builds, and nothing in it. 90 bits. */
function putEmptyBlock(writer: BitWriter): void {
  writer.put(0, 1); // not the last block
  writer.put(2, 2); // with tables of its own
  writer.put(0, 5); // 257 codes of literals and lengths
  writer.put(0, 5); // 1 code of distances
  writer.put(lengthOrder.length - 4, 4);
  // 18 repeats zeros, 1 is a length: a code of one bit each, 1 before 18.
  for (const symbol of lengthOrder) writer.put(symbol === 18 || symbol === 1 ? 1 : 0, 3);
  writer.put(1, 1);
  writer.put(138 - 11, 7);
  writer.put(1, 1);
  writer.put(118 - 11, 7); // 256 literals have no code
  writer.put(0, 1); // the end of the block has one
  writer.put(0, 1); // and so has the distance
  writer.put(0, 1); // the end of the block
}

/**
 * A gzip payload of about `length` bytes that stands for nothing, and takes a decoder longer than
 * any other of its length.
 */
export function slowGzip(length: number): Uint8Array {
  const writer = new BitWriter();
  // Four blocks end on a byte.
  for (let count = 0; count < 4; count++) putEmptyBlock(writer);
  const blocks = writer.bytes();
  const header = bytes("1f8b 08 00 00000000 00 ff");
  const last = bytes("0300");
  const trailer = bytes("00000000 00000000");
  const times = Math.floor(length / blocks.length);
  return joinBytes([header, ...Array.from({ length: times }, () => blocks), last, trailer]);
}
