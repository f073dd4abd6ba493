import { MsgError } from "@msg-ts/core";
import type { CertificateOptions, Pem } from "../certificates/certificate-options.ts";
import type { HostLookup } from "../tcp/tcp-options.ts";
import { resolveTcpOptions } from "../tcp/tcp-options.ts";
import type { ClientCertificates } from "../tls/tls-options.ts";

/** The longest delay that a timer honours. */
const maxTimerMs = 2 ** 31 - 1;

/** The longest name that DNS can carry. */
const maxNameLength = 253;

/** What every path must carry, and what the largest packet of the engine is (RFC 9000, 14.1). */
const minDatagramBytes = 1_200;
const maxDatagramBytes = 16_383;

const minStreamWindowBytes = 64 * 1024;
const maxStreamWindowBytes = 1024 * 1024 * 1024;

/** Who we are, and whom we trust. */
export interface QuicCertificates extends CertificateOptions {
  /**
   * Our certificate, with its chain. A listener without one makes one for itself, and
   * `transport.pin` is what its dialers give as `pins`. A dialer shows it to a listener that asks.
   *
   * @defaultValue none when dialing; a self-signed one, in memory, when listening
   */
  readonly cert?: Pem | undefined;

  /**
   * The public keys that we trust: `sha256/` and the Base64 of SHA-256 of the key, as
   * `transport.pin` of a listener tells it. A peer must have one of them, and then needs neither an
   * authority nor a name; with `ca` it needs these too. They hold for the servers that we dial, and
   * for clients whose certificate is required.
   *
   * @defaultValue none
   */
  readonly pins?: string | readonly string[] | undefined;
}

/** Certificates, times, and the bounds of connections. */
export interface QuicOptions extends QuicCertificates {
  /**
   * The name that we ask a server for (SNI), and that its certificate must be for. For an IP
   * address nothing is asked for, and the certificate must have that address.
   *
   * @defaultValue the host of the address that is dialed
   */
  readonly serverName?: string | undefined;

  /**
   * True lets a dialer talk to a server whose certificate does not verify. UNSAFE: anybody on the
   * way can then read and change everything. For a self-signed certificate give `pins`, for a
   * private authority `ca`.
   *
   * @defaultValue false
   */
  readonly insecure?: boolean | undefined;

  /**
   * Which certificate a listener asks of those who dial it. `"required"` needs `ca` or `pins`.
   * There is no `"optional"` as with TLS: the engine cannot ask for one without insisting on it.
   *
   * @defaultValue "none"
   */
  readonly clientCertificates?: Exclude<ClientCertificates, "optional"> | undefined;

  /**
   * `"msg-rs"` speaks with msg-rs, and with nothing else: its protocol name (ALPN `msg`), one link
   * for each connection, and, as it does, without a look at the certificate of a server unless
   * `ca` or `pins` are given. UNSAFE without them.
   *
   * @defaultValue none: our own protocol, where links to one address share a connection
   */
  readonly compat?: "msg-rs" | undefined;

  /**
   * How long a peer may be silent before its links end with `MSG_PEER_LOST`. The shorter one of both
   * ends counts. Shorter finds a dead host sooner; a network that is away for less loses no link.
   *
   * Milliseconds, 1 to 2_147_483_647. `Infinity` never ends them: only for tests.
   *
   * @defaultValue 15_000
   */
  readonly idleTimeoutMs?: number | undefined;

  /**
   * How long a peer may be silent before it is asked for a sign of life, so that neither the idle
   * timeout nor a router on the way forgets a connection on which nothing is said. A peer whose
   * process was started anew is noticed when it is asked, at the latest.
   *
   * Milliseconds, 1 to 2_147_483_647, and less than `idleTimeoutMs`. `Infinity` never asks.
   *
   * @defaultValue 5_000, or a third of `idleTimeoutMs` if that is less
   */
  readonly keepAliveMs?: number | undefined;

  /**
   * How long a handshake may take before it is given up: one that we dialed, or a peer's.
   *
   * Milliseconds, 1 to 2_147_483_647.
   *
   * @defaultValue 10_000
   */
  readonly handshakeTimeoutMs?: number | undefined;

