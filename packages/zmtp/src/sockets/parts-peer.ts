import type { Connection } from "@msg-ts/core/building";
import { Deque, emptyBytes, Peer, ReceiveSource } from "@msg-ts/core/building";
import type { FrameDecoder, PeerInfo, WireContext } from "@msg-ts/core";
import { openReader } from "../patterns/wire-parts.ts";
import type { Session } from "../session.ts";
import type { Command } from "../wire/command.ts";
import type { FrameWriter } from "../wire/frame-writer.ts";
import type { OpenZmtp } from "../zmtp.ts";
import type { PartsMessage } from "./parts-message.ts";
import type { ResolvedPartsOptions } from "./parts-options.ts";
import { bytesOf } from "./parts-options.ts";

/** Who is told what a peer said. */
export interface PartsHandlers {
  onMessage(peer: PartsPeer, parts: readonly Uint8Array[]): void;
  /** @returns false when it means nothing to this socket. */
  onCommand(peer: PartsPeer, command: Command): boolean;
  /** More may be given to it. */
  onRoom(peer: PartsPeer): void;
}

interface Untaken {
  readonly parts: readonly Uint8Array[];
  readonly endsAtByte: number;
}

/** One remote as a socket of messages of parts sees it. */
export class PartsPeer extends Peer {
  readonly decoder: FrameDecoder;
  readonly source: ReceiveSource<PartsMessage>;
  readonly session: Session;
  readonly #writer: FrameWriter;
  readonly #options: ResolvedPartsOptions;
  readonly #handlers: PartsHandlers;
  /** What was written and the transport has not taken, oldest first. */
  readonly #untaken: Deque<Untaken> = new Deque();
  #untakenBytes = 0;

  constructor(
    info: PeerInfo,
    connection: Connection,
    context: WireContext,
    options: ResolvedPartsOptions,
    handlers: PartsHandlers,
  ) {
    super(info, connection);
    this.#options = options;
    this.#handlers = handlers;
    this.source = new ReceiveSource(connection);
    const opened = connection.protocol as OpenZmtp;
    const wire = opened.parts(connection.outbox, context);
    this.session = opened.session;
    this.#writer = wire.writer;
    if (wire.options.probeRouter) wire.writer.part(emptyBytes, false);
    this.decoder = openReader(wire, {
      onMessage: (first, parts) => handlers.onMessage(this, parts ?? [first]),
      onCommand: (command) => handlers.onCommand(this, command),
    });
  }

  /** What writes to it; {@link give} is for messages that count. */
  get writer(): FrameWriter {
    return this.#writer;
  }

  /** Whether one more message may be given to it now. */
  get hasRoom(): boolean {
    const { sendHighWaterMark, sendHighWaterMarkBytes } = this.#options;
    if (this.#untaken.size >= sendHighWaterMark) return false;
    if (this.#untakenBytes >= sendHighWaterMarkBytes) return false;
    return this.connection.phase === "ready" && !this.connection.outbox.isFull;
  }

  /** Writes a message. Ask {@link hasRoom} first. */
  give(parts: readonly Uint8Array[]): void {
    this.#writer.parts(parts);
    this.#untaken.push({ parts, endsAtByte: this.connection.outbox.appendedBytes });
    this.#untakenBytes += bytesOf(parts);
  }

  /** Takes back what never left: the connection is gone. */
  takeBack(): (readonly Uint8Array[])[] {
    this.#forgetTaken();
    const left: (readonly Uint8Array[])[] = [];
    for (let next = this.#untaken.shift(); next !== undefined; next = this.#untaken.shift()) {
      left.push(next.parts);
    }
    this.#untakenBytes = 0;
    return left;
  }

  override onTaken(): void {
    const before = this.#untaken.size;
    this.#forgetTaken();
    if (this.#untaken.size < before) this.#handlers.onRoom(this);
  }

  override onDrain(): void {
    this.#handlers.onRoom(this);
  }

  #forgetTaken(): void {
    const { sentBytes } = this.connection.outbox;
    const untaken = this.#untaken;
    for (let first = untaken.peek(); first !== undefined; first = untaken.peek()) {
      if (first.endsAtByte > sentBytes) return;
      untaken.shift();
      this.#untakenBytes -= bytesOf(first.parts);
    }
  }
}
