import type { Payload } from "../../bytes.ts";
import type { PeerInfo } from "../../contracts/authenticator.ts";
import type { Decoder, Encoder } from "../../contracts/codec.ts";
import type { Transport } from "../../contracts/transport.ts";
import type { Connection } from "../../connection/connection.ts";
import { MsgError } from "../../errors.ts";
import type { TimerHandle } from "../../runtime.ts";
import type { WirePayload } from "../../wire/compression.ts";
import type { Authorization } from "../authorization.ts";
import { authorizationOf } from "../authorization.ts";
import type { CloseReport } from "../events.ts";
import { LinkedQueue } from "../linked-queue.ts";
import type { Consumer } from "../calling-consumer.ts";
import type { Settler } from "../receivers.ts";
import { ReceivingSocket } from "../receiving-socket.ts";
import type { RepOptions, ResolvedRepOptions } from "./rep-options.ts";
import { resolveRepOptions } from "./rep-options.ts";
import type { RequestHandlers } from "./rep-peer.ts";
import { RepPeer } from "./rep-peer.ts";
import { ReplyError, Request } from "./request.ts";
import type { Responder } from "./request.ts";
import type { ServerHost } from "./request-server.ts";
import { RequestServer } from "./request-server.ts";
import type { SocketStats } from "../stats.ts";
import type { CodecOption, OptionsWithout, WithCodec } from "../value-codec.ts";
import { ValueCodec } from "../value-codec.ts";
import { WaiterList } from "../waiter-list.ts";

/** What a REP counts. */
export interface RepStats extends SocketStats {
  /** Requests without an answer, taken by the application or not. */
  readonly pending: number;
  /** Requests that the application has not taken yet. */
  readonly queued: number;
  readonly queuedBytes: number;
  /** Requests that got `MSG_NO_ANSWER`. */
  readonly unanswered: number;
}

/** How {@link RepSocket.serve} calls its handler. */
export interface ServeOptions {
  /**
   * How many calls may be under way at a time.
   *
   * 1 or more, or `Infinity`.
   *
   * @defaultValue 256
   */
  readonly concurrency?: number | undefined;
}

/** Answers one request: with what it returns, or, when it throws, with an error. */
export type RequestHandler<Asked = Uint8Array, Answered = Payload> = (
  request: Request<Asked, Answered>,
) => Answered | Promise<Answered>;

/** What the codec of a REP does: requests in, replies out. */
export type RepCodec<Asked, Answered> = Decoder<Asked> & Encoder<Answered>;

const serveConcurrency = 256;

/**
 * How long a peer may go on asking after our goodbye. One of ours has heard it by then; one of
 * msg-rs never does, and would keep us busy for ever.
 */
const goodbyeGraceMs = 1_000;

/** The peer's probe and our answer (docs/wire-protocol.md, "Health probe"). */
const ping = [0x50, 0x49, 0x4e, 0x47] as const;
const pong = new Uint8Array([0x50, 0x4f, 0x4e, 0x47]);

/**
 * Answers: each request once, to where it came from, in any order.
 *
 * @example
 * ```ts
 * const rep = new RepSocket(new Tcp());
 * await rep.bind("127.0.0.1:4444");
 * rep.serve((request) => `you said ${request.text()}`);
 * ```
 *
 * @typeParam Asked - what comes in as `request.value`.
 * @typeParam Answered - what may be answered; with a codec any value that it encodes.
 */
