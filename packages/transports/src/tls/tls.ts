import type { Server } from "node:net";
import type { Link, Listener, ListenerHandlers, Transport } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import { closeServer } from "../net/listen-net.ts";
import { formatTcpAddress, parseTcpAddress } from "../tcp/tcp-address.ts";
import { dialTcp, listenTcp, localAddressOf } from "../tcp/tcp-socket.ts";
import { TlsAcceptor } from "./tls-acceptor.ts";
import { TlsCredentials } from "./tls-credentials.ts";
import { secureDialed } from "./tls-dialing.ts";
import type { ResolvedTlsOptions, TlsCertificates, TlsOptions } from "./tls-options.ts";
import { resolveTlsOptions } from "./tls-options.ts";

/**
 * Links over TLS 1.2 or 1.3 on TCP: encrypted, with a server that proves who it is, and clients that
 * do if the listener asks them to.
 *
 * Addresses are those of TCP. A dialer verifies the server's certificate unless it is told not to.
 *
 * @example
 * ```ts
 * const rep = new RepSocket(new Tls({ cert, key }));
 * await rep.bind("*:4444");
 *
 * const req = new ReqSocket(new Tls({ ca }));
 * await req.connect("orders.example:4444");
 * ```
 */
export class Tls implements Transport {
  readonly name: string = "tls";
  readonly dialerSpeaksFirst: boolean = false;
  readonly #options: ResolvedTlsOptions;
  readonly #acceptors: Set<TlsAcceptor> = new Set();
  #certificates: TlsCertificates;
  #credentials: TlsCredentials;

  /** @throws MsgError `MSG_INVALID_OPTION`, also for certificates and keys that cannot be used. */
  constructor(options: TlsOptions = {}) {
    const { cert, key, passphrase, ca, pins, sni } = options;
    this.#options = resolveTlsOptions(options);
    this.#certificates = { cert, key, passphrase, ca, pins, sni };
    this.#credentials = new TlsCredentials(this.#certificates, this.#options);
  }

  /**
   * The pin of our certificate: what those who dial our listeners give as one of their `pins`.
   *
   * @throws MsgError `MSG_INVALID_STATE` without `cert` and `key`.
   */
  get pin(): string {
    const { pin } = this.#credentials;
    if (pin !== undefined) return pin;
    throw new MsgError("MSG_INVALID_STATE", "there is no pin: cert and key are not given");
  }

  parseAddress(address: string): string {
    const { host, port } = parseTcpAddress(address, this.name);
    return formatTcpAddress(host, port);
  }

  async dial(address: string, signal: AbortSignal): Promise<Link> {
    const { serverName, rejectUnauthorized, tcp } = this.#options;
    const { socket: raw, host } = await dialTcp(address, this.name, tcp, signal);
    return secureDialed(
      {
        raw,
        target: this.parseAddress(address),
        serverName: serverName ?? host,
        credentials: this.#credentials,
        rejectUnauthorized,
      },
      signal,
    );
  }

  async listen(address: string, handlers: ListenerHandlers): Promise<Listener> {
    const target = this.parseAddress(address);
    if (!this.#credentials.canListen) {
      const text = `cannot listen on ${target}: cert and key are not given, nor sni; a SelfSignedIdentity has both`;
      throw new MsgError("MSG_INVALID_OPTION", text);
    }
    const acceptor = new TlsAcceptor(this.#credentials, this.#options, handlers);
    this.#acceptors.add(acceptor);
    const release = (): void => {
      this.#acceptors.delete(acceptor);
      acceptor.close();
    };
    try {
      const server = await listenTcp(address, this.name, this.#options.tcp, {
        serverOptions: { allowHalfOpen: false },
        onSocket: (raw) => acceptor.accept(raw),
        onError: (error) => handlers.onError(error),
      });
      return new TlsListener(server, acceptor, release);
    } catch (error) {
      release();
      throw error;
    }
  }

  /**
   * Replaces certificates while sockets use this transport. Handshakes from now on go by the new
   * ones, on every listener and dialer; links that stand stay as they are. What is not given stays.
   *
   * Sessions are forgotten, so that every peer that comes back is verified anew.
   *
   * @throws MsgError `MSG_INVALID_OPTION`; then the old ones stay in use.
   *
   * @example
   * ```ts
   * transport.setCertificates({ cert: await readFile("tls.crt"), key: await readFile("tls.key") });
   * ```
   */
  setCertificates(certificates: TlsCertificates): void {
    const { cert, key, passphrase, ca, pins, sni } = certificates;
    const old = this.#certificates;
    const merged: TlsCertificates = {
      cert: cert ?? old.cert,
      key: key ?? old.key,
      // A new key that is not encrypted has none.
      passphrase: key === undefined ? (passphrase ?? old.passphrase) : passphrase,
      ca: ca ?? old.ca,
      pins: pins ?? old.pins,
      sni: sni ?? old.sni,
    };
    const credentials = new TlsCredentials(merged, this.#options);
    this.#certificates = merged;
    this.#credentials = credentials;
    for (const acceptor of this.#acceptors) acceptor.use(credentials);
  }
}

class TlsListener implements Listener {
  readonly address: string;
  readonly #server: Server;
  readonly #acceptor: TlsAcceptor;
  readonly #release: () => void;

  constructor(server: Server, acceptor: TlsAcceptor, release: () => void) {
    this.address = localAddressOf(server);
    this.#server = server;
    this.#acceptor = acceptor;
    this.#release = release;
  }

  settle(withinMs: number): Promise<void> {
    return this.#acceptor.settle(withinMs);
  }

  close(): Promise<void> {
    const closed = closeServer(this.#server);
    this.#release();
    return closed;
  }
}
