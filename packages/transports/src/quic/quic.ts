import { isIP } from "node:net";
import { domainToASCII } from "node:url";
import type { Link, Listener, ListenerHandlers, Transport } from "@msg-ts/core";
import { invalidAddress } from "../addresses.ts";
import { listenFailed } from "../failures.ts";
import { resolveHost } from "../tcp/resolve-host.ts";
import { formatTcpAddress, parseTcpAddress } from "../tcp/tcp-address.ts";
import { dialFirst } from "./dial-first.ts";
import { QuicContexts } from "./quic-contexts.ts";
import { QuicCredentials } from "./quic-credentials.ts";
import { QuicEndpoint } from "./quic-endpoint.ts";
import type { QuicCertificates, QuicOptions, ResolvedQuicOptions } from "./quic-options.ts";
import { resolveQuicOptions } from "./quic-options.ts";
import type { SessionOptions } from "./session-owner.ts";
import type { QuicEngine } from "./engine.ts";
import { quicheEngine } from "./quiche-engine.ts";
import { Rounds } from "./rounds.ts";
import { SelfSignedIdentity } from "../certificates/self-signed-identity.ts";
import { SharedSessions } from "./shared-sessions.ts";
import type { StreamLink } from "./stream-link.ts";

/** The server name that msg-rs asks for, and does not care about. */
const msgRsServerName = "l";

const never: AbortSignal = new AbortController().signal;

/**
 * Links over QUIC (RFC 9000): encrypted always, over UDP, with one round trip to connect, and no
 * link waits for what another has lost.
 *
 * Addresses are those of TCP. Links of one instance to the same address share a connection, so
 * sockets that are given the same instance do. A server is verified unless it is told not to.
 *
 * A UDP port belongs to one listener. When that closes, links that came to it live on and keep the
 * port; the same instance may listen on it again at once.
 *
 * @example
 * ```ts
 * const transport = new Quic();
 * const rep = new RepSocket(transport);
 * await rep.bind("*:4444");
 *
 * const req = new ReqSocket(new Quic({ pins: transport.pin }));
 * await req.connect("orders.example:4444");
 * ```
 */
