import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  randomBytes,
} from "node:crypto";
import type { KeyObject } from "node:crypto";
import { hsalsa, xsalsa20poly1305 } from "@noble/ciphers/salsa.js";
import { encodeText } from "@msg-ts/core/building";
import type { CurveCrypto, CurveKeys } from "./curve-crypto.ts";

/** What stands before the 32 bytes of an X25519 key in DER (RFC 8410). */
const secretPrefix = Buffer.from("302e020100300506032b656e04220420", "hex");
const publicPrefix = Buffer.from("302a300506032b656e032100", "hex");

/**
 * Secret keys as OpenSSL has them: it takes ten times as long to read one (366 us on Node.js 20) as to
 * use it, and a handshake uses each several times. They go with the bytes they were made of.
 */
const secretObjects = new WeakMap<Uint8Array, KeyObject>();

/** Salsa20's constant, and an input of zeros: what makes HSalsa20 NaCl's `beforenm`. */
const sigma = wordsOf(encodeText("expand 32-byte k"));
const noInput = new Uint32Array(4);

/** X25519 of Node.js, which is constant in time and native; the rest in JavaScript. */
export const nodeCrypto: CurveCrypto = {
  keyPair(): CurveKeys {
    const { publicKey, privateKey } = generateKeyPairSync("x25519");
    const secretKey = rawSecret(privateKey);
    secretObjects.set(secretKey, privateKey);
    return { publicKey: rawPublic(publicKey), secretKey };
  },
  publicKeyOf: (secretKey) => rawPublic(createPublicKey(secretObject(secretKey))),
  sharedKey(publicKey, secretKey) {
    const shared = diffieHellman({
      privateKey: secretObject(secretKey),
      publicKey: publicObject(publicKey),
    });
    const key = new Uint32Array(8);
    hsalsa(sigma, wordsOf(shared), noInput, key);
    return new Uint8Array(key.buffer);
  },
  seal: (plain, nonce, key) => xsalsa20poly1305(key, nonce).encrypt(plain),
  open(box, nonce, key) {
    try {
      return xsalsa20poly1305(key, nonce).decrypt(box);
    } catch {
      return undefined;
    }
  },
  randomBytes: (length) => randomBytes(length),
};

function secretObject(secretKey: Uint8Array): KeyObject {
  const known = secretObjects.get(secretKey);
  if (known !== undefined) return known;
  const key = Buffer.concat([secretPrefix, secretKey]);
  const made = createPrivateKey({ key, format: "der", type: "pkcs8" });
  secretObjects.set(secretKey, made);
  return made;
}

function publicObject(publicKey: Uint8Array): KeyObject {
  const key = Buffer.concat([publicPrefix, publicKey]);
  return createPublicKey({ key, format: "der", type: "spki" });
}

// Not as a JWK, though that is 50 times as fast: Node.js 20.20 stops for ever in `export()` of a pair's
// key as a JWK, once in some 20,000 times.
function rawPublic(key: KeyObject): Uint8Array {
  return new Uint8Array(key.export({ format: "der", type: "spki" }).subarray(publicPrefix.length));
}

function rawSecret(key: KeyObject): Uint8Array {
  return new Uint8Array(key.export({ format: "der", type: "pkcs8" }).subarray(secretPrefix.length));
}

/** The same memory order as that of the bytes: the library turns words around where it must. */
function wordsOf(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(new Uint8Array(bytes).buffer);
}
