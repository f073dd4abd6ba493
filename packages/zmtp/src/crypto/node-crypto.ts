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

/** What stands before the 32 bytes of a secret X25519 key in DER (RFC 8410). */
const secretPrefix = Buffer.from("302e020100300506032b656e04220420", "hex");

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
    const { privateKey } = generateKeyPairSync("x25519");
    const { x, d } = privateKey.export({ format: "jwk" });
    const secretKey = rawOf(d);
    secretObjects.set(secretKey, privateKey);
    return { publicKey: rawOf(x), secretKey };
  },
  publicKeyOf: (secretKey) =>
    rawOf(createPublicKey(secretObject(secretKey)).export({ format: "jwk" }).x),
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

/** As a JWK (RFC 8037): OpenSSL reads that in an eighth of the time that DER takes it. */
function publicObject({ buffer, byteOffset, byteLength }: Uint8Array): KeyObject {
  const x = Buffer.from(buffer, byteOffset, byteLength).toString("base64url");
  return createPublicKey({ key: { kty: "OKP", crv: "X25519", x }, format: "jwk" });
}

/** In memory of its own: a small Buffer shares its with others. */
function rawOf(text = ""): Uint8Array {
  return new Uint8Array(Buffer.from(text, "base64url"));
}

/** The same memory order as that of the bytes: the library turns words around where it must. */
function wordsOf(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(new Uint8Array(bytes).buffer);
}