  /**
   * How many peers that dialed one listener may be in their QUIC handshake at a time; one more is
   * turned away at once.
   *
   * 1 or more, or `Infinity`.
   *
   * @defaultValue 1_024
   */
  readonly maxHandshakes?: number | undefined;

  /**
   * How many QUIC connections a listener holds; one more is refused.
   *
   * 1 or more, or `Infinity`.
   *
   * @defaultValue 65_536
   */
  readonly maxConnections?: number | undefined;

  /**
   * How many QUIC connections a listener holds with one IPv4 address or one /64 of IPv6 addresses;
   * one more is refused.
   *
   * 1 or more, or `Infinity`.
   *
   * @defaultValue 4_096
   */
  readonly maxConnectionsPerAddress?: number | undefined;

  /**
   * How many links a peer may have open on one connection. A dialer that needs more makes another
   * connection. 1 with `compat: "msg-rs"`.
   *
   * 1 to 65_536.
   *
   * @defaultValue 256
   */
  readonly maxStreams?: number | undefined;

  /**
   * How much a peer may send on one link before it is read: the bound of what a slow reader costs
   * in memory, and with the round trip of how fast a link can be.
   *
   * Bytes, 65_536 to 1_073_741_824.
   *
   * @defaultValue 4_194_304
   */
  readonly streamWindowBytes?: number | undefined;

  /**
   * The largest datagrams to be tried. A connection begins with 1_200 bytes, which every path
   * carries, and goes up as far as the path takes them.
   *
   * Bytes, 1_200 to 16_383.
   *
   * @defaultValue 16_383 to loopback addresses, 1_452 to others: what Ethernet takes
   */
  readonly maxDatagramBytes?: number | undefined;

  /**
   * Whether peers must prove that they have the address they write from, for one more round trip:
   * `"always"`, or `"under-load"` while many handshakes are under way.
   *
   * @defaultValue "under-load"
   */
  readonly retry?: "under-load" | "always" | undefined;

  /**
   * Finds the addresses of a host name, anew at each dial. All are tried, in the order given.
   *
   * @defaultValue `dns.lookup` of Node.js: the host's resolver, its order kept.
   */
  readonly lookup?: HostLookup | undefined;
}

/** {@link QuicOptions} without certificates, with nothing left open. */
export interface ResolvedQuicOptions {
  readonly serverName: string | undefined;
  readonly insecure: boolean;
  readonly clientCertificates: "none" | "required";
  readonly compat: "msg-rs" | undefined;
  readonly idleTimeoutMs: number;
  readonly keepAliveMs: number;
  readonly handshakeTimeoutMs: number;
  readonly maxHandshakes: number;
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  readonly maxStreams: number;
  readonly streamWindowBytes: number;
  /** `undefined` for what is usual on the path. */
  readonly maxDatagramBytes: number | undefined;
  readonly retry: "under-load" | "always";
  readonly lookup: HostLookup;
}

/** What {@link QuicOptions} are when they are not given. */
export const quicDefaults = {
  insecure: false,
  clientCertificates: "none",
  idleTimeoutMs: 15_000,
  keepAliveMs: 5_000,
  handshakeTimeoutMs: 10_000,
  maxHandshakes: 1_024,
  maxConnections: 65_536,
  maxConnectionsPerAddress: 4_096,
  maxStreams: 256,
  streamWindowBytes: 4_194_304,
  retry: "under-load",
} as const;

/**
 * Fills in defaults and checks ranges. The caller's object is not changed.
 *
 * @throws MsgError `MSG_INVALID_OPTION`, naming the option, its value and its limits.
 */
export function resolveQuicOptions(options: QuicOptions): ResolvedQuicOptions {
  const idleTimeoutMs = options.idleTimeoutMs ?? quicDefaults.idleTimeoutMs;
  const { compat } = options;
  const resolved: ResolvedQuicOptions = {
    serverName: options.serverName,
    insecure: options.insecure ?? quicDefaults.insecure,
    clientCertificates: options.clientCertificates ?? quicDefaults.clientCertificates,
    compat,
    idleTimeoutMs,
    keepAliveMs: options.keepAliveMs ?? Math.min(quicDefaults.keepAliveMs, idleTimeoutMs / 3),
    handshakeTimeoutMs: options.handshakeTimeoutMs ?? quicDefaults.handshakeTimeoutMs,
    maxHandshakes: options.maxHandshakes ?? quicDefaults.maxHandshakes,
    maxConnections: options.maxConnections ?? quicDefaults.maxConnections,
    maxConnectionsPerAddress:
      options.maxConnectionsPerAddress ?? quicDefaults.maxConnectionsPerAddress,
    maxStreams: compat === "msg-rs" ? 1 : (options.maxStreams ?? quicDefaults.maxStreams),
    streamWindowBytes: options.streamWindowBytes ?? quicDefaults.streamWindowBytes,
    maxDatagramBytes: options.maxDatagramBytes,
    retry: options.retry ?? quicDefaults.retry,
    lookup: resolveTcpOptions({ lookup: options.lookup }).lookup,
  };
  checkWords(resolved);
  checkTimes(resolved);
  checkCounts(resolved);
  return resolved;
}

