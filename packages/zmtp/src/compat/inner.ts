import type { Transport } from "@msg-ts/core";
import type { DealerSocket } from "../sockets/dealer.ts";
import type { PartsOptions, SharingOptions } from "../sockets/parts-options.ts";
import { PartsSocket } from "../sockets/parts-socket.ts";
import { SharingSocket } from "../sockets/sharing-socket.ts";
import { CompatError } from "./compat-error.ts";

/** What this layer needs of any socket of ours. */
export type OurSocket = Pick<
  DealerSocket,
  "addresses" | "bind" | "close" | "connect" | "disconnect" | "isClosed" | "on" | "unbind"
>;

/** A socket of ours, and how zeromq.js sends and receives by it. */
export interface Inner {
  readonly socket: OurSocket;
  /** Whether `receive` would give something now. */
  readonly isReadable: boolean;
  /** Whether `send` would not wait now. */
  readonly isWritable: boolean;
  send(parts: readonly Uint8Array[], waiting: Waiting): undefined | Promise<void>;
  receive(waiting: Waiting): Promise<readonly Uint8Array[]>;
}

/** How long a call may wait; the signal aborts when the socket is closed. */
export interface Waiting {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** A socket whose messages are arrays of parts both ways. */
interface PartsEnd extends OurSocket {
  /** Absent where `send` waits for nobody in particular. */
  readonly isWritable?: boolean;
  stats(): { readonly queued: number };
  send(
    parts: readonly Uint8Array[],
    waiting?: Waiting & { readonly copy?: boolean },
  ): undefined | Promise<void>;
  receive(waiting: Waiting): Promise<{ readonly parts: readonly Uint8Array[] }>;
}

/** Of a socket of messages of parts. */
export function partsInner(socket: PartsEnd): Inner {
  return {
    socket,
    get isReadable() {
      return socket.stats().queued > 0;
    },
    get isWritable() {
      return socket.isWritable ?? true;
    },
    send: (parts, waiting) => socket.send(parts, waiting),
    receive: async (waiting) => (await socket.receive(waiting)).parts,
  };
}

/** PUSH, whose messages are arrays of parts. */
export class PushParts extends SharingSocket {
  constructor(transport: Transport, options: SharingOptions) {
    super("PUSH", transport, options);
  }
}

/** PULL, whose messages are arrays of parts. */
export class PullParts extends PartsSocket {
  constructor(transport: Transport, options: PartsOptions) {
    super("PULL", transport, options);
  }

  protected override get unsent(): number {
    return 0;
  }
}

/** Of a PULL. */
export function pullInner(socket: PullParts): Inner {
  return {
    socket,
    get isReadable() {
      return socket.stats().queued > 0;
    },
    isWritable: false,
    send: () => {
      throw new CompatError("EINVAL", "a Pull cannot send");
    },
    receive: async (waiting) => (await socket.receive(waiting)).parts,
  };
}
