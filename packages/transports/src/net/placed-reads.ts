import type { OnReadOpts, Server } from "node:net";
import { Socket } from "node:net";
import process from "node:process";
import type { LinkHandlers } from "@msg-ts/core";

/**
 * Where a socket reads before its link was started: all of them, because none of them does read. No
 * more than a peer that is not let in may have kept of it.
 */
const firstBuffer = Buffer.allocUnsafeSlow(8 * 1024);

/**
 * Whether sockets read at the moment they call back. On Windows the system fills the memory while
 * other code runs, so no two sockets could be given the same.
 */
const readsAtOnce = process.platform !== "win32";

const readsBySocket = new WeakMap<Socket, PlacedReads>();

/**
 * Has a socket read into memory that its receiver chooses, without a stream and a new chunk for each
 * read (bench scenario: push-pull).
 */
export class PlacedReads {
  #handlers: LinkHandlers | undefined;
  readonly #onread: OnReadOpts = {
    buffer: () => this.#handlers?.nextBuffer?.() ?? firstBuffer,
    callback: (length, buffer) => {
      this.#handlers?.onData(chunkOf(buffer, length));
      return true;
    },
  };

  /** What `start` makes of options is a socket that these reads are of. */
  static open<Options extends object>(
    options: Options,
    start: (options: Options & { readonly onread?: OnReadOpts }) => Socket,
  ): Socket {
    if (!readsAtOnce) return start(options);
    const reads = new PlacedReads();
    const socket = start({ ...options, onread: reads.#onread });
    readsBySocket.set(socket, reads);
    return socket;
  }

  /** The reads of a socket that was made by {@link open}. */
  static of(socket: Socket): PlacedReads | undefined {
    return readsBySocket.get(socket);
  }

  set handlers(handlers: LinkHandlers) {
    this.#handlers = handlers;
  }
}

function chunkOf(buffer: Uint8Array, length: number): Uint8Array {
  if (buffer.buffer === firstBuffer.buffer) return Buffer.from(buffer.subarray(0, length));
  return length === buffer.length ? buffer : buffer.subarray(0, length);
}

/** What Node.js does not document: the connection itself, and the server that counts by its socket. */
const handle = "_handle";
const server = "_server";

interface Internals {
  [handle]: { readonly useUserBuffer?: unknown } | null | undefined;
  [server]: Server | null | undefined;
}

/**
 * The same connection as an accepted socket, paused, with placed reads: a server has no option for
 * that, but its sockets can hand over their handle. Where they cannot, the socket as it is.
 */
export function adoptAccepted(accepted: Socket): Socket {
  const from = accepted as unknown as Internals;
  const moved = from[handle];
  if (typeof moved?.useUserBuffer !== "function") return accepted;
  return PlacedReads.open({}, ({ onread }) => {
    if (onread === undefined) return accepted;
    from[handle] = null;
    const given = { handle: moved, onread, allowHalfOpen: true, pauseOnCreate: true };
    const socket = new Socket(given);
    (socket as unknown as Internals)[server] = from[server];
    from[server] = null;
    return socket;
  });
}