export class RepSocket<Asked = Uint8Array, Answered = Payload>
  extends ReceivingSocket<RepPeer<Asked, Answered>, Request<Asked, Answered>>
  implements
    Responder<Asked, Answered>,
    RequestHandlers<Asked, Answered>,
    ServerHost<Asked, Answered>
{
  readonly #options: ResolvedRepOptions;
  readonly #authorization: Authorization | undefined;
  /** Every request without an answer, in the order they came, which is also that of their deadlines. */
  readonly #pending: LinkedQueue<Request<Asked, Answered>> = new LinkedQueue();
  readonly #idle: WaiterList<void>;
  #timer: TimerHandle;
  #server: RequestServer<Asked, Answered> | undefined;
  /** Its handler runs and may answer at once: it is in no list, until somebody looks at one. */
  #handled: Request<Asked, Answered> | undefined;
  #unanswered = 0;
  /** Replies that a compressor works on. */
  #compressing = 0;
  /** It closes: what comes now is not run. */
  #refusesAll = false;
  /** Counted before the connections end, which ends their requests too. */
  #unansweredAtClose = 0;
  /** While it drains. */
  #readingEnd: TimerHandle;

  /** @internal A request given back is not lost: its peer is told that nobody answers it. */
  protected override readonly settler: Settler<Request<Asked, Answered>> = {
    accept: () => {},
    giveBack: () => {},
  };

  constructor(transport: Transport, options: WithCodec<RepOptions, RepCodec<Asked, Answered>>);
  constructor(
    transport: Transport,
    ...options: OptionsWithout<RepOptions, RepCodec<Asked, Answered>>
  );
  constructor(transport: Transport, options: RepOptions & CodecOption<unknown> = {}) {
    const codec = new ValueCodec(options.codec, ["encode", "decode"]);
    // What waits for the application is bounded with all that waits for its answer, by the peer.
    super("REP", transport, options, codec, { maxMessages: Infinity, maxBytes: Infinity });
    this.#options = resolveRepOptions(options);
    this.#authorization = authorizationOf(this.runtime, options.authorize, options.authorization);
    this.#idle = new WaiterList(this.runtime);
  }

  /**
   * Answers every request with what the handler returns. A {@link ReplyError} it throws is the
   * error reply; any other throw is reported as the event `error`, and its peer sees `INTERNAL`.
   *
   * @throws MsgError `MSG_INVALID_STATE` when there is a handler already, `MSG_CLOSED`,
   *   `MSG_INVALID_ARGUMENT`, `MSG_INVALID_OPTION`
   */
  serve(handler: RequestHandler<Asked, Answered>, options: ServeOptions = {}): Consumer {
    const { concurrency = serveConcurrency } = options;
    return this.useConsumer(handler, { concurrency }, () => {
      this.#server = new RequestServer(this.queue, handler, concurrency, this);
      return this.#server;
    });
  }

  override stats(): RepStats {
    this.#enlistHandled();
    return {
      ...this.commonStats(),
      pending: this.#pending.size,
      queued: this.queue.size,
      queuedBytes: this.queue.bytes,
      unanswered: this.#unanswered,
    };
  }

  /** @internal */
  respond(request: Request<Asked, Answered>, value: Answered, copy: boolean): void {
    if (request.state === "answered") throw alreadyAnswered();
    const bytes = this.outgoingBytes(value, copy);
    if (this.compression.applies(bytes.length)) this.#compress(request, bytes);
    else if (this.#settle(request, "answered")) this.#write(request, 0, bytes, bytes.length);
    else this.drop("late-reply", { peer: request.peer, payload: bytes });
  }

  /** @internal */
  fail(request: Request<Asked, Answered>, code: string, message: string): void {
    if (request.state === "answered") throw alreadyAnswered();
    if (this.#settle(request, "answered")) this.#writeError(request, code, message);
    else this.drop("late-reply", { peer: request.peer });
  }

  /** @internal */
  onRequest(
    peer: RepPeer<Asked, Answered>,
    id: number,
    payload: Uint8Array,
    wasCompressed: boolean,
    parts: readonly Uint8Array[] | undefined,
  ): void {
    // It was decompressed while its peer went.
    if (!peer.isReady) return;
    const isProbe = this.#options.answerPing && !wasCompressed && parts === undefined;
    if (isProbe && isPing(payload)) {
      peer.writer.reply(id, 0, pong);
      peer.onOwed();
      return;
    }
    this.messages.received++;
    if (this.#refusesAll) {
      peer.writer.replyError(id, "MSG_DRAINING", "");
      peer.onOwed();
      return;
    }
    const request = new Request<Asked, Answered>(id, payload, peer, this);
    if (parts !== undefined) request.multipart = parts;
    if (this.#server?.takesNow !== true || this.queue.size > 0) {
      this.enlist(request);
      this.queue.push(peer.source, request);
      return;
    }
    this.#handled = request;
    this.queue.push(peer.source, request);
    this.#handled = undefined;
  }

  /** @internal */
  enlist(request: Request<Asked, Answered>): void {
    if (!request.isPending || request.deadlineMs !== undefined) return;
    const { answerTimeoutMs } = this.#options;
    request.deadlineMs =
      answerTimeoutMs === Infinity ? Infinity : request.from.decoder.now() + answerTimeoutMs;
    this.#pending.append(request);
    if (this.#timer === undefined) this.#watchFirst();
    request.from.onPending(request);
  }

  #enlistHandled(): void {
    if (this.#handled !== undefined) this.enlist(this.#handled);
  }

  /** @internal */
  onBadRequest(peer: RepPeer<Asked, Answered>, id: number, error: MsgError): void {
    if (!peer.isReady) return;
    peer.writer.replyError(id, error.code, error.message);
    peer.onOwed();
    this.drop("unreadable", { peer: peer.info, error });
  }

  /** @internal */
  onForbidden(peer: RepPeer<Asked, Answered>, id: number, error: MsgError): void {
    if (!peer.isReady) return;
    peer.writer.replyError(id, "FORBIDDEN", "the request is not allowed");
    peer.onOwed();
    this.drop("forbidden", { peer: peer.info, error });
  }

  protected override onUndecodable(request: Request<Asked, Answered>, error: MsgError): void {
    if (this.#settle(request, "answered")) this.#writeError(request, error.code, error.message);
  }

  protected override createPeer(connection: Connection, info: PeerInfo): RepPeer<Asked, Answered> {
    const context = this.wireContext(connection);
    const { runtime } = this;
    return new RepPeer(
      info,
      connection,
      context,
      runtime,
      this.#options,
      this,
      this.#authorization,
    );
  }

  protected override onPeerReady(): void {}

  /** Nobody waits for these answers any more, so what was not taken yet need not run. */
  protected override onPeerClosed(peer: RepPeer<Asked, Answered>): void {
    this.#enlistHandled();
    this.queue.clearSource(peer.source);
    for (const request of peer.pending) this.#expire(request);
  }

  protected override get isFinished(): boolean {
    this.#enlistHandled();
    return this.#isIdle;
  }

  /**
   * Says goodbye, answers everything that it was asked, and ends each connection as soon as it owes
   * nothing there.
   */
  protected override async finishAll(timeoutMs: number): Promise<void> {
    this.#enlistHandled();
    for (const peer of this.endpoints.peers) peer.startDraining();
    this.#readingEnd = this.runtime.setTimer(() => {
      for (const peer of this.endpoints.peers) peer.stopReading();
    }, goodbyeGraceMs);
    if (!this.#isIdle) await this.#idle.waitAtMost(timeoutMs);
  }

  /** Says goodbye, refuses what did not run, and lets what runs be answered. */
  protected override async finish(lingerMs: number): Promise<void> {
    this.#refusesAll = true;
    this.#enlistHandled();
    for (const peer of this.endpoints.peers) peer.sayGoodbye();
    for (const request of this.queue.clear()) {
      if (this.#settle(request, "answered")) this.#writeError(request, "MSG_DRAINING", "");
    }
    if (!this.#isIdle) await this.#idle.waitAtMost(lingerMs);
    this.#unansweredAtClose = this.#pending.size;
    for (const peer of this.endpoints.peers) peer.endIfAnswered();
  }

  protected override abandon(): void {
    super.abandon();
    this.#enlistHandled();
    this.#unansweredAtClose = this.#pending.size;
  }

  protected override onClosed(): CloseReport {
    this.#enlistHandled();
    this.runtime.clearTimer(this.#readingEnd);
    this.#idle.resolveAll();
    while (this.#pending.first !== undefined) this.#expire(this.#pending.first);
    this.runtime.clearTimer(this.#timer);
    this.queue.close();
    return { unsent: this.#unansweredAtClose, unacknowledged: 0 };
  }

  #compress(request: Request<Asked, Answered>, bytes: Uint8Array): void {
    // Until the compressor is done it is one of its peer's, and keeps the socket from being idle.
    this.enlist(request);
    this.#compressing++;
    if (!this.#settle(request, "answered")) {
      this.drop("late-reply", { peer: request.peer, payload: bytes });
      this.#onCompressed();
      return;
    }
    const written = (wire: WirePayload): void =>
      this.#write(request, wire.compression, wire.bytes, bytes.length);
    const failed = (error: MsgError): void => {
      this.emit("error", { error });
      this.#writeError(request, "INTERNAL", "the reply could not be compressed");
    };
    let result: WirePayload | Promise<WirePayload>;
    try {
      result = this.compression.compress(bytes);
    } catch (error) {
      failed(error as MsgError);
      this.#onCompressed();
      return;
    }
    if (result instanceof Promise) {
      result.then(written, failed).finally(() => this.#onCompressed());
      return;
    }
    written(result);
    this.#onCompressed();
  }

  #write(
    request: Request<Asked, Answered>,
    compression: number,
    bytes: Uint8Array,
    plainBytes: number,
  ): void {
    const { from } = request;
    if (!from.isReady) {
      this.drop("late-reply", { peer: request.peer, payload: bytes });
    } else if (!from.hasRoomForReply) {
      this.drop("unread-replies", { peer: request.peer, payload: bytes });
      from.writer.replyError(
        request.id,
        "REPLIES_UNREAD",
        "replies were not read: this one is lost",
      );
    } else {
      from.writer.reply(request.id, compression, bytes);
      this.messages.onSent(plainBytes, bytes.length);
    }
    from.onSettled(request);
  }

  #writeError(request: Request<Asked, Answered>, code: string, message: string): void {
    if (request.from.isReady) request.from.writer.replyError(request.id, code, message);
    request.from.onSettled(request);
  }

  /** A request has its end; false when it had one before. */
  #settle(request: Request<Asked, Answered>, state: "answered" | "expired"): boolean {
    const wasPending = request.isPending;
    if (wasPending || state === "answered") request.state = state;
    if (wasPending && request.deadlineMs !== undefined) {
      this.#pending.remove(request);
      this.#checkIdle();
    }
    return wasPending;
  }

  get #isIdle(): boolean {
    return this.#pending.size === 0 && this.#compressing === 0;
  }

  #checkIdle(): void {
    if (this.#idle.size > 0 && this.#isIdle) this.#idle.resolveAll();
  }

  #onCompressed(): void {
    this.#compressing--;
    this.#checkIdle();
  }

  #expire(request: Request<Asked, Answered>): void {
    if (!this.#settle(request, "expired")) return;
    request.abandon();
    request.from.onSettled(request);
  }

  /**
   * One timer, for the oldest: all have the same time to be answered. It stays while nothing is
   * pending for a moment: setting one costs more than the rest of a request.
   */
  #watchFirst(): void {
    const first = this.#pending.first;
    this.#timer = undefined;
    if (first?.deadlineMs === undefined || first.deadlineMs === Infinity) return;
    const delayMs = Math.max(0, first.deadlineMs - this.runtime.now());
    this.#timer = this.runtime.setTimer(() => this.#onAnswerTimeout(), delayMs);
  }

  #onAnswerTimeout(): void {
    const now = this.runtime.now();
    this.#timer = undefined;
    for (
      let request = this.#pending.first;
      request?.deadlineMs !== undefined && request.deadlineMs <= now;
      request = this.#pending.first
    ) {
      this.#unanswered++;
      this.#settle(request, "expired");
      // One that nobody took is not worth running any more, and its place here is free too.
      this.queue.discardOldest(request.from.source, request);
      request.abandon();
      const text = `nobody answered within ${this.#options.answerTimeoutMs} ms`;
      this.#writeError(request, "MSG_NO_ANSWER", text);
    }
    this.#watchFirst();
  }

  /** @internal */
  onHandlerError(error: unknown, request: Request<Asked, Answered>): void {
    const isForPeer = error instanceof ReplyError;
    if (!isForPeer) this.reportHandlerError(error);
    // A handler may have answered by itself and thrown afterwards.
    if (request.state !== "pending") return;
    if (isForPeer) this.fail(request, error.remoteCode, error.message);
    else this.fail(request, "INTERNAL", "the request could not be handled");
  }
}

function alreadyAnswered(): MsgError {
  return new MsgError("MSG_ALREADY_ANSWERED", "this request was answered before");
}

function isPing(payload: Uint8Array): boolean {
  return payload.length === ping.length && ping.every((byte, index) => payload[index] === byte);
}
