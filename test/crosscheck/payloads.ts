import { createCipheriv } from "node:crypto";
import { compressibleBytes } from "@msg-ts/testing";

const mebibyte = 1024 * 1024;

/** Bytes to compress. */
export interface Payload {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const sizes = [1, 100, 1024, 64 * 1024, mebibyte, 20 * mebibyte];

/** Text-like and random bytes of every size. */
export function payloads(): readonly Payload[] {
  const text = compressibleBytes(Math.max(...sizes));
  const random = randomBytes(Math.max(...sizes));
  return sizes.flatMap((size) => [
    { name: `${size} bytes of text`, bytes: text.subarray(0, size) },
    { name: `${size} random bytes`, bytes: random.subarray(0, size) },
  ]);
}

/** The same ones each time: a stream cipher of zeros. */
function randomBytes(length: number): Uint8Array {
  const cipher = createCipheriv("aes-128-ctr", new Uint8Array(16), new Uint8Array(16));
  return new Uint8Array(cipher.update(new Uint8Array(length)));
}
