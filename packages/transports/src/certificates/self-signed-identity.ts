import { Buffer } from "node:buffer";
import type { KeyObject } from "node:crypto";
import { nodeCrypto } from "../node-tls.ts";
import type { TlsIdentity } from "./certificate-options.ts";
import { pinOfKey } from "./public-key-pin.ts";

/** Tags of DER (X.690, section 8), and those of the fields of a certificate (RFC 5280, 4.1). */
const tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectId: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  dnsName: 0x82,
  ipAddress: 0x87,
  version: 0xa0,
  extensions: 0xa3,
} as const;

/** Object identifiers (RFC 5758, section 3.2; RFC 5280, appendix A), as the bytes of their value. */
const objectId = {
  ecdsaWithSha256: "2a8648ce3d040302",
  commonName: "550403",
  keyUsage: "551d0f",
  subjectAltName: "551d11",
  basicConstraints: "551d13",
  extendedKeyUsage: "551d25",
  serverAuth: "2b06010505070301",
  clientAuth: "2b06010505070302",
} as const;

const serialBytes = 16;

/**
 * A key that is made here and now, and a certificate that it signs itself: for a service that has no
 * other. Nobody vouches for it, so whoever dials it must know its `pin`.
 *
 * P-256 and ECDSA with SHA-256, which every implementation of TLS 1.3 must speak (RFC 8446, section
 * 9.1). Valid at all times, because the pin is what is verified; it lives as long as this object. For
 * `localhost` and the loopback addresses, because a certificate must be for something.
 *
 * @example
 * ```ts
 * const identity = new SelfSignedIdentity();
 * const rep = new RepSocket(new Tls(identity));
 * const req = new ReqSocket(new Tls({ pins: identity.pin }));
 * ```
 */
export class SelfSignedIdentity implements TlsIdentity {
  /** What a dialer gives as one of its `pins`: `sha256/` and 44 characters of Base64. */
  readonly pin: string;
  /** PEM. */
  readonly cert: string;
  /** PEM, PKCS #8. */
  readonly key: string;

  constructor() {
    const { generateKeyPairSync, X509Certificate } = nodeCrypto();
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    this.pin = pinOfKey(publicKey);
    this.cert = new X509Certificate(selfSigned(privateKey, publicKey)).toString();
    this.key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  }
}

/** A certificate, DER, for this key and by it. */
function selfSigned(privateKey: KeyObject, publicKey: KeyObject): Buffer {
  const { createHash, sign } = nodeCrypto();
  const spki = publicKey.export({ type: "spki", format: "der" });
  const hash = createHash("sha256").update(spki).digest();
  const serial = positive(hash.subarray(0, serialBytes));
  const toSign = tbsCertificate(spki, serial, nameOf(hash.toString("hex")));
  return sequence(toSign, signatureAlgorithm, bitString(0, sign("sha256", toSign, privateKey)));
}

/** RFC 5280, section 4.1.2. Issuer and subject are the same. */
function tbsCertificate(spki: Buffer, serial: Buffer, name: Buffer): Buffer {
  return sequence(
    element(tag.version, element(tag.integer, Buffer.of(2))),
    element(tag.integer, serial),
    signatureAlgorithm,
    name,
    validity,
    name,
    spki,
    extensions,
  );
}

/** Not 0, not negative, and of one length. */
function positive(bytes: Buffer): Buffer {
  const [first = 0] = bytes;
  return Buffer.concat([Buffer.of((first & 0x3f) | 0x40), bytes.subarray(1)]);
}

/** With the hash of the key as its common name: no two are called the same, and it is the pin. */
function nameOf(commonName: string): Buffer {
  const value = element(tag.utf8String, Buffer.from(commonName));
  return sequence(element(tag.set, sequence(oid("commonName"), value)));
}

function element(kind: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  return Buffer.concat([Buffer.of(kind), lengthOf(content), content]);
}

/** X.690, section 8.1.3: one byte up to 127, then how many bytes, and those. */
function lengthOf({ length }: Uint8Array): Buffer {
  if (length < 0x80) return Buffer.of(length);
  if (length < 0x100) return Buffer.of(0x81, length);
  return Buffer.of(0x82, length >> 8, length & 0xff);
}

function sequence(...contents: readonly Uint8Array[]): Buffer {
  return element(tag.sequence, ...contents);
}

function bitString(unusedBits: number, content: Uint8Array): Buffer {
  return element(tag.bitString, Buffer.of(unusedBits), content);
}

function oid(name: keyof typeof objectId): Buffer {
  return element(tag.objectId, Buffer.from(objectId[name], "hex"));
}

function extension(name: keyof typeof objectId, isCritical: boolean, value: Buffer): Buffer {
  const critical = isCritical ? [element(tag.boolean, Buffer.of(0xff))] : [];
  return sequence(oid(name), ...critical, element(tag.octetString, value));
}

const signatureAlgorithm = sequence(oid("ecdsaWithSha256"));

/** The second one is "no end that is known": RFC 5280, section 4.1.2.5. */
const validity = sequence(
  element(tag.utcTime, Buffer.from("700101000000Z")),
  element(tag.generalizedTime, Buffer.from("99991231235959Z")),
);

const extensions = element(
  tag.extensions,
  sequence(
    // No authority: nothing that this key signs is to be trusted.
    extension("basicConstraints", true, sequence()),
    // Digital signatures alone, bit 0 of 1.
    extension("keyUsage", true, bitString(7, Buffer.of(0x80))),
    extension("extendedKeyUsage", false, sequence(oid("serverAuth"), oid("clientAuth"))),
    extension(
      "subjectAltName",
      false,
      sequence(
        element(tag.dnsName, Buffer.from("localhost")),
        element(tag.ipAddress, Buffer.of(127, 0, 0, 1)),
        element(tag.ipAddress, Buffer.from(`${"00".repeat(15)}01`, "hex")),
      ),
    ),
  ),
);
