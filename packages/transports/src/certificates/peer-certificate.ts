import type { X509Certificate } from "node:crypto";
import { nodeCrypto } from "../node-tls.ts";

/**
 * The certificate that a peer showed and proved to have the private key of.
 *
 * Made once for each link. Seen by applications as `peer.certificate`; {@link certificateOf} gives
 * it with its type.
 */
export class PeerCertificate {
  /**
   * True when an authority that we trust issued it, it was valid at the handshake, and, of a server,
   * it is for the name that was dialed; or when its key is one of `pins`. False only where
   * `rejectUnauthorized` is false: then it proves nothing.
   */
  readonly authorized: boolean;
  /** Its subject, one part in each line, such as `O=Example\nCN=orders`; for people. */
  readonly subject: string;
  /** Its issuer, in the form of {@link subject}. */
  readonly issuer: string;
  /**
   * All its names, each with its kind: `DNS:orders.example`, `IP Address:10.0.0.7`,
   * `URI:spiffe://example/orders`, `email:ops@example`.
   */
  readonly subjectAltNames: readonly string[];
  /** Unique among what its issuer issued. Hexadecimal, capitals. */
  readonly serialNumber: string;
  readonly validFrom: Date;
  readonly validTo: Date;
  // What costs more than the rest together is made when it is asked for.
  readonly #certificate: X509Certificate;
  #commonName: string | undefined | null = null;
  #sha256: string | undefined;
  #publicKeySha256: string | undefined;

  constructor(certificate: X509Certificate, authorized: boolean) {
    this.#certificate = certificate;
    this.authorized = authorized;
    // Node gives undefined for an empty one.
    this.subject = certificate.subject ?? "";
    this.issuer = certificate.issuer ?? "";
    this.subjectAltNames = splitNames(certificate.subjectAltName ?? "");
    this.serialNumber = certificate.serialNumber;
    this.validFrom = new Date(certificate.validFrom);
    this.validTo = new Date(certificate.validTo);
  }

  /** The common name (CN) of its subject; absent when there is none, or more than one. */
  get commonName(): string | undefined {
    if (this.#commonName === null) this.#commonName = commonNameOf(this.#certificate);
    return this.#commonName;
  }

  /** SHA-256 of {@link raw}: this very certificate. 64 hexadecimal digits. */
  get sha256(): string {
    this.#sha256 ??= sha256(this.raw);
    return this.#sha256;
  }

  /**
   * SHA-256 of its public key (SubjectPublicKeyInfo): what to pin, because it stays the same when
   * the certificate is renewed for the same key. 64 hexadecimal digits.
   */
  get publicKeySha256(): string {
    const { publicKey } = this.#certificate;
    this.#publicKeySha256 ??= sha256(publicKey.export({ type: "spki", format: "der" }));
    return this.#publicKeySha256;
  }

  /** The certificate itself, DER. */
  get raw(): Uint8Array {
    return this.#certificate.raw;
  }
}

/**
 * The certificate of a peer; `undefined` when it showed none, or its transport knows of none.
 *
 * @example
 * ```ts
 * const authenticator = ({ peer }) => {
 *   const commonName = certificateOf(peer)?.commonName;
 *   return commonName === undefined ? false : { identity: commonName };
 * };
 * ```
 */
export function certificateOf(peer: {
  readonly certificate?: unknown;
}): PeerCertificate | undefined {
  return peer.certificate instanceof PeerCertificate ? peer.certificate : undefined;
}

function commonNameOf(certificate: X509Certificate): string | undefined {
  // The text of the subject escapes what is in a value; this does not, and tells several apart.
  const { CN: names } = (certificate.toLegacyObject() as { subject?: Names }).subject ?? {};
  return typeof names === "string" ? names : undefined;
}

interface Names {
  readonly CN?: string | readonly string[];
}

/**
 * Takes Node's list of names apart. A value with a comma or a quote in it comes as JSON, so that no
 * name can pretend to be two.
 */
function splitNames(list: string): string[] {
  const names = list.match(/(?:[^",]|"(?:[^"\\]|\\.)*")+/g) ?? [];
  return names.map((name) => {
    const [, kind = "", value = ""] = /^\s*([^:]*):(.*)$/s.exec(name) ?? [];
    return `${kind}:${value.startsWith('"') ? String(JSON.parse(value)) : value}`;
  });
}

function sha256(bytes: Uint8Array): string {
  return nodeCrypto().createHash("sha256").update(bytes).digest("hex");
}