function checkWords(options: ResolvedQuicOptions): void {
  checkServerName(options.serverName);
  if (typeof options.insecure !== "boolean") {
    throw invalid("insecure", options.insecure, "true or false");
  }
  if ((options.clientCertificates as string) === "optional") {
    const why = `"none" or "required": the QUIC engine cannot ask without insisting`;
    throw invalid("clientCertificates", options.clientCertificates, why);
  }
  checkChoice("clientCertificates", options.clientCertificates, ["none", "required"]);
  if (options.compat !== undefined) checkChoice("compat", options.compat, ["msg-rs"]);
  checkChoice("retry", options.retry, ["under-load", "always"]);
}

function checkTimes({ idleTimeoutMs, keepAliveMs, handshakeTimeoutMs }: ResolvedQuicOptions): void {
  if (idleTimeoutMs !== Infinity) checkRange("idleTimeoutMs", idleTimeoutMs, 1, maxTimerMs);
  // What follows from a short idle timeout may be less than a whole millisecond.
  const minKeepAliveMs = Math.min(1, idleTimeoutMs / 3);
  if (keepAliveMs !== Infinity) checkRange("keepAliveMs", keepAliveMs, minKeepAliveMs, maxTimerMs);
  checkRange("handshakeTimeoutMs", handshakeTimeoutMs, 1, maxTimerMs);
  if (keepAliveMs < idleTimeoutMs || keepAliveMs === Infinity) return;
  throw invalid("keepAliveMs", keepAliveMs, `less than idleTimeoutMs, which is ${idleTimeoutMs}`);
}

function checkCounts(options: ResolvedQuicOptions): void {
  for (const name of ["maxHandshakes", "maxConnections", "maxConnectionsPerAddress"] as const) {
    const value = options[name];
    const isCount = Number.isInteger(value) && value >= 1;
    if (!isCount && value !== Infinity) {
      throw invalid(name, value, "a whole number, 1 or more, or Infinity");
    }
  }
  checkRange("maxStreams", options.maxStreams, 1, 65_536, true);
  const { streamWindowBytes: window, maxDatagramBytes: largest = maxDatagramBytes } = options;
  checkRange("streamWindowBytes", window, minStreamWindowBytes, maxStreamWindowBytes, true);
  checkRange("maxDatagramBytes", largest, minDatagramBytes, maxDatagramBytes, true);
}

function checkRange(
  name: string,
  value: number,
  min: number,
  max: number,
  isWhole: boolean = false,
): void {
  const isInRange = typeof value === "number" && value >= min && value <= max;
  if (isInRange && (!isWhole || Number.isInteger(value))) return;
  throw invalid(name, value, `${isWhole ? "a whole number, " : ""}${min} to ${max}`);
}

function checkServerName(name: unknown): void {
  if (name === undefined) return;
  if (typeof name === "string" && /^\S+$/.test(name) && name.length <= maxNameLength) return;
  throw invalid("serverName", name, `a name of 1 to ${maxNameLength} characters without spaces`);
}

function checkChoice(name: string, value: string, choices: readonly string[]): void {
  if (choices.includes(value)) return;
  throw invalid(name, value, choices.map((choice) => `"${choice}"`).join(", "));
}

function invalid(name: string, value: unknown, range: string): MsgError {
  const shown = typeof value === "string" ? JSON.stringify(value.slice(0, 40)) : String(value);
  return new MsgError("MSG_INVALID_OPTION", `${name} is ${shown}, must be ${range}`);
}
