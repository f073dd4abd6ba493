import { Buffer } from "node:buffer";
import type { KeyObject, X509Certificate } from "node:crypto";
import { MsgError } from "@msg-ts/core";
import { nodeCrypto } from "../node-tls.ts";

const hashBytes = 32;
const base64Pin = /^sha256\/\/?(?<digits>[A-Za-z0-9+/]{43}=)$/;
const hexPin = /^[0-9a-f]{64}$/i;

/**
 * The pin of a certificate: `sha256/` and, in Base64, SHA-256 of its public key (the DER of its
 * SubjectPublicKeyInfo), as in RFC 7469, section 2.4. It stays the same when the certificate is
 * renewed for the same key.
 *
 * @throws Error for a certificate whose kind of key OpenSSL does not know.
 */
export function pinOf(certificate: X509Certificate): string {
  return pinOfKey(certificate.publicKey);
}

/** The pin of whatever certificate is made for this public key. */
export function pinOfKey(publicKey: KeyObject): string {
  const der = publicKey.export({ type: "spki", format: "der" });
  return `sha256/${nodeCrypto().createHash("sha256").update(der).digest("base64")}`;
}

/** True when the key of the certificate is one of those that {@link resolvePins} gave. */
export function isPinned(certificate: X509Certificate, pins: ReadonlySet<string>): boolean {
  try {
    return pins.has(pinOf(certificate));
  } catch {
    // A peer chooses its certificate, also one with a key that cannot be read.
    return false;
  }
}

/**
 * Why a server is refused that {@link isPinned} says no of; with its pin, which may be a new one.
 *
 * @param certificate - DER; absent when the server showed none.
 */
export function notPinnedText(certificate: Uint8Array | undefined): string {
  if (certificate === undefined) return "it showed no certificate";
  const { X509Certificate } = nodeCrypto();
  try {
    const pin = pinOf(new X509Certificate(certificate));
    return `the key of its certificate is none of pins, but ${pin}`;
  } catch {
    return "the key of its certificate cannot be read, so it is none of pins";
  }
}

/**
 * Checks pins and brings them into the one form in which {@link pinOf} gives them. Read are also
 * curl's form, `sha256//` and Base64, and 64 hexadecimal digits, as in `publicKeySha256` of a peer's
 * certificate.
 *
 * @throws MsgError `MSG_INVALID_OPTION`, naming the pin and what is wrong with it.
 */
export function resolvePins(pins: string | readonly string[]): ReadonlySet<string> {
  if (typeof pins === "string") return new Set([resolvePin("pins", pins)]);
  if (!Array.isArray(pins)) {
    throw invalid("pins", typeof pins, "a pin, or a list of them");
  }
  if (pins.length === 0) throw invalid("pins", "empty", "at least one pin: no server has none");
  return new Set(pins.map((pin: unknown, index) => resolvePin(`pins[${index}]`, pin)));
}

function resolvePin(name: string, pin: unknown): string {
  if (typeof pin !== "string") throw invalid(name, typeof pin, "a string");
  if (hexPin.test(pin)) return `sha256/${Buffer.from(pin, "hex").toString("base64")}`;
  const digits = base64Pin.exec(pin)?.groups?.["digits"];
  if (digits === undefined) throw invalid(name, shown(pin), whatIsRight(pin));
  const canonical = Buffer.from(digits, "base64").toString("base64");
  if (canonical !== digits) {
    throw invalid(
      name,
      shown(pin),
      "the Base64 of a hash: its last digit has bits that no hash has",
    );
  }
  return `sha256/${digits}`;
}

function whatIsRight(pin: string): string {
  const form = "sha256/ and 44 characters of Base64";
  const prefix = /^sha256\/\/?/.exec(pin)?.[0];
  if (prefix === undefined) return `${form}: it does not begin with sha256/`;
  const rest = pin.slice(prefix.length);
  if (/[^A-Za-z0-9+/=]/.test(rest)) return `${form}: it has a character that Base64 has not`;
  const bytes = Buffer.from(rest, "base64").length;
  if (bytes !== hashBytes) return `${form}: it has ${bytes} bytes, SHA-256 has ${hashBytes}`;
  return `${form}: it has ${rest.length} characters`;
}

function shown(pin: string): string {
  return JSON.stringify(pin.length > 60 ? `${pin.slice(0, 60)}…` : pin);
}

function invalid(name: string, found: string, wanted: string): MsgError {
  return new MsgError("MSG_INVALID_OPTION", `${name} is ${found}, must be ${wanted}`);
}
