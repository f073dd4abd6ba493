import type { FrameDecoder, Welcome } from "../contracts/protocol.ts";
import type { Link } from "../contracts/transport.ts";
import type { ConnectionHandlers, ConnectionOptions } from "../connection/connection.ts";
import { Connection } from "../connection/connection.ts";
import type { Dialer } from "../connection/dialer.ts";
import type { MsgError } from "../errors.ts";
import type { TimerHandle } from "../runtime.ts";
import type { Peer } from "./peer.ts";

/** Who is told of a connection before its peer is, and behind it. */
export interface EntryOwner<P extends Peer> {
  onWelcome(entry: Entry<P>, welcome: Welcome): FrameDecoder | undefined;
  onHurried(entry: Entry<P>): void;
  onConnectionClosed(entry: Entry<P>, reason: MsgError | undefined): void;
}

/**
 * A connection with what is kept of it beside itself, and the one who hears it: what concerns the
 * pattern goes on to the peer. A class, because idle connections are to cost little (bench scenario:
 * idle-memory).
 */
export class Entry<P extends Peer> implements ConnectionHandlers {
  readonly connection: Connection;
  readonly endpoint: string;
  /** Absent when the peer dialed us. */
  readonly dialer: Dialer | undefined;
  readonly probationMs: number;
  readonly #owner: EntryOwner<P>;
  /** A silent one said nothing yet and may do so; it holds the place of a client. */
  phase: "silent" | "handshaking" | "admitted" | "rejected" = "handshaking";
  peer: P | undefined;
  /** Ends the probation. */
  timer: TimerHandle;

  constructor(
    owner: EntryOwner<P>,
    link: Link,
    options: ConnectionOptions,
    endpoint: string,
    dialer: Dialer | undefined,
    probationMs: number,
  ) {
    this.#owner = owner;
    this.endpoint = endpoint;
    this.dialer = dialer;
    this.probationMs = probationMs;
    this.connection = new Connection(link, options, this);
  }

  onReady(welcome: Welcome): FrameDecoder | undefined {
    return this.#owner.onWelcome(this, welcome);
  }

  onHurried(): void {
    this.#owner.onHurried(this);
  }

  onDrain(): void {
    this.peer?.onDrain();
  }

  onTaken(): void {
    this.peer?.onTaken();
  }

  onBeforeFlush(): void {
    this.peer?.onBeforeFlush();
  }

  onPeerEnded(): void {
    this.peer?.onPeerEnded();
  }

  onClosed(reason: MsgError | undefined): void {
    this.#owner.onConnectionClosed(this, reason);
  }
}
