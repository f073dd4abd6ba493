import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";

/** A payload says which one it is, so that its receiver can tell what is missing, and what is twice. */
const headBytes = 4;

const poolBytes = 4_194_304;
const pool = pseudoRandomBytes(poolBytes);

/** Bytes that no compressor makes smaller, the same in every process. */
function pseudoRandomBytes(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0, block = 0; at < length; at += 32, block++) {
    createHash("sha256").update(String(block)).digest().copy(bytes, at);
  }
  return bytes;
}

/** The payload of this number: at least 4 bytes. */
export function payloadOf(number: number, length: number): Buffer {
  const payload = Buffer.allocUnsafe(length);
  payload.writeUInt32BE(number);
  const start = (number * 7_919) % poolBytes;
  for (let at = headBytes; at < length;) {
    const from = at === headBytes ? start : 0;
    at += pool.copy(payload, at, from, Math.min(poolBytes, from + length - at));
  }
  return payload;
}

/** Which payload it is. */
export function numberOf(payload: Uint8Array): number {
  return Buffer.from(payload.buffer, payload.byteOffset, payload.length).readUInt32BE();
}

/** SHA-256 of all payloads together, whatever order they come in: each is hashed and XORed to it. */
export class Digest {
  readonly #sum: Buffer = Buffer.alloc(32);
  count = 0;
  bytes = 0;

  add(payload: Uint8Array): void {
    const hash = createHash("sha256").update(payload).digest();
    for (let at = 0; at < 32; at++) this.#sum[at] = (this.#sum[at] ?? 0) ^ (hash[at] ?? 0);
    this.count += 1;
    this.bytes += payload.length;
  }

  toString(): string {
    return this.#sum.toString("hex");
  }
}
