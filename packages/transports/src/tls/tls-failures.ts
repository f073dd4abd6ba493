import type { ErrorCode } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import { hostCodeOf } from "../failures.ts";

/** Why a certificate does not verify, by OpenSSL's code. */
const verifyTexts: ReadonlyMap<string, string> = new Map([
  ["CERT_HAS_EXPIRED", "its certificate, or one of its chain, has expired"],
  ["CERT_NOT_YET_VALID", "its certificate is not valid yet: compare the clocks"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "its certificate is self-signed, and not in ca"],
  ["SELF_SIGNED_CERT_IN_CHAIN", "its certificate is of an authority that is not in ca"],
  [
    "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    "the issuer of its certificate is unknown: not in ca, or missing in its chain",
  ],
  ["UNABLE_TO_GET_ISSUER_CERT", "an issuer in its chain is unknown: not in ca"],
  [
    "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
    "the issuer of its certificate is unknown: not in ca, or missing in its chain",
  ],
  [
    "CERT_SIGNATURE_FAILURE",
    "the signature of its certificate is wrong: another authority of the same name made it",
  ],
  ["INVALID_PURPOSE", "its certificate is not meant for this use"],
  ["CERT_REVOKED", "its certificate was revoked"],
]);

/** What an alert of the peer means, by its name. */
const alertTexts: ReadonlyMap<string, string> = new Map([
  ["handshake failure", "nothing in common, or it wants a client certificate"],
  ["certificate required", "it wants a client certificate: give cert and key"],
  ["bad certificate", "it refuses our certificate"],
  ["unsupported certificate", "it refuses our certificate"],
  ["certificate revoked", "it refuses our certificate"],
  ["certificate expired", "it refuses our certificate"],
  ["certificate unknown", "it refuses our certificate"],
  ["unknown ca", "it does not know the authority of our certificate"],
  ["access denied", "it refuses our certificate"],
  ["protocol version", "no version of TLS in common"],
  ["unrecognized name", "it has no certificate for the server name"],
]);

const ourCertificateAlerts = /\b(?:certificate|unknown ca|access denied)\b/;

/** Bytes that are no TLS, by OpenSSL's code. */
const foreignCodes: ReadonlySet<string> = new Set([
  "ERR_SSL_WRONG_VERSION_NUMBER",
  "ERR_SSL_HTTP_REQUEST",
  "ERR_SSL_HTTPS_PROXY_REQUEST",
  "ERR_SSL_PACKET_LENGTH_TOO_LONG",
  "ERR_SSL_RECORD_LAYER_FAILURE",
]);

/** Alerts, versions and ciphers: what the peer can be told apart by. */
interface Failure {
  readonly code: ErrorCode;
  readonly text: string;
}

/**
 * What went wrong between us and a peer, in plain words with OpenSSL's or the host's code behind
 * them.
 *
 * @param guess - what may lie behind it when the peer left without a word.
 */
export function tlsFailureText(error: Error, guess?: string): string {
  const hostCode = hostCodeOf(error);
  const { text } = failureOf(error, hostCode);
  if (text !== hostCode) return `${text} (${hostCode})`;
  return guess === undefined ? hostCode : `${guess} (${hostCode})`;
}

/** Why a peer that dialed us was turned away. */
export function refusalOf(error: Error, authorizationError: unknown): MsgError {
  if (typeof authorizationError === "string") return certificateRefused(authorizationError, error);
  const hostCode = hostCodeOf(error);
  const { code, text } = failureOf(error, hostCode);
  if (text === hostCode) return peerLeft(error);
  return new MsgError(code, `no TLS with the peer: ${text} (${hostCode})`, { cause: error });
}

/** The error of a peer that ended its connection in the handshake without a word. */
export function peerLeft(cause?: Error): MsgError {
  const text = "peer left during the TLS handshake: perhaps it refuses our certificate";
  return new MsgError("MSG_PEER_LOST", text, { cause });
}

/** Why a peer with this certificate, or none, is not let in. */
export function certificateRefused(verifyCode: string, cause?: Error): MsgError {
  const text = verifyTexts.get(verifyCode) ?? "its certificate does not verify";
  return new MsgError("MSG_AUTH_REJECTED", `peer was refused: ${text} (${verifyCode})`, { cause });
}

function failureOf(error: Error, hostCode: string): Failure {
  const verifyText = verifyTexts.get(hostCode);
  if (verifyText !== undefined) return { code: "MSG_AUTH_REJECTED", text: verifyText };
  if (hostCode === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return { code: "MSG_AUTH_REJECTED", text: wrongNameText(error) };
  }
  if (hostCode === "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE") {
    return { code: "MSG_AUTH_REJECTED", text: "it showed no certificate" };
  }
  const [, alert] = /_ALERT_(.+)$/.exec(hostCode) ?? [];
  if (alert !== undefined) return alertFailure(alert.toLowerCase().replaceAll("_", " "));
  if (foreignCodes.has(hostCode)) return { code: "MSG_PROTOCOL", text: "its bytes are no TLS" };
  if (hostCode === "ERR_SSL_UNSUPPORTED_PROTOCOL") {
    return { code: "MSG_PROTOCOL", text: "no version of TLS in common" };
  }
  if (hostCode === "ERR_SSL_NO_SHARED_CIPHER") {
    return { code: "MSG_PROTOCOL", text: "no cipher in common" };
  }
  if (hostCode === "ERR_TLS_RENEGOTIATION_DISABLED") {
    return { code: "MSG_PROTOCOL", text: "it asked for another handshake" };
  }
  if (hostCode.startsWith("ERR_SSL_")) {
    return { code: "MSG_PROTOCOL", text: "it broke the rules of TLS" };
  }
  return { code: "MSG_PEER_LOST", text: hostCode };
}

function alertFailure(alert: string): Failure {
  const code = isCertificateAlert(alert) ? "MSG_AUTH_REJECTED" : "MSG_PROTOCOL";
  return { code, text: alertText(alert) };
}

/** What an alert that the peer sent means, by its name. */
export function alertText(alert: string): string {
  const meaning = alertTexts.get(alert);
  return `it sent the alert "${alert}"${meaning === undefined ? "" : `, ${meaning}`}`;
}

/** Whether an alert is about a certificate. */
export function isCertificateAlert(alert: string): boolean {
  return ourCertificateAlerts.test(alert);
}

/** Node's error has the certificate, and in it the names that it is for. */
function wrongNameText(error: Error): string {
  const { host, cert } = error as { host?: unknown; cert?: { subjectaltname?: unknown } };
  const names = typeof cert?.subjectaltname === "string" ? cert.subjectaltname : "no name";
  return `its certificate is not for ${String(host)}, but for ${names}`;
}
