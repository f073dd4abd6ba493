import { join } from "node:path";
import type { TcpOptions } from "@msg-ts/transports/tcp";
import type { Transport } from "msg-ts";
import { Ipc, Quic, Tcp, Tls } from "msg-ts";

/** The transports that processes can share. */
export const transportNames = ["tcp", "ipc", "tls", "quic"] as const;

/** One of {@link transportNames}. */
export type TransportName = (typeof transportNames)[number];

/** What a process needs to take part; plain, so that it can be handed over. */
export interface Network {
  readonly transport: TransportName;
  /** For sockets of the file system. */
  readonly folder: string;
  /**
   * The first of its ports: below those that the host gives to dialers, of which one could take the
   * place of a server that is being started again.
   */
  readonly firstPort: number;
  readonly certificate?: { readonly cert: string; readonly key: string; readonly ca: string };
}

/**
 * The transport of a network.
 *
 * @param lookup - says where names are.
 */
export function transportOf(
  { transport, certificate }: Network,
  lookup?: TcpOptions["lookup"],
): Transport {
  if (transport === "tcp") return new Tcp({ lookup });
  if (transport === "ipc") return new Ipc();
  if (transport === "quic") return new Quic({ ...certificate, lookup });
  return new Tls({ ...certificate, lookup });
}

/** What sockets of a network are called. */
const places = ["rep", "pull", "pub", "jobs"] as const;

type Place = (typeof places)[number];

/** Where a socket may bind first; a restarted one binds where the first one was. */
export function addressOf({ transport, folder, firstPort }: Network, name: Place): string {
  if (transport === "ipc") return join(folder, `${name}.sock`);
  return `127.0.0.1:${firstPort + places.indexOf(name)}`;
}
