import { MsgError } from "@msg-ts/core";
import type { CertificateOptions, Pem, TlsIdentity } from "../certificates/certificate-options.ts";
import type { ResolvedTcpOptions, TcpOptions } from "../tcp/tcp-options.ts";
import { resolveTcpOptions } from "../tcp/tcp-options.ts";

/** The longest delay that a timer honours. */
const maxTimerMs = 2 ** 31 - 1;

/** The longest name that DNS can carry. */
const maxNameLength = 253;

const versions: readonly string[] = ["TLSv1.2", "TLSv1.3"];
const clientCertificateChoices: readonly string[] = ["none", "optional", "required"];

/** A version of TLS. Older ones are broken and not offered. */
export type TlsVersion = "TLSv1.2" | "TLSv1.3";

/**
 * What a listener asks of those who dial it: no certificate; one if they have it; or one always.
 * A certificate that does not verify is refused by both of the latter.
 */
export type ClientCertificates = "none" | "optional" | "required";

/**
 * Finds what a listener shows for a server name that a peer asks for, in lower case. `undefined`
 * stands for the transport's own `cert` and `key`. What it throws refuses the peer.
 *
 * Give the same object for the same identity: its PEM is read once for each.
 */
export type SniLookup = (
  serverName: string,
) => TlsIdentity | undefined | Promise<TlsIdentity | undefined>;

/** Who we are, and whom we trust. What `setCertificates` may change while the transport is in use. */
export interface TlsCertificates extends CertificateOptions {
  /**
   * Our certificate, with its chain. A listener needs it, or `sni`. A dialer shows it to a listener
   * that asks for one.
   *
   * @defaultValue none
   */
  readonly cert?: Pem | undefined;

  /**
   * The public keys of the servers that we dial, as `pin` of their transport tells them: `sha256/` and
   * Base64, or 64 hexadecimal digits. One of them has to be that of the server's certificate, which
   * then needs neither an authority nor a name nor to be valid today; with `ca` it needs these too.
   *
   * @defaultValue none
   */
  readonly pins?: string | readonly string[] | undefined;

  /**
   * What a listener shows to peers that ask for one of several server names (SNI): by name, where
   * `*.example` stands for one label, or by a function. Other names, and none, get `cert`.
   *
   * @defaultValue none
   */
  readonly sni?: Readonly<Record<string, TlsIdentity>> | SniLookup | undefined;
}

/** Certificates, who is asked for one, and the bounds of handshakes. */
export interface TlsOptions extends TlsCertificates, TcpOptions {
  /**
   * The name that we ask a server for (SNI), and that its certificate must be for. For an IP
   * address nothing is asked for, and the certificate must have that address.
   *
   * @defaultValue the host of the address that is dialed
   */
  readonly serverName?: string | undefined;

  /**
   * False lets a dialer talk to a server whose certificate does not verify. UNSAFE: anybody on the
   * way can then read and change everything. For a private authority give `ca` instead.
   *
   * @defaultValue true
   */
  readonly rejectUnauthorized?: boolean | undefined;

  /**
   * Which certificate a listener asks of those who dial it. All but `"none"` need `ca`.
   *
   * @defaultValue "none"
   */
  readonly clientCertificates?: ClientCertificates | undefined;

  /** The oldest version that either side speaks. @defaultValue "TLSv1.2" */
  readonly minVersion?: TlsVersion | undefined;

  /** The newest version that either side speaks. @defaultValue "TLSv1.3" */
  readonly maxVersion?: TlsVersion | undefined;

  /**
   * How long a peer that dialed us may take for its TLS handshake before its connection is closed.
   *
   * Milliseconds, 1 to 2_147_483_647. A dialer's deadline is `handshakeTimeoutMs` of its socket.
   *
   * @defaultValue 10_000
   */
  readonly handshakeTimeoutMs?: number | undefined;

  /**
   * How many peers that dialed one listener may be in their TLS handshake at a time; one more is
   * closed at once.
   *
   * 1 or more, or `Infinity`.
   *
   * @defaultValue 1_024
   */
  readonly maxHandshakes?: number | undefined;
}

/** {@link TlsOptions} that do not change, with nothing left open. */
export interface ResolvedTlsOptions {
  readonly tcp: ResolvedTcpOptions;
  readonly serverName: string | undefined;
  readonly rejectUnauthorized: boolean;
  readonly clientCertificates: ClientCertificates;
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  readonly handshakeTimeoutMs: number;
  readonly maxHandshakes: number;
}

/** What {@link TlsOptions} are when they are not given. */
const tlsDefaults: Omit<ResolvedTlsOptions, "tcp" | "serverName"> = {
  rejectUnauthorized: true,
  clientCertificates: "none",
  minVersion: "TLSv1.2",
  maxVersion: "TLSv1.3",
  handshakeTimeoutMs: 10_000,
  maxHandshakes: 1_024,
};

/**
 * Fills in defaults and checks ranges. The caller's object is not changed.
 *
 * @throws MsgError `MSG_INVALID_OPTION`, naming the option, its value and its limits.
 */
export function resolveTlsOptions(options: TlsOptions): ResolvedTlsOptions {
  const resolved: ResolvedTlsOptions = {
    tcp: resolveTcpOptions(options),
    serverName: options.serverName,
    rejectUnauthorized: options.rejectUnauthorized ?? tlsDefaults.rejectUnauthorized,
    clientCertificates: options.clientCertificates ?? tlsDefaults.clientCertificates,
    minVersion: options.minVersion ?? tlsDefaults.minVersion,
    maxVersion: options.maxVersion ?? tlsDefaults.maxVersion,
    handshakeTimeoutMs: options.handshakeTimeoutMs ?? tlsDefaults.handshakeTimeoutMs,
    maxHandshakes: options.maxHandshakes ?? tlsDefaults.maxHandshakes,
  };
  const { handshakeTimeoutMs, maxHandshakes, minVersion, maxVersion } = resolved;
  checkServerName(resolved.serverName);
  if (typeof resolved.rejectUnauthorized !== "boolean") {
    throw invalid("rejectUnauthorized", resolved.rejectUnauthorized, "true or false");
  }
  checkChoice("clientCertificates", resolved.clientCertificates, clientCertificateChoices);
  checkChoice("minVersion", minVersion, versions);
  checkChoice("maxVersion", maxVersion, versions);
  if (minVersion > maxVersion) throw invalid("minVersion", minVersion, `at most ${maxVersion}`);
  if (typeof handshakeTimeoutMs !== "number" || !isWithin(handshakeTimeoutMs, 1, maxTimerMs)) {
    throw invalid("handshakeTimeoutMs", handshakeTimeoutMs, `1 to ${maxTimerMs}`);
  }
  const isCount = Number.isInteger(maxHandshakes) && maxHandshakes >= 1;
  if (!isCount && maxHandshakes !== Infinity) {
    throw invalid("maxHandshakes", maxHandshakes, "a whole number, 1 or more, or Infinity");
  }
  return resolved;
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

function isWithin(value: number, min: number, max: number): boolean {
  return value >= min && value <= max;
}

function invalid(name: string, value: unknown, range: string): MsgError {
  const shown = typeof value === "string" ? JSON.stringify(value.slice(0, 40)) : String(value);
  return new MsgError("MSG_INVALID_OPTION", `${name} is ${shown}, must be ${range}`);
}
