import type { Server } from "node:net";
import { connect } from "node:net";
import type { Link, Listener, ListenerHandlers, Transport } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import { connectFirst } from "../net/connect-first.ts";
import { closeServer, listenNet } from "../net/listen-net.ts";
import { NetLink } from "../net/net-link.ts";
import { adoptAccepted, PlacedReads } from "../net/placed-reads.ts";
import type { IpcAddress } from "./ipc-address.ts";
import { parseIpcAddress } from "./ipc-address.ts";
import type { IpcOptions, ResolvedIpcOptions } from "./ipc-options.ts";
import { resolveIpcOptions } from "./ipc-options.ts";
import { SocketFile } from "./socket-file.ts";

/**
 * Links between processes of one machine: Unix domain sockets, or named pipes on Windows.
 *
 * Addresses are paths, `@name` (Linux: a name without a file) or `\\.\pipe\name` (Windows). A file
 * that a dead process left is replaced; any other file, and a live socket, is left alone.
 *
 * @example
 * ```ts
 * const rep = new RepSocket(new Ipc({ mode: 0o600 }));
 * await rep.bind("/run/app/orders.sock");
 * ```
 */
export class Ipc implements Transport {
  readonly name: string = "ipc";
  readonly dialerSpeaksFirst: boolean = false;
  readonly #options: ResolvedIpcOptions;

  /** @throws MsgError `MSG_INVALID_OPTION` */
  constructor(options?: IpcOptions) {
    this.#options = resolveIpcOptions(options);
  }

  parseAddress(address: string): string {
    return shownPath(parseIpcAddress(address));
  }

  async dial(address: string, signal: AbortSignal): Promise<Link> {
    const parsed = parseIpcAddress(address);
    const shown = shownPath(parsed);
    const open = () => PlacedReads.open({ path: parsed.path, allowHalfOpen: true }, connect);
    const socket = await connectFirst(`ipc:${shown}`, [{ label: shown, open }], signal);
    return new NetLink(socket, shown);
  }

  async listen(address: string, handlers: ListenerHandlers): Promise<Listener> {
    const parsed = parseIpcAddress(address);
    const shown = shownPath(parsed);
    if (parsed.kind === "file") return this.#listenOnFile(parsed.path, handlers);
    if (this.#options.mode !== undefined) {
      const text = `cannot listen on ${shown}: mode is set, and a name without a file has none`;
      throw new MsgError("MSG_LISTEN_FAILED", text);
    }
    const server = await listenAt(parsed.path, shown, handlers);
    return { address: shown, close: () => closeServer(server) };
  }

  async #listenOnFile(path: string, handlers: ListenerHandlers): Promise<Listener> {
    const file = await SocketFile.prepare(path);
    let server: Server | undefined;
    try {
      server = await listenAt(file.stagedPath, path, handlers);
      await file.publish(this.#options.mode);
      return new FileListener(path, server, file);
    } catch (error) {
      if (server !== undefined) await closeServer(server);
      await file.discard();
      throw error;
    }
  }
}

/** Removes its file before it stops: while it listens nobody takes the file for a dead one. */
class FileListener implements Listener {
  readonly address: string;
  readonly #server: Server;
  readonly #file: SocketFile;
  #closed: Promise<void> | undefined;

  constructor(address: string, server: Server, file: SocketFile) {
    this.address = address;
    this.#server = server;
    this.#file = file;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    try {
      await this.#file.remove();
    } finally {
      await closeServer(this.#server);
    }
  }
}

/** Peers of a local socket have no address of their own: each is given a number. */
function listenAt(path: string, shown: string, handlers: ListenerHandlers): Promise<Server> {
  let accepted = 0;
  return listenNet({
    target: shown,
    // exclusive: the workers of a cluster would share one socket, of which none owns the file.
    where: { path, exclusive: true },
    onSocket(socket) {
      handlers.onLink(new NetLink(adoptAccepted(socket), `ipc:${shown}#${++accepted}`));
    },
    onError: (error) => handlers.onError(error),
  });
}

function shownPath({ kind, path }: IpcAddress): string {
  return kind === "name" ? path.replace(/^\0/, "@") : path;
}