export class Quic implements Transport {
  readonly name: string = "quic";
  readonly dialerSpeaksFirst: boolean = true;
  readonly #options: ResolvedQuicOptions;
  readonly #engine: QuicEngine;
  readonly #rounds: Rounds = new Rounds();
  readonly #sessions: SharedSessions;
  readonly #endpoints: Map<string, QuicEndpoint> = new Map();
  #selfSigned: SelfSignedIdentity | undefined;
  readonly #ownIdentity: () => SelfSignedIdentity = () => {
    this.#selfSigned ??= new SelfSignedIdentity();
    return this.#selfSigned;
  };
  #certificates: QuicCertificates;
  #contexts: QuicContexts;

  /**
   * @param engine - what speaks QUIC. Another one is for trials: the seam may change.
   * @throws MsgError `MSG_INVALID_OPTION`, also for certificates and keys that cannot be used;
   *   `MSG_MISSING_PACKAGE` where the engine has no build for the platform.
   */
  constructor(options: QuicOptions = {}, engine: QuicEngine = quicheEngine()) {
    this.#options = resolveQuicOptions(options);
    this.#engine = engine;
    const { cert, key, passphrase, ca, pins } = options;
    this.#certificates = { cert, key, passphrase, ca, pins };
    this.#contexts = this.#contextsOf(this.#certificates);
    this.#sessions = new SharedSessions(this.#options.compat === undefined);
  }

  /** What those who dial a listener of this transport give as `pins`. */
  get pin(): string {
    return this.#contexts.credentials.pin;
  }

  parseAddress(address: string): string {
    const { host, port } = parseTcpAddress(address, this.name);
    return formatTcpAddress(host, port);
  }

  async dial(address: string, signal: AbortSignal): Promise<Link> {
    const { host, port } = parseTcpAddress(address, this.name);
    if (port === 0) throw invalidAddress(address, "port 0 is for listening only");
    if (host === "*") throw invalidAddress(address, "host * is for listening only");
    const hosts = await resolveHost(host, this.#options.lookup, signal);
    const dials = hosts.map(
      (ip) => (raceSignal: AbortSignal) => this.#dialAt(host, ip, port, raceSignal),
    );
    return dialFirst(formatTcpAddress(host, port), dials, signal, (late) => late.destroy());
  }

  async listen(address: string, handlers: ListenerHandlers): Promise<Listener> {
    const { host, port } = parseTcpAddress(address, this.name);
    const target = formatTcpAddress(host, port);
    // One that is only left for its links.
    const known = this.#endpoints.get(target);
    if (known?.isListening === true) throw listenFailed(target, new Error("EADDRINUSE"));
    await known?.closing;
    const isLeft = known !== undefined && known.closing === undefined;
    const endpoint = isLeft ? known : await this.#open(target, host, port);
    endpoint.listen(handlers);
    return {
      address: endpoint.address,
      settle: (withinMs) => endpoint.settle(withinMs),
      close: () => endpoint.stop(handlers),
    };
  }

  /**
   * Replaces certificates while sockets use this transport. Handshakes from now on go by the new
   * ones, on every listener and dialer; links that stand stay as they are. What is not given stays.
   *
   * @throws MsgError `MSG_INVALID_OPTION`; then the old ones stay in use.
   *
   * @example
   * ```ts
   * transport.setCertificates({ cert: await readFile("tls.crt"), key: await readFile("tls.key") });
   * ```
   */
  setCertificates(certificates: QuicCertificates): void {
    const { cert, key, passphrase, ca, pins } = certificates;
    const old = this.#certificates;
    const merged: QuicCertificates = {
      cert: cert ?? old.cert,
      key: key ?? old.key,
      // A new key that is not encrypted has none.
      passphrase: key === undefined ? (passphrase ?? old.passphrase) : passphrase,
      ca: ca ?? old.ca,
      pins: pins ?? old.pins,
    };
    this.#contexts = this.#contextsOf(merged);
    this.#certificates = merged;
    this.#sessions.clear();
  }

  #contextsOf(certificates: QuicCertificates): QuicContexts {
    const credentials = new QuicCredentials(certificates, this.#options, this.#ownIdentity);
    return new QuicContexts(this.#engine, credentials, this.#options);
  }

  #dialAt(host: string, ip: string, port: number, signal: AbortSignal): Promise<StreamLink> {
    const { serverName, compat } = this.#options;
    const name = certificateName(serverName ?? (isIP(host) === 0 ? host : ip));
    // The engine verifies a chain for the name that it asks for, and only for that.
    const isVerified = compat === undefined || this.#certificates.ca !== undefined;
    const asked = isVerified ? name : msgRsServerName;
    return this.#sessions.open(
      {
        remote: { host: ip, port },
        serverName: isIP(asked) === 0 ? asked : undefined,
        certificateName: name,
        contexts: this.#contexts,
        session: this.#sessionOptions(true),
      },
      signal,
    );
  }

  async #open(target: string, host: string, port: number): Promise<QuicEndpoint> {
    try {
      const endpoint = await this.#bind(host, port);
      this.#endpoints.set(endpoint.address, endpoint);
      return endpoint;
    } catch (error) {
      throw listenFailed(target, error);
    }
  }

  async #bind(host: string, port: number): Promise<QuicEndpoint> {
    const setup = {
      engine: this.#engine,
      options: this.#options,
      session: this.#sessionOptions(false),
      contexts: () => this.#contexts,
    };
    const onClosed = (endpoint: QuicEndpoint): void => {
      if (this.#endpoints.get(endpoint.address) === endpoint) {
        this.#endpoints.delete(endpoint.address);
      }
    };
    if (host !== "*") {
      const [ip = host] = isIP(host) === 0 ? await this.#options.lookup(host, never) : [host];
      return QuicEndpoint.open(setup, { host: ip, port }, onClosed);
    }
    try {
      return await QuicEndpoint.open(setup, { host: "::", port }, onClosed);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EAFNOSUPPORT"))
        throw error;
      return QuicEndpoint.open(setup, { host: "0.0.0.0", port }, onClosed);
    }
  }

  #sessionOptions(isDialer: boolean): SessionOptions {
    const { compat, keepAliveMs, handshakeTimeoutMs, streamWindowBytes } = this.#options;
    return {
      isDialer,
      isShared: compat === undefined,
      keepAliveMs,
      handshakeTimeoutMs,
      streamWindowBytes,
      rounds: this.#rounds,
    };
  }
}

/** A name as certificates have it: in ASCII, without a dot at its end; an address without a zone. */
function certificateName(host: string): string {
  if (isIP(host) !== 0) return host.replace(/%.*$/, "");
  const name = host.replace(/\.$/, "");
  return domainToASCII(name) || name;
}
