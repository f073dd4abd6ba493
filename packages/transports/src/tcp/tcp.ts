import type { Server, Socket, TcpNetConnectOpts } from "node:net";
import { connect } from "node:net";
import type { Link, Listener, ListenerHandlers, Transport } from "@msg-ts/core";
import { closeServer } from "../net/listen-net.ts";
import { NetLink } from "../net/net-link.ts";
import { adoptAccepted, PlacedReads } from "../net/placed-reads.ts";
import { formatTcpAddress, parseTcpAddress } from "./tcp-address.ts";
import type { ResolvedTcpOptions, TcpOptions } from "./tcp-options.ts";
import { resolveTcpOptions } from "./tcp-options.ts";
import { dialTcp, listenTcp, localAddressOf, remoteAddressOf } from "./tcp-socket.ts";

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
    const { host, port } = parseTcpAddress(address, this.name);
    return formatTcpAddress(host, port);
  }

  async dial(address: string, signal: AbortSignal): Promise<Link> {
    const { socket, remoteAddress } = await dialTcp(
      address,
      this.name,
      this.#options,
      signal,
      connectPlaced,
    );
    return new NetLink(socket, remoteAddress);
  }

  async listen(address: string, handlers: ListenerHandlers): Promise<Listener> {
    const server = await listenTcp(address, this.name, this.#options, {
      onSocket(accepted) {
        const socket = adoptAccepted(accepted);
        handlers.onLink(new NetLink(socket, remoteAddressOf(socket)));
      },
      onError: (error) => handlers.onError(error),
    });
    return new TcpListener(server);
  }
}

function connectPlaced(options: TcpNetConnectOpts): Socket {
  return PlacedReads.open(options, connect);
}

class TcpListener implements Listener {
  readonly address: string;
  readonly #server: Server;

  constructor(server: Server) {
    this.address = localAddressOf(server);
    this.#server = server;
  }

  close(): Promise<void> {
    return closeServer(this.#server);
  }
}
