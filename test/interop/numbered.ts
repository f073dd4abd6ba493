/** Payloads that tell which one they are, as msg-rs/src/numbered.rs makes them too. */

const numberBytes = 8;

/** 8 bytes of number, then bytes that follow from it; at least 8 in all. */
export function numbered(number: number, size: number): Buffer {
  const bytes = Buffer.allocUnsafe(Math.max(size, numberBytes));
  bytes.writeBigUInt64BE(BigInt(number));
  for (let index = numberBytes; index < size; index++) bytes[index] = (number + index) & 0xff;
  return bytes;
}

/** The number of such a payload; `undefined` when it is none. */
export function numberOf(bytes: Uint8Array): number | undefined {
  if (bytes.length < numberBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const number = Number(view.getBigUint64(0));
  for (let index = numberBytes; index < bytes.length; index++) {
    if (bytes[index] !== ((number + index) & 0xff)) return undefined;
  }
  return number;
}
