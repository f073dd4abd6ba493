import type { PeerInfo } from "../../contracts/authenticator.ts";
import type { ReqSink, ReqWriter, WireContext } from "../../contracts/protocol.ts";
import type { Connection } from "../../connection/connection.ts";
import type { MsgError } from "../../errors.ts";
import type { Runtime } from "../../runtime.ts";
import { Peer } from "../peer.ts";
import { RunClock } from "./run-clock.ts";

/** Who is told what a REP said. */
export interface ReplyHandlers {
  onReply(
    peer: ReqPeer,
    id: number,
    payload: Uint8Array,
    parts: readonly Uint8Array[] | undefined,
  ): void;
  onReplyError(peer: ReqPeer, id: number, error: MsgError): void;
  /** The peer drains and did not run this request. */
  onReplyRefused(peer: ReqPeer, id: number): void;
  /** It said goodbye: it gets nothing more. */
  onDraining(peer: ReqPeer): void;
  /** What it did not answer it did not run. */
  onFinished(peer: ReqPeer): void;
  onWritable(): void;
  /** What was sent in this tick is written now. */
  onBeforeFlush(): void;
}

/** A REP as a REQ sees it. */
export class ReqPeer extends Peer implements ReqSink {
  readonly decoder: RunClock;
  readonly writer: ReqWriter;
  readonly #handlers: ReplyHandlers;
  /** What the wire bounds. */
  readonly #maxInFlight: number;
  inFlight = 0;
  /** It said goodbye: nothing more is sent to it. */
  isDraining = false;
  /** It said goodbye again: of what it has not answered it read nothing (docs/wire-protocol.md). */
  #hasSaidAll = false;
  #hasSaidGoodbye = false;

  constructor(
    info: PeerInfo,
    connection: Connection,
    context: WireContext,
    runtime: Runtime,
    handlers: ReplyHandlers,
  ) {
    super(info, connection);
    this.#handlers = handlers;
    const wire = connection.protocol.open("REQ", connection.outbox, this, context);
    this.decoder = new RunClock(wire.decoder, runtime);
    this.writer = wire.writer;
    this.#maxInFlight = wire.writer.maxInFlight ?? Infinity;
  }

  /** Whether one more request may go to it now. */
  hasRoom(maxInFlight: number): boolean {
    if (this.isDraining || this.inFlight >= maxInFlight) return false;
    if (this.inFlight >= this.#maxInFlight) return false;
    const { phase, outbox } = this.connection;
    // What is written to a connection that ends is lost.
    return phase === "ready" && !outbox.isFull;
  }

  onReply(id: number, payload: Uint8Array, parts?: readonly Uint8Array[]): void {
    this.#handlers.onReply(this, id, payload, parts);
  }

  onReplyError(id: number, error: MsgError): void {
    this.#handlers.onReplyError(this, id, error);
  }

  onReplyRefused(id: number): void {
    this.#beginDraining();
    this.#handlers.onReplyRefused(this, id);
  }

  onGoodbye(): void {
    if (this.#hasSaidGoodbye) this.#hasSaidAll = true;
    this.#hasSaidGoodbye = true;
    this.#beginDraining();
    if (this.hasFinished) this.#handlers.onFinished(this);
  }

  /** All its answers are told, and it runs nothing more. */
  get hasFinished(): boolean {
    return this.#hasSaidAll && !this.connection.hasBacklog;
  }

  override onPeerEnded(): void {
    if (this.hasFinished) this.#handlers.onFinished(this);
    super.onPeerEnded();
  }

  #beginDraining(): void {
    if (this.isDraining) return;
    this.isDraining = true;
    this.#handlers.onDraining(this);
  }

  override onDrain(): void {
    this.#handlers.onWritable();
  }

  override onBeforeFlush(): void {
    this.#handlers.onBeforeFlush();
  }
}
