import { copyOf } from "@msg-ts/core/building";
import { MsgError } from "@msg-ts/core";
import type { CurveCrypto } from "../crypto/curve-crypto.ts";
import { nodeCrypto } from "../crypto/node-crypto.ts";
import { decodeZ85, encodeZ85 } from "../crypto/z85.ts";
import { curve } from "./curve-parts.ts";

/** A key of 32 bytes, or its 40 characters of Z85. */
export type CurveKey = Uint8Array | string;

/** A pair of keys, as Z85. */
export interface CurveKeyPair {
  readonly publicKey: string;
  readonly secretKey: string;
}

/** Makes a pair of keys. The secret one stays where it is made. */
export function curveKeyPair(crypto: CurveCrypto = nodeCrypto): CurveKeyPair {
  const { publicKey, secretKey } = crypto.keyPair();
  return { publicKey: encodeZ85(publicKey), secretKey: encodeZ85(secretKey) };
}

/**
 * The bytes of a key.
 *
 * @throws MsgError `MSG_INVALID_OPTION`, naming the option and never the key.
 */
export function keyBytes(option: string, key: CurveKey): Uint8Array {
  if (typeof key === "string" && key.length === 40) return decodeZ85(key);
  if (key instanceof Uint8Array && key.length === curve.keyBytes) return copyOf(key);
  const text = `${option} must have ${curve.keyBytes} bytes, or be 40 characters of Z85`;
  throw new MsgError("MSG_INVALID_OPTION", text);
}
