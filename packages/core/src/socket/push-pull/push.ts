import type { Payload } from "../../bytes.ts";
import type { PeerInfo } from "../../contracts/authenticator.ts";
import type { Encoder } from "../../contracts/codec.ts";
import type { Transport } from "../../contracts/transport.ts";
import type { Connection } from "../../connection/connection.ts";
import type { LazyError } from "../../lazy-error.ts";
import { checkDelay } from "../../option-checks.ts";
import type { CloseReport } from "../events.ts";
import type { JobCounts } from "./push-dispatcher.ts";
import { JobDispatcher } from "./push-dispatcher.ts";
import type { PushOptions, ResolvedPushOptions } from "./push-options.ts";
import { resolvePushOptions } from "./push-options.ts";
import { PushPeer } from "./push-peer.ts";
import { Socket } from "../socket.ts";
import type { SocketStats } from "../stats.ts";
import type { CodecOption, OptionsWithout, WithCodec } from "../value-codec.ts";
import { ValueCodec } from "../value-codec.ts";
import type { WaitOptions } from "../waiter-list.ts";
import { abortReason, quietly } from "../waiter-list.ts";

/** How one job is sent. */
export interface SendOptions {
  /**
   * Copies the payload, so that the caller may change it after the call.
   *
   * @defaultValue false
   */
  readonly copy?: boolean | undefined;
  /** Ends the wait for a PULL: the job is taken out, the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /**
   * How long to wait for a PULL. Then the job is taken out, the promise rejects with `MSG_TIMEOUT`.
   *
   * Milliseconds, 0 to 2_147_483_647, or `Infinity`.
   *
   * @defaultValue Infinity
   */
  readonly timeoutMs?: number | undefined;
}

/** What a PUSH counts. */
export interface PushStats extends SocketStats, JobCounts {}

const noWaitOptions: WaitOptions = {};

/**
 * Hands out jobs: each to the PULL with the most room, and again to another one when that does not
 * acknowledge it.
 *
 * @example
 * ```ts
 * const push = new PushSocket(new Tcp());
 * await push.bind("127.0.0.1:4444");
 * await push.send("resize photo 17");
 * await push.close({ lingerMs: 10_000 });
 * ```
 */
export class PushSocket<T = Payload> extends Socket<PushPeer> {
  readonly #options: ResolvedPushOptions;
  readonly #dispatcher: JobDispatcher;
  #isFinishing = false;

  constructor(transport: Transport, options: WithCodec<PushOptions, Encoder<T>>);
  constructor(transport: Transport, ...options: OptionsWithout<PushOptions, Encoder<T>>);
  constructor(transport: Transport, options: PushOptions & CodecOption<unknown> = {}) {
    super("PUSH", transport, options, new ValueCodec(options.codec, ["encode"]));
    this.#options = resolvePushOptions(options);
    this.#dispatcher = new JobDispatcher({
      runtime: this.runtime,
      options: this.#options,
      compression: this.compression,
      messages: this.messages,
      onUndeliverable: (peer, payload) => this.drop("undeliverable", { peer: peer.info, payload }),
      onDraining: (peer) => this.emit("draining", { peer: peer.info }),
      onLost: (peer, count) => this.drop("lost-job", { peer: peer.info, count }),
      mayGetPeer: () => this.endpoints.mayGetPeer,
      onError: (error) => this.emit("error", { error }),
    });
  }

  /**
   * Sends a job. Gives `undefined` when a PULL gets it now, else a promise that resolves when one
   * does; `await` works on both. First come, first served.
   *
   * The promise rejects with `MSG_TIMEOUT` (no deadline by default), `MSG_CLOSED`,
   * `MSG_COMPRESS_FAILED` or the signal's reason; a
   * rejection that nobody awaits does not end the process.
   *
   * @param value - bytes must not be changed afterwards, unless `copy` is set: they may be sent
   *   again.
   * @throws MsgError `MSG_CLOSED`, `MSG_PAYLOAD_TOO_LARGE`, `MSG_INVALID_ARGUMENT`,
   *   `MSG_ENCODE_FAILED`, `MSG_HIGH_WATER_MARK`, `MSG_COMPRESS_FAILED`
   */
  send(value: T, options?: SendOptions): undefined | Promise<void> {
    this.assertOpen();
    const bytes = this.outgoingBytes(value, options?.copy);
    if (options === undefined) return this.#dispatcher.submit(bytes, noWaitOptions);
    const { signal, timeoutMs = Infinity } = options;
    checkDelay("timeoutMs", timeoutMs);
    if (signal?.aborted === true) return quietly(Promise.reject(abortReason(signal)));
    return this.#dispatcher.submit(bytes, { signal, timeoutMs });
  }

  /**
   * Waits until every job sent so far has its end: acknowledged by a PULL, or dropped after
   * `maxDeliveries`, of which the event `dropped` tells.
   *
   * Rejects with `MSG_TIMEOUT` (no deadline by default), `MSG_CLOSED`, or the signal's reason.
   *
   * @throws MsgError `MSG_CLOSED`
   */
  settled(options: WaitOptions = {}): Promise<void> {
    this.assertNotClosed();
    return quietly(this.#dispatcher.whenSettled(options));
  }

  /**
   * Sends a job if a PULL can have it now, and nothing waits before it.
   *
   * @returns false when it was not taken.
   * @throws MsgError `MSG_CLOSED`, `MSG_PAYLOAD_TOO_LARGE`, `MSG_INVALID_ARGUMENT`,
   *   `MSG_ENCODE_FAILED`, `MSG_COMPRESS_FAILED`; when a compressor fails later, that is the event
   *   `error`.
   */
  trySend(value: T, options?: Pick<SendOptions, "copy">): boolean {
    this.assertOpen();
    return this.#dispatcher.trySubmit(this.outgoingBytes(value, options?.copy));
  }

  override stats(): PushStats {
    return { ...this.commonStats(), ...this.#dispatcher.counts };
  }

  protected override createPeer(connection: Connection, info: PeerInfo): PushPeer {
    const context = this.wireContext(connection);
    return new PushPeer(info, connection, context, this.#options, this.#dispatcher);
  }

  protected override onPeerReady(peer: PushPeer): void {
    this.#dispatcher.onPeerReady(peer);
  }

  protected override onPeerClosed(peer: PushPeer): void {
    if (this.isClosed && !this.#isFinishing) this.#dispatcher.onPeerAbandoned(peer);
    else this.#dispatcher.onPeerClosed(peer);
  }

  protected override get needsPeersToDrain(): boolean {
    return true;
  }

  protected override get isFinished(): boolean {
    return !this.#dispatcher.hasJobs;
  }

  protected override finishAll(timeoutMs: number): Promise<void> {
    return this.#dispatcher.whenIdle(timeoutMs);
  }

  /** A job sent just before the end still goes to a PULL that connects within the linger. */
  protected override get finishesWithNewPeers(): boolean {
    return this.#dispatcher.hasJobs;
  }

  /** Jobs go on being handed out until all are acknowledged, or no PULL can come to do it. */
  protected override async finish(lingerMs: number): Promise<void> {
    this.#isFinishing = true;
    await this.#dispatcher.whenIdle(lingerMs);
    this.#isFinishing = false;
  }

  protected override onClosed(error: LazyError): CloseReport {
    return this.#dispatcher.close(error);
  }
}
