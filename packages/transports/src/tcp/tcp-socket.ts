import type { AddressInfo, Server, Socket, TcpNetConnectOpts } from "node:net";
import { connect, isIP, isIPv4 } from "node:net";
import { invalidAddress } from "../addresses.ts";
import { connectFirst } from "../net/connect-first.ts";
import type { NetListening } from "../net/listen-net.ts";
import { listenNet } from "../net/listen-net.ts";
import { resolveHost } from "./resolve-host.ts";
import { formatTcpAddress, parseTcpAddress } from "./tcp-address.ts";
import type { ResolvedTcpOptions } from "./tcp-options.ts";

/** A connection that was made, paused since its creation. */
export interface DialedSocket {
  readonly socket: Socket;
  /** The name that was asked for, or the IP address that was dialed when none was. */
  readonly host: string;
  /** Where the peer is. */
  readonly remoteAddress: string;
}

/**
 * Connects to the first address of a host that answers. The socket may be half-open.
 *
 * @param open - makes a socket that connects.
 * @throws MsgError `MSG_INVALID_ADDRESS`, `MSG_DIAL_FAILED`
 */
export async function dialTcp(
  address: string,
  transportName: string,
  options: ResolvedTcpOptions,
  signal: AbortSignal,
  open: (options: TcpNetConnectOpts) => Socket = connect,
): Promise<DialedSocket> {
  const { host, port } = parseTcpAddress(address, transportName);
  if (port === 0) throw invalidAddress(address, "port 0 is for listening only");
  if (host === "*") throw invalidAddress(address, "host * is for listening only");
  const hosts = await resolveHost(host, options.lookup, signal);
  const candidates = hosts.map((ip) => ({
    label: formatTcpAddress(ip, port),
    open: () => open(connectionOptions(ip, port, options)),
  }));
  const socket = await connectFirst(formatTcpAddress(host, port), candidates, signal);
  const [first = host] = hosts;
  return {
    socket,
    host: isIP(host) === 0 ? host : first,
    // What was dialed says it too, without a call of the kernel, where there is but one form of it.
    remoteAddress:
      hosts.length === 1 && isIPv4(first) ? formatTcpAddress(first, port) : remoteAddressOf(socket),
  };
}

/**
 * Listens on a host and port.
 *
 * @throws MsgError `MSG_INVALID_ADDRESS`, `MSG_LISTEN_FAILED`
 */
export function listenTcp(
  address: string,
  transportName: string,
  options: ResolvedTcpOptions,
  listening: Omit<NetListening, "target" | "where">,
): Promise<Server> {
  const { host, port } = parseTcpAddress(address, transportName);
  return listenNet({
    target: formatTcpAddress(host, port),
    where: host === "*" ? { port } : { port, host },
    ...listening,
    serverOptions: { ...socketOptions(options), ...listening.serverOptions },
  });
}

/** Where a server listens. */
export function localAddressOf(server: Server): string {
  const { address, port } = server.address() as AddressInfo;
  return formatTcpAddress(address, port);
}

/** Where the peer of a socket is; `unknown` when it has already reset the connection. */
export function remoteAddressOf({ remoteAddress, remotePort }: Socket): string {
  if (remoteAddress === undefined || remotePort === undefined) return "unknown";
  // An IPv4 peer of a listener on all interfaces comes as an IPv6 address of its own form.
  return formatTcpAddress(remoteAddress.replace(/^::ffff:(?=[\d.]+$)/, ""), remotePort);
}

function connectionOptions(
  host: string,
  port: number,
  options: ResolvedTcpOptions,
): TcpNetConnectOpts {
  return { ...socketOptions(options), host, port, allowHalfOpen: true };
}

interface SocketOptions {
  readonly noDelay: boolean;
  readonly keepAlive: boolean;
  readonly keepAliveInitialDelay: number;
}

function socketOptions({ keepAliveMs }: ResolvedTcpOptions): SocketOptions {
  return keepAliveMs === Infinity
    ? { noDelay: true, keepAlive: false, keepAliveInitialDelay: 0 }
    : { noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs };
}
