import { crc32 } from "node:zlib";

const fixedHeaderBytes = 10;

/** Bits of FLG, RFC 1952 section 2.3.1. */
const hasHeaderCheck = 0x02;
const hasExtra = 0x04;
const hasName = 0x08;
const hasComment = 0x10;
const reservedFlags = 0xe0;

/**
 * How long the header of the member is that `bytes` begins with.
 *
 *   offset  size  field
 *   0       2     1f 8b
 *   2       1     08: deflate
 *   3       1     FLG: which optional fields follow
 *   4       6     time, extra flags, operating system: of no meaning here
 *   10      -     extra (u16 little-endian length, bytes), name 00, comment 00, u16 check
 *
 * @throws Error in the words of zlib, when it is none or not whole.
 */
export function gzipHeaderBytes(bytes: Uint8Array): number {
  if (bytes.length < fixedHeaderBytes) throw truncated();
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) throw new Error("incorrect header check");
  if (bytes[2] !== 8) throw new Error("unknown compression method");
  const flags = bytes[3] ?? 0;
  if ((flags & reservedFlags) !== 0) throw new Error("unknown header flags set");
  let end = fixedHeaderBytes;
  if ((flags & hasExtra) !== 0) end += 2 + littleEndian16(bytes, end);
  if ((flags & hasName) !== 0) end = behindZero(bytes, end);
  if ((flags & hasComment) !== 0) end = behindZero(bytes, end);
  if ((flags & hasHeaderCheck) !== 0) {
    const expected = littleEndian16(bytes, end);
    if ((crc32(bytes.subarray(0, end)) & 0xffff) !== expected)
      throw new Error("header crc mismatch");
    end += 2;
  }
  if (end > bytes.length) throw truncated();
  return end;
}

function littleEndian16(bytes: Uint8Array, offset: number): number {
  const [low, high] = [bytes[offset], bytes[offset + 1]];
  if (low === undefined || high === undefined) throw truncated();
  return low | (high << 8);
}

function behindZero(bytes: Uint8Array, start: number): number {
  const zero = bytes.indexOf(0, start);
  if (zero < 0) throw truncated();
  return zero + 1;
}

function truncated(): Error {
  return new Error("unexpected end of file");
}
