import type { PeerInfo } from "../../contracts/authenticator.ts";
import type { RepSink, RepWriter, WireContext } from "../../contracts/protocol.ts";
import type { Connection } from "../../connection/connection.ts";
import type { MsgError } from "../../errors.ts";
import type { Runtime } from "../../runtime.ts";
import type { Authorization } from "../authorization.ts";
import { Peer } from "../peer.ts";
import { ReceiveSource } from "../receive-queue.ts";
import { AuthorizedRequests } from "./authorized-requests.ts";
import type { ResolvedRepOptions } from "./rep-options.ts";
import type { Request } from "./request.ts";
import { RunClock } from "./run-clock.ts";

/** Who is told what a REQ asked. */
export interface RequestHandlers<Asked, Answered> {
  onRequest(
    peer: RepPeer<Asked, Answered>,
    id: number,
    payload: Uint8Array,
    wasCompressed: boolean,
    parts: readonly Uint8Array[] | undefined,
  ): void;
  onBadRequest(peer: RepPeer<Asked, Answered>, id: number, error: MsgError): void;
  onForbidden(peer: RepPeer<Asked, Answered>, id: number, error: MsgError): void;
}

/** How long a peer that ended its side may take to read its replies: a large one takes its time. */
const repliesLingerMs = 30_000;

/** A REQ as a REP sees it. */
export class RepPeer<Asked, Answered> extends Peer implements RepSink {
  readonly decoder: RunClock;
  readonly writer: RepWriter;
  readonly source: ReceiveSource<Request<Asked, Answered>>;
  readonly #handlers: RequestHandlers<Asked, Answered>;
  readonly #options: ResolvedRepOptions;
  /** The youngest request without its end; the others hang on it. */
  #youngest: Request<Asked, Answered> | undefined;
  #pending = 0;
  #pendingBytes = 0;
  #isHeld = false;
  #hasEnded = false;
  /** It was told to go elsewhere, and is let go when it is owed nothing. */
  #isDraining = false;
  #hasSaidGoodbye = false;

  constructor(
    info: PeerInfo,
    connection: Connection,
    context: WireContext,
    runtime: Runtime,
    options: ResolvedRepOptions,
    handlers: RequestHandlers<Asked, Answered>,
    authorization: Authorization | undefined,
  ) {
    super(info, connection);
    this.#options = options;
    this.#handlers = handlers;
    this.source = new ReceiveSource(connection);
    const sink =
      authorization === undefined
        ? this
        : new AuthorizedRequests(this, authorization, () => this.decoder.now());
    const wire = connection.protocol.open("REP", connection.outbox, sink, context);
    this.decoder = new RunClock(wire.decoder, runtime);
    this.writer = wire.writer;
  }

  /** Whether a reply still fits, or must be replaced by a short error. */
  get hasRoomForReply(): boolean {
    return this.connection.outbox.bufferedBytes < this.#options.maxUnsentReplyBytes;
  }

  onRequest(
    id: number,
    payload: Uint8Array,
    wasCompressed: boolean,
    parts?: readonly Uint8Array[],
  ): void {
    this.#handlers.onRequest(this, id, payload, wasCompressed, parts);
  }

  onBadRequest(id: number, error: MsgError): void {
    this.#handlers.onBadRequest(this, id, error);
  }

  refuse(id: number, error: MsgError): void {
    this.#handlers.onForbidden(this, id, error);
  }

  /** Its requests that have no end yet, oldest first. */
  get pending(): Request<Asked, Answered>[] {
    const found: Request<Asked, Answered>[] = [];
    let request = this.#youngest;
    for (; request !== undefined; request = request.olderOfPeer) found.push(request);
    return found.toReversed();
  }

  /** One more request waits for its answer. */
  onPending(request: Request<Asked, Answered>): void {
    request.olderOfPeer = this.#youngest;
    if (this.#youngest !== undefined) this.#youngest.youngerOfPeer = request;
    this.#youngest = request;
    this.#pending++;
    this.#pendingBytes += request.byteLength;
    this.#adjustReading();
  }

  /** One has its end, whether it had to wait for it or not. */
  onSettled(request: Request<Asked, Answered>): void {
    // All but the youngest have a younger one.
    if (request === this.#youngest || request.youngerOfPeer !== undefined) this.#unlink(request);
    this.#adjustReading();
    if (this.#hasEnded) this.onPeerEnded();
    else if (this.#isDraining) this.#endIfDone();
  }

  #unlink(request: Request<Asked, Answered>): void {
    const { olderOfPeer: older, youngerOfPeer: younger } = request;
    if (younger === undefined) this.#youngest = older;
    else younger.olderOfPeer = older;
    if (older !== undefined) older.youngerOfPeer = younger;
    request.olderOfPeer = request.youngerOfPeer = undefined;
    this.#pending--;
    this.#pendingBytes -= request.byteLength;
  }

  /** Tells it to ask somebody else; what it asked before is answered. */
  startDraining(): void {
    this.#isDraining = true;
    this.sayGoodbye();
    this.#endIfDone();
  }

  /** Once: a second one would say that nothing is left to be answered. */
  sayGoodbye(): void {
    if (this.#hasSaidGoodbye || !this.connection.isFramed) return;
    this.#hasSaidGoodbye = true;
    this.writer.goodbye();
  }

  /**
   * Ends the connection in order if all that was told of it is answered. The goodbye before that
   * says so: what it asked beyond that is not run, and may be asked of somebody else.
   */
  endIfAnswered(): void {
    if (this.#pending > 0 || !this.connection.isFramed) return;
    // What follows flushes, and so would come here again.
    this.#isDraining = false;
    this.writer.goodbye();
    this.connection.close(repliesLingerMs);
  }

  /** Nothing more is read from it: what it was told in time it has heard. */
  stopReading(): void {
    this.connection.hold();
  }

  /** What was read and is still decompressed is answered too. */
  #endIfDone(): void {
    if (!this.connection.hasBacklog) this.endIfAnswered();
  }

  /** It was written something that answers no request that was counted. */
  onOwed(): void {
    this.#adjustReading();
    if (this.#isDraining) this.#endIfDone();
  }

  override onDrain(): void {
    this.#adjustReading();
  }

  /** By the end of a tick, what was decompressed in it is told. */
  override onBeforeFlush(): void {
    if (this.#isDraining) this.#endIfDone();
  }

  /** It asks nothing more, but what it asked is still answered. */
  override onPeerEnded(): void {
    this.#hasEnded = true;
    if (this.#pending === 0) this.connection.close(repliesLingerMs);
  }

  /** A peer that does not take its replies, or leaves too much unanswered, is not read from. */
  #adjustReading(): void {
    const { maxPending, maxPendingBytes } = this.#options;
    const isFull =
      this.#pending >= maxPending ||
      this.#pendingBytes >= maxPendingBytes ||
      this.connection.outbox.isFull;
    if (isFull === this.#isHeld) return;
    this.#isHeld = isFull;
    if (isFull) this.connection.hold();
    else this.connection.release();
  }
}
