import type { Payload } from "../../bytes.ts";
import type { PeerInfo } from "../../contracts/authenticator.ts";
import type { Decoder, Encoder } from "../../contracts/codec.ts";
import type { Transport } from "../../contracts/transport.ts";
import type { Connection } from "../../connection/connection.ts";
import { MsgError } from "../../errors.ts";
import type { LazyError } from "../../lazy-error.ts";
import { checkDelay } from "../../option-checks.ts";
import type { CloseReport } from "../events.ts";
import type { Message } from "../message.ts";
import type { ReqOptions, ResolvedReqOptions } from "./req-options.ts";
import { resolveReqOptions } from "./req-options.ts";
import { ReqPeer } from "./req-peer.ts";
import type { RequestCounts } from "./request-dispatcher.ts";
import { RequestDispatcher } from "./request-dispatcher.ts";
import { Socket } from "../socket.ts";
import type { SocketStats } from "../stats.ts";
import type { CodecOption, OptionsWithout, WithCodec } from "../value-codec.ts";
import { ValueCodec } from "../value-codec.ts";
import { abortReason, quietly } from "../waiter-list.ts";

/** How one request differs from what its socket was told. */
export interface RequestOptions {
  /** Milliseconds, 0 to 2_147_483_647, or `Infinity`; from the call on. */
  readonly timeoutMs?: number | undefined;
  /** Aborting takes the request out of every table; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** See {@link ReqOptions.failFast}. */
  readonly failFast?: boolean | undefined;
  /** See {@link ReqOptions.retry}. */
  readonly retry?: boolean | undefined;
  /**
   * Copies the payload, so that the caller may change it after the call.
   *
   * @defaultValue false
   */
  readonly copy?: boolean | undefined;
}

const noOptions: RequestOptions = {};

/** What the codec of a REQ does: requests out, replies in. */
export type ReqCodec<Asked, Answered> = Encoder<Asked> & Decoder<Answered>;

/** What a REQ counts. */
export interface ReqStats extends SocketStats, RequestCounts {}

/**
 * Asks: each request goes to the connected REP with the fewest unanswered ones, many at a time.
 *
 * @example
 * ```ts
 * const req = new ReqSocket(new Tcp());
 * await req.connect("127.0.0.1:4444");
 * const reply = await req.request("hello", { timeoutMs: 500 });
 * console.log(reply.text());
 * await req.close();
 * ```
 *
 * @typeParam Asked - what may be asked; with a codec any value that it encodes.
 * @typeParam Answered - what comes back as `reply.value`.
 */
export class ReqSocket<Asked = Payload, Answered = Uint8Array> extends Socket<ReqPeer> {
  readonly #defaults: ResolvedReqOptions;
  readonly #dispatcher: RequestDispatcher;

  constructor(transport: Transport, options: WithCodec<ReqOptions, ReqCodec<Asked, Answered>>);
  constructor(
    transport: Transport,
    ...options: OptionsWithout<ReqOptions, ReqCodec<Asked, Answered>>
  );
  constructor(transport: Transport, options: ReqOptions & CodecOption<unknown> = {}) {
    super("REQ", transport, options, new ValueCodec(options.codec, ["encode", "decode"]));
    this.#defaults = resolveReqOptions(options);
    this.#dispatcher = new RequestDispatcher({
      runtime: this.runtime,
      options: this.#defaults,
      codec: this.codec,
      compression: this.compression,
      messages: this.messages,
      onDraining: (peer) => this.emit("draining", { peer: peer.info }),
      onUnexpectedReply: (peer, payload) =>
        this.drop("unexpected-reply", { peer: peer.info, payload }),
    });
  }

  /**
   * Sends a request and waits for its answer.
   *
   * Rejects with `MSG_TIMEOUT`, `MSG_PEER_LOST`, `MSG_REMOTE` (the peer answered with an error),
   * `MSG_NO_ANSWER`, `MSG_HIGH_WATER_MARK`, `MSG_NO_PEER`, `MSG_COMPRESS_FAILED`,
   * `MSG_DECOMPRESS_FAILED`, `MSG_DECODE_FAILED`, `MSG_INVALID_VALUE`, `MSG_CLOSED`, or the signal's reason. A rejection that nobody awaits
   * does not end the process.
   *
   * @param value - bytes must not be changed afterwards, unless `copy` is set.
   * @throws MsgError `MSG_CLOSED`, `MSG_PAYLOAD_TOO_LARGE`, `MSG_INVALID_ARGUMENT`,
   *   `MSG_ENCODE_FAILED`, `MSG_INVALID_OPTION`
   */
  request(value: Asked, options: RequestOptions = noOptions): Promise<Message<Answered>> {
    this.assertOpen();
    const bytes = this.outgoingBytes(value, options.copy);
    const timeoutMs = options.timeoutMs ?? this.#defaults.timeoutMs;
    const retry = options.retry ?? this.#defaults.retry;
    const failFast = options.failFast ?? this.#defaults.failFast;
    const { signal } = options;
    if (options.timeoutMs !== undefined) checkDelay("timeoutMs", timeoutMs);
    if (signal?.aborted === true) return quietly(Promise.reject(abortReason(signal)));
    // What its codec makes of a reply is what the socket's maker said that it is.
    const reply = this.#dispatcher.submit(bytes, timeoutMs, retry, failFast, signal);
    return reply as Promise<Message<Answered>>;
  }

  override stats(): ReqStats {
    return { ...this.commonStats(), ...this.#dispatcher.counts };
  }

  protected override createPeer(connection: Connection, info: PeerInfo): ReqPeer {
    const context = this.wireContext(connection);
    return new ReqPeer(info, connection, context, this.runtime, this.#dispatcher);
  }

  protected override onPeerReady(peer: ReqPeer): void {
    this.#dispatcher.onPeerReady(peer);
  }

  protected override onPeerClosed(peer: ReqPeer, reason: MsgError | undefined): void {
    if (this.isClosed) this.#dispatcher.startDraining(closed);
    this.#dispatcher.onPeerClosed(peer, reason);
  }

  protected override onNoEndpointLeft(error: MsgError): void {
    this.#dispatcher.rejectQueued(error);
  }

  protected override get needsPeersToDrain(): boolean {
    return true;
  }

  protected override get isFinished(): boolean {
    return this.#dispatcher.isIdle;
  }

  /** Every request has its end, also those that wait for a peer. */
  protected override finishAll(timeoutMs: number): Promise<void> {
    return this.#dispatcher.whenIdle(timeoutMs);
  }

  /** What no peer has yet cannot be answered any more; what one has may be. */
  protected override finish(lingerMs: number): Promise<void> {
    this.#dispatcher.startDraining(closed);
    return this.#dispatcher.whenIdle(lingerMs);
  }

  protected override onClosed(error: LazyError): CloseReport {
    return this.#dispatcher.rejectAll(error);
  }
}

function closed(): MsgError {
  return new MsgError("MSG_CLOSED", "this REQ was closed");
}
