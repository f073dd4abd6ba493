import type { ErrorCode } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import { alertText, isCertificateAlert } from "../tls/tls-failures.ts";
import type { EngineClose } from "./engine.ts";
import { StreamFailure } from "./engine.ts";

/** Alerts of TLS by their number (RFC 8446, section 6): QUIC carries them as 0x100 and the number. */
const alerts: ReadonlyMap<number, string> = new Map([
  [40, "handshake failure"],
  [42, "bad certificate"],
  [43, "unsupported certificate"],
  [44, "certificate revoked"],
  [45, "certificate expired"],
  [46, "certificate unknown"],
  [47, "illegal parameter"],
  [48, "unknown ca"],
  [49, "access denied"],
  [50, "decode error"],
  [51, "decrypt error"],
  [70, "protocol version"],
  [71, "insufficient security"],
  [80, "internal error"],
  [112, "unrecognized name"],
  [116, "certificate required"],
  [120, "no application protocol"],
]);

const noApplicationProtocol = 120;

/** Error codes of transport (RFC 9000, section 20.1) that a reader can do something about. */
const transportTexts: ReadonlyMap<number, string> = new Map([
  [0x00, "it closed the connection"],
  [0x01, "its QUIC failed"],
  [0x02, "it takes no connection"],
  [0x08, "its transport parameters are wrong"],
  [0x0c, "it gave the connection up in the handshake"],
]);

const firstCryptoCode = 0x100;

/** What went wrong, in plain words with the code behind them. */
interface Failure {
  readonly code: ErrorCode;
  readonly text: string;
}

/** The error that the links of a connection are told. */
export function closeFailure(remoteAddress: string, closed: EngineClose): MsgError {
  const { text } = failureOf(closed);
  return new MsgError("MSG_PEER_LOST", `link to ${remoteAddress} broke: ${text}`);
}

/** The error of a dial whose connection was closed in its handshake. */
export function dialFailure(target: string, closed: EngineClose): MsgError {
  return new MsgError("MSG_DIAL_FAILED", `no QUIC with ${target}: ${failureOf(closed).text}`);
}

/** Why a peer that dialed us was turned away, or left. */
export function refusalFailure(closed: EngineClose): MsgError {
  const { code, text } = failureOf(closed);
  return new MsgError(code, `no QUIC with the peer: ${text}`);
}

/** The error of a link whose stream the peer gave up. */
export function streamFailure(remoteAddress: string, error: unknown): MsgError {
  const code = error instanceof StreamFailure ? error.code : undefined;
  const why = code === undefined ? "its connection ended" : `the peer gave it up (code ${code})`;
  const text = `link to ${remoteAddress} broke: ${why}`;
  return new MsgError("MSG_PEER_LOST", text, error instanceof Error ? { cause: error } : {});
}

function failureOf(closed: EngineClose): Failure {
  const { kind, code, reason, isLocal } = closed;
  if (kind === "idle") return { code: "MSG_PEER_LOST", text: "it was silent for idleTimeoutMs" };
  if (kind === "none") return { code: "MSG_PEER_LOST", text: "it ended" };
  const said = reason === "" ? "" : `, saying ${JSON.stringify(reason.slice(0, 100))}`;
  const shown = `0x${code.toString(16)}`;
  if (kind === "application") {
    return { code: "MSG_PEER_LOST", text: `the peer closed it with code ${code}${said}` };
  }
  if (code >= firstCryptoCode && code < firstCryptoCode + 0x100) {
    return cryptoFailure(code - firstCryptoCode, shown, isLocal);
  }
  const known = isLocal ? undefined : transportTexts.get(code);
  const who = isLocal ? "it broke the rules of QUIC" : "it says that we broke the rules of QUIC";
  const isRefusal = code === 0x00 || code === 0x02 || code === 0x0c;
  return {
    code: isRefusal ? "MSG_PEER_LOST" : "MSG_PROTOCOL",
    text: `${known ?? who}${said} (${shown})`,
  };
}

function cryptoFailure(alert: number, shown: string, isLocal: boolean): Failure {
  const name = alerts.get(alert) ?? `alert ${alert}`;
  if (alert === noApplicationProtocol) {
    const text = `no protocol in common: perhaps only one end has compat (${shown})`;
    return { code: "MSG_PROTOCOL", text };
  }
  const code = isCertificateAlert(name) ? "MSG_AUTH_REJECTED" : "MSG_PROTOCOL";
  if (!isLocal) return { code, text: `${alertText(name)} (${shown})` };
  return { code, text: `${localTexts.get(name) ?? `its handshake failed: ${name}`} (${shown})` };
}

/** What our own alerts mean, by what we found. */
const localTexts: ReadonlyMap<string, string> = new Map([
  ["unknown ca", "its certificate is of an authority that is not in ca, or self-signed"],
  ["bad certificate", "its certificate does not verify, or is for another name"],
  ["certificate expired", "its certificate, or one of its chain, has expired"],
  ["certificate required", "it showed no certificate"],
]);
