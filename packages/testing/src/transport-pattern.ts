import { Buffer } from "node:buffer";

/** A prime, so that bytes that come twice, or at the wrong place, do not match. */
const periodBytes = 65_521;

const twice: Buffer = (() => {
  const once = Buffer.alloc(periodBytes);
  const random = seededRandom(1);
  for (let i = 0; i < periodBytes; i++) once[i] = random() * 256;
  return Buffer.concat([once, once]);
})();

/** Bytes `offset` to `offset + length` of a stream that every test can make and check anew. */
export function patternBytes(offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length;) {
    const part = patternPart(offset + i, length - i);
    bytes.set(part, i);
    i += part.length;
  }
  return bytes;
}

/** The first place where `bytes` are not those of the stream at `offset`; -1 when they all are. */
export function patternMismatch(bytes: Uint8Array, offset: number): number {
  for (let i = 0; i < bytes.length;) {
    const part = patternPart(offset + i, bytes.length - i);
    if (part.compare(bytes, i, i + part.length) !== 0) {
      return i + part.findIndex((byte, at) => byte !== bytes[i + at]);
    }
    i += part.length;
  }
  return -1;
}

/** Numbers from 0 to 1, the same ones for the same seed. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function patternPart(offset: number, maxBytes: number): Buffer {
  const start = offset % periodBytes;
  return twice.subarray(start, start + Math.min(periodBytes, maxBytes));
}
