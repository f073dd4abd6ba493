import type { AddressInfo, Server, Socket, TcpNetConnectOpts } from "node:net";
import { connect } from "node:net";
import type { Link, Listener, ListenerHandlers, Transport } from "@msg-ts/core";
import { invalidAddress } from "../addresses.ts";
import { connectFirst } from "../net/connect-first.ts";
import { closeServer, listenNet } from "../net/listen-net.ts";
import { NetLink } from "../net/net-link.ts";
import { resolveHost } from "./resolve-host.ts";
import { formatTcpAddress, parseTcpAddress } from "./tcp-address.ts";
import type { ResolvedTcpOptions, TcpOptions } from "./tcp-options.ts";
import { resolveTcpOptions } from "./tcp-options.ts";

/**
 * Links over TCP, without Nagle's delay and with keep-alive probes.
 *
 * Addresses are `host:port`, `[IPv6]:port` and, to listen on every interface, `*:port`; port 0
 * takes a free one. A host name is resolved at each dial and all its addresses are tried.
 *
 * @example
 * ```ts
 * const rep = new RepSocket(new Tcp({ keepAliveMs: 30_000 }));
 * await rep.bind("0.0.0.0:4444");
 * ```
 */
export class Tcp implements Transport {
  readonly name: string = "tcp";
  readonly dialerSpeaksFirst: boolean = false;
  readonly #options: ResolvedTcpOptions;

  /** @throws MsgError `MSG_INVALID_OPTION` */
  constructor(options?: TcpOptions) {
    this.#options = resolveTcpOptions(options);
  }

  parseAddress(address: string): string {
    const { host, port } = parseTcpAddress(address);
    return formatTcpAddress(host, port);
  }

  async dial(address: string, signal: AbortSignal): Promise<Link> {
    const { host, port } = parseTcpAddress(address);
    if (port === 0) throw invalidAddress(address, "port 0 is for listening only");
    if (host === "*") throw invalidAddress(address, "host * is for listening only");
    const hosts = await resolveHost(host, this.#options.lookup, signal);
    const candidates = hosts.map((ip) => ({
      label: formatTcpAddress(ip, port),
      open: () => this.#connect(ip, port),
    }));
    const socket = await connectFirst(formatTcpAddress(host, port), candidates, signal);
    return new NetLink(socket, remoteAddressOf(socket));
  }

  async listen(address: string, handlers: ListenerHandlers): Promise<Listener> {
    const { host, port } = parseTcpAddress(address);
    const server = await listenNet(
      {
        target: formatTcpAddress(host, port),
        where: host === "*" ? { port } : { port, host },
        serverOptions: this.#socketOptions(),
        toLink: (socket) => new NetLink(socket, remoteAddressOf(socket)),
      },
      handlers,
    );
    return new TcpListener(server);
  }

  #connect(host: string, port: number): Socket {
    const options: TcpNetConnectOpts = {
      ...this.#socketOptions(),
      host,
      port,
      allowHalfOpen: true,
    };
    return connect(options);
  }

  #socketOptions(): { noDelay: boolean; keepAlive: boolean; keepAliveInitialDelay: number } {
    const { keepAliveMs } = this.#options;
    return keepAliveMs === Infinity
      ? { noDelay: true, keepAlive: false, keepAliveInitialDelay: 0 }
      : { noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs };
  }
}

class TcpListener implements Listener {
  readonly address: string;
  readonly #server: Server;

  constructor(server: Server) {
    const { address, port } = server.address() as AddressInfo;
    this.address = formatTcpAddress(address, port);
    this.#server = server;
  }

  close(): Promise<void> {
    return closeServer(this.#server);
  }
}

function remoteAddressOf(socket: Socket): string {
  const { remoteAddress, remotePort } = socket;
  // Both are gone when the peer has already reset the connection.
  if (remoteAddress === undefined || remotePort === undefined) return "unknown";
  // An IPv4 peer of a listener on all interfaces comes as an IPv6 address of its own form.
  return formatTcpAddress(remoteAddress.replace(/^::ffff:(?=[\d.]+$)/, ""), remotePort);
}
