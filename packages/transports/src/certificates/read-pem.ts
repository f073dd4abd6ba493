import type { KeyObject, X509Certificate } from "node:crypto";
import { MsgError } from "@msg-ts/core";
import { nodeCrypto } from "../node-tls.ts";
import type { CertificateOptions, Pem } from "./certificate-options.ts";

/** A certificate and its key, read and checked; empty where none are given. */
export interface ReadIdentity {
  readonly cert?: string;
  readonly key?: string;
  readonly passphrase?: string;
}

/**
 * Checks one part after the other, because OpenSSL does not say which of them it means.
 *
 * @throws MsgError `MSG_INVALID_OPTION`, naming what cannot be used, and why.
 */
export function identityOf(
  where: string,
  cert?: Pem,
  key?: Pem,
  passphrase?: string,
): ReadIdentity {
  if (cert === undefined && key === undefined) return {};
  if (cert === undefined) throw invalid(where, "key is given without cert");
  if (key === undefined) throw invalid(where, "cert is given without key");
  if (passphrase !== undefined && typeof passphrase !== "string") {
    throw invalid(where, `passphrase is ${typeof passphrase}, must be a string`);
  }
  const certText = textOf(where, "cert", cert);
  const [leaf] = certificatesIn(where, "cert", certText);
  const keyText = textOf(where, "key", key);
  const privateKey = read(where, "key", () => privateKeyOf(keyText, passphrase));
  if (leaf?.checkPrivateKey(privateKey) !== true)
    throw invalid(where, "key does not belong to cert");
  return {
    cert: certText,
    key: keyText,
    ...(passphrase === undefined ? {} : { passphrase }),
  };
}

/** A private key of PEM, decrypted if need be. */
export function privateKeyOf(key: string, passphrase?: string): KeyObject {
  return nodeCrypto().createPrivateKey({
    key,
    ...(passphrase === undefined ? {} : { passphrase }),
  });
}

/** The certificates of `ca`, each read and checked. */
export function authoritiesOf(ca: CertificateOptions["ca"]): string[] | undefined {
  if (ca === undefined) return undefined;
  const given: readonly Pem[] = Array.isArray(ca) ? ca : [ca as Pem];
  if (given.length === 0) throw invalid("", "ca is empty, must have a certificate");
  return given.map((pem, index) => {
    const name = Array.isArray(ca) ? `ca[${index}]` : "ca";
    const text = textOf("", name, pem);
    certificatesIn("", name, text);
    return text;
  });
}

function textOf(where: string, name: string, pem: unknown): string {
  if (typeof pem === "string") return pem;
  if (pem instanceof Uint8Array) return new TextDecoder().decode(pem);
  throw invalid(where, `${name} is ${typeof pem}, must be PEM: a string or bytes`);
}

function certificatesIn(where: string, name: string, text: string): X509Certificate[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw invalid(where, `${name} has no certificate in PEM form in it`);
  const { X509Certificate } = nodeCrypto();
  return blocks.map((block) => read(where, name, () => new X509Certificate(block)));
}

/** What `parse` gives; its failure names the option. */
export function read<T>(where: string, name: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw invalid(where, `${name} could not be read: ${reasonOf(error)}`, error);
  }
}

/** OpenSSL's own words without its numbers; nothing of a key is in them. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ("reason" in error && typeof error.reason === "string") return error.reason;
  return error.message.replace(/^error:[^:]*:[^:]*:[^:]*:/, "");
}

/** The error for certificates or keys that cannot be used. */
export function invalid(where: string, why: string, cause?: unknown): MsgError {
  return new MsgError("MSG_INVALID_OPTION", where + why, { cause });
}
