import { Buffer } from "node:buffer";
import { createPrivateKey, createPublicKey, webcrypto } from "node:crypto";
// What the decorators of x509 need to be there before them.
// oxlint-disable-next-line import/no-unassigned-import
import "reflect-metadata";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";
import type { Extension, JsonGeneralName, JsonName } from "@peculiar/x509";

const signing = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const minuteMs = 60_000;

/** A certificate and its private key, both as PEM; the certificates of a chain stand behind it. */
export interface IssuedCertificate {
  readonly cert: string;
  readonly key: string;
}

/** What a certificate of a {@link TestAuthority} says. */
export interface CertificateRequest {
  /** The common name of its subject. @defaultValue none */
  readonly commonName?: string;
  /** Its DNS names, such as `localhost` or `*.example`. */
  readonly dns?: readonly string[];
  readonly ips?: readonly string[];
  readonly uris?: readonly string[];
  readonly emails?: readonly string[];
  /** What it may be used for. @defaultValue both */
  readonly usage?: "server" | "client" | "both";
  /** @defaultValue a minute ago */
  readonly validFrom?: Date;
  /** @defaultValue in an hour */
  readonly validTo?: Date;
  /** Encrypts the private key. @defaultValue none */
  readonly passphrase?: string;
  /** A key of an earlier certificate, as PEM, to renew it. @defaultValue a new one */
  readonly key?: string;
}

interface Identity {
  readonly keys: webcrypto.CryptoKeyPair;
  readonly subject: JsonName;
}

interface Signing {
  readonly request: CertificateRequest;
  readonly subject: Identity;
  readonly issuer: Identity;
  readonly extensions: readonly Extension[];
}

/**
 * Issues certificates for tests and examples: P-256 keys, short lives, made anew in each process.
 *
 * Nothing of it is for production: its private key is in this process, unprotected.
 */
export class TestAuthority {
  /** Its own certificate, as PEM: what `ca` is given to trust all it issues. */
  readonly cert: string;
  readonly #identity: Identity;
  /** The certificates between what it issues and the root; empty for a root. */
  readonly #chain: string;

  private constructor(cert: string, identity: Identity, chain: string) {
    this.cert = cert;
    this.#identity = identity;
    this.#chain = chain;
  }

  /** Makes an authority whose certificate it signs itself. */
  static async create(commonName = "test authority"): Promise<TestAuthority> {
    const identity = { keys: await newKeys(), subject: subjectOf(commonName) };
    const extensions = authorityExtensions();
    const cert = await sign({ request: {}, subject: identity, issuer: identity, extensions });
    return new TestAuthority(cert, identity, "");
  }

  /** A certificate that its own key signed, which no authority vouches for. */
  static async selfSigned(request: CertificateRequest): Promise<IssuedCertificate> {
    const identity = await identityOf(request);
    const extensions = endExtensions(request);
    const cert = await sign({ request, subject: identity, issuer: identity, extensions });
    return { cert, key: await exportKey(identity.keys, request.passphrase) };
  }

  /** Makes an authority below this one; what it issues carries the chain up to the root. */
  async intermediate(commonName = "test intermediate"): Promise<TestAuthority> {
    const identity = { keys: await newKeys(), subject: subjectOf(commonName) };
    const issuer = this.#identity;
    const extensions = authorityExtensions();
    const cert = await sign({ request: {}, subject: identity, issuer, extensions });
    return new TestAuthority(cert, identity, cert + this.#chain);
  }

  async issue(request: CertificateRequest = {}): Promise<IssuedCertificate> {
    const identity = await identityOf(request);
    const issuer = this.#identity;
    const extensions = endExtensions(request);
    const cert = await sign({ request, subject: identity, issuer, extensions });
    return { cert: cert + this.#chain, key: await exportKey(identity.keys, request.passphrase) };
  }
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(signing, true, ["sign", "verify"]);
}

async function exportKey(keys: webcrypto.CryptoKeyPair, passphrase?: string): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const encryption = passphrase === undefined ? {} : { cipher: "aes-256-cbc", passphrase };
  return key.export({ format: "pem", type: "pkcs8", ...encryption }).toString();
}

async function identityOf({ commonName, key }: CertificateRequest): Promise<Identity> {
  const keys = key === undefined ? await newKeys() : await importKeys(key);
  return { keys, subject: subjectOf(commonName) };
}

async function importKeys(pem: string): Promise<webcrypto.CryptoKeyPair> {
  const { subtle } = webcrypto;
  const pkcs8 = createPrivateKey(pem).export({ format: "der", type: "pkcs8" });
  const spki = createPublicKey(pem).export({ format: "der", type: "spki" });
  return {
    privateKey: await subtle.importKey("pkcs8", pkcs8, signing, true, ["sign"]),
    publicKey: await subtle.importKey("spki", spki, signing, true, ["verify"]),
  };
}

/** Not as text, in which a name could pretend to be several. */
function subjectOf(commonName?: string): JsonName {
  return commonName === undefined ? [] : [{ CN: [commonName] }];
}

function authorityExtensions(): Extension[] {
  return [
    new BasicConstraintsExtension(true, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
  ];
}

function endExtensions(request: CertificateRequest): Extension[] {
  const { dns = [], ips = [], uris = [], emails = [], usage = "both" } = request;
  const names: JsonGeneralName[] = [
    ...dns.map((value) => ({ type: "dns" as const, value })),
    ...ips.map((value) => ({ type: "ip" as const, value })),
    ...uris.map((value) => ({ type: "url" as const, value })),
    ...emails.map((value) => ({ type: "email" as const, value })),
  ];
  const usages = [
    ...(usage === "client" ? [] : [ExtendedKeyUsage.serverAuth]),
    ...(usage === "server" ? [] : [ExtendedKeyUsage.clientAuth]),
  ];
  return [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new ExtendedKeyUsageExtension(usages),
    ...(names.length === 0 ? [] : [new SubjectAlternativeNameExtension(names)]),
  ];
}

async function sign({ request, subject, issuer, extensions }: Signing): Promise<string> {
  const now = Date.now();
  const certificate = await X509CertificateGenerator.create({
    subject: subject.subject,
    issuer: issuer.subject,
    notBefore: request.validFrom ?? new Date(now - minuteMs),
    notAfter: request.validTo ?? new Date(now + 60 * minuteMs),
    publicKey: subject.keys.publicKey,
    signingKey: issuer.keys.privateKey,
    signingAlgorithm: signing,
    extensions: [
      ...extensions,
      await SubjectKeyIdentifierExtension.create(subject.keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(issuer.keys.publicKey),
    ],
  });
  return `${certificate.toString("pem")}\n`;
}
