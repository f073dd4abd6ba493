import type { PeerInfo } from "../../contracts/authenticator.ts";
import type { Decoder } from "../../contracts/codec.ts";
import type { Transport } from "../../contracts/transport.ts";
import type { Connection } from "../../connection/connection.ts";
import type { MsgError } from "../../errors.ts";
import type { CloseReport } from "../events.ts";
import type { TimerHandle } from "../../runtime.ts";
import type { Job } from "./job.ts";
import type { PullOptions, ResolvedPullOptions } from "./pull-options.ts";
import { resolvePullOptions } from "./pull-options.ts";
import type { JobHandlers } from "./pull-peer.ts";
import { PullPeer } from "./pull-peer.ts";
import { maxWindow } from "./pull-window.ts";
import type { ReceiveLimits } from "../receive-queue.ts";
import type { Consumer } from "../calling-consumer.ts";
import type { Settler } from "../receivers.ts";
import type { ConsumeOptions } from "../receiving-socket.ts";
import { ReceivingSocket } from "../receiving-socket.ts";
import type { SocketStats } from "../stats.ts";
import type { CodecOption, OptionsWithout, WithCodec } from "../value-codec.ts";
import { ValueCodec } from "../value-codec.ts";
import { WaiterList } from "../waiter-list.ts";

/** What a PULL counts. */
export interface PullStats extends SocketStats {
  /** Jobs that nobody has taken yet. */
  readonly queued: number;
  readonly queuedBytes: number;
  /** Jobs of connected PUSHes that are neither acknowledged nor given back, taken or not. */
  readonly unsettled: number;
  /** Jobs acknowledged. */
  readonly acknowledged: number;
  /** Jobs given back. */
  readonly refusedJobs: number;
}

/** How long a PUSH may take to end a connection on which it has nothing unsettled after our goodbye. */
const goodbyeGraceMs = 1_000;

/**
 * Takes jobs, fairly from all its PUSHes, and says of each what became of it.
 *
 * @example
 * ```ts
 * const pull = new PullSocket(new Tcp());
 * await pull.connect("127.0.0.1:4444");
 * for await (const job of pull) await work(job.text());   // asking for the next acknowledges
 * ```
 */
export class PullSocket<T = Uint8Array>
  extends ReceivingSocket<PullPeer<T>, Job<T>>
  implements JobHandlers<T>
{
  readonly #options: ResolvedPullOptions;
  /** Where `close()` waits for the callback and for the jobs that were taken. */
  readonly #idle: WaiterList<void>;
  #hasConsumerEnded = false;
  /** Where `drain()` waits for every job that was given to us. */
  readonly #finished: WaiterList<void>;
  #graceTimer: TimerHandle;
  #isGraceOver = false;
  #acknowledged = 0;
  #refusedJobs = 0;

  /** @internal Jobs that the application settled itself are left as they are. */
  protected override readonly settler: Settler<Job<T>> = {
    accept: (job) => void job.ack(),
    giveBack: (job) => void job.nack(),
  };

  constructor(transport: Transport, options: WithCodec<PullOptions, Decoder<T>>);
  constructor(transport: Transport, ...options: OptionsWithout<PullOptions, Decoder<T>>);
  constructor(transport: Transport, options: PullOptions & CodecOption<unknown> = {}) {
    const resolved = resolvePullOptions(options);
    const codec = new ValueCodec(options.codec, ["decode"]);
    super("PULL", transport, options, codec, limitsOf(resolved));
    this.#options = resolved;
    this.#idle = new WaiterList(this.runtime);
    this.#finished = new WaiterList(this.runtime);
  }

  /**
   * Has every job done by a callback, at once when it comes. When the callback returns, or its
   * promise fulfils, the job is acknowledged; when it throws, the job is given back and the event
   * `error` tells why. One that was acknowledged when it came (`delivery: "at-most-once"`, or
   * ZeroMQ's wire) cannot be given back: the event `dropped`, reason `lost-job`, carries it.
   *
   * @throws MsgError `MSG_INVALID_STATE` when there is a callback already, `MSG_CLOSED`,
   *   `MSG_INVALID_OPTION`
   */
  consume(handler: (job: Job<T>) => void | Promise<void>, options: ConsumeOptions = {}): Consumer {
    return this.consumeWith(handler, options, (error) => this.reportHandlerError(error));
  }

  override stats(): PullStats {
    return {
      ...this.commonStats(),
      queued: this.queue.size,
      queuedBytes: this.queue.bytes,
      unsettled: this.#unsettled,
      acknowledged: this.#acknowledged,
      refusedJobs: this.#refusedJobs,
    };
  }

  /** @internal */
  onJob(peer: PullPeer<T>, job: Job<T>): void {
    this.messages.received++;
    this.queue.push(peer.source, job);
  }

  /** @internal */
  onUnreadableJob(peer: PullPeer<T>, error: MsgError): void {
    this.drop("unreadable", { peer: peer.info, error });
  }

  /** @internal */
  onSettled(isAcknowledged: boolean, isHeard: boolean): void {
    if (isHeard && isAcknowledged) this.#acknowledged++;
    else if (isHeard) this.#refusedJobs++;
    this.#checkIdle();
  }

  /** @internal */
  onLostJob(peer: PullPeer<T>, payload: Uint8Array): void {
    // What was lent may be another job's by now.
    this.drop("lost-job", { peer: peer.info, ...(this.isLending ? {} : { payload }) });
  }

  /** As with one that cannot be decompressed: somebody else may be able to read it. */
  protected override onUndecodable(job: Job<T>): void {
    if (job.isUnsettled) job.nack();
  }

  protected override createPeer(connection: Connection, info: PeerInfo): PullPeer<T> {
    const context = this.wireContext(connection);
    return new PullPeer(info, connection, context, this.#options, this.runtime, this);
  }

  protected override onPeerReady(peer: PullPeer<T>): void {
    this.queue.open(peer.source);
    if (this.isClosed) peer.giveBackAll();
    else if (this.isDraining) peer.startDraining();
    else peer.open();
  }

  /** What it gave us is still delivered. */
  protected override onPeerClosed(peer: PullPeer<T>): void {
    this.queue.abandon(peer.source);
    this.#checkIdle();
  }

  /** A PUSH ends its connection when we have nothing of it: then no job is on its way any more. */
  protected override get isFinished(): boolean {
    if (this.queue.size > 0 || this.#unsettled > 0) return false;
    return this.#isGraceOver || this.endpoints.peers.size === 0;
  }

  /** Wants no more, and has all that it was given done, also what is under way. */
  protected override async finishAll(timeoutMs: number): Promise<void> {
    for (const peer of this.endpoints.peers) peer.startDraining();
    this.queue.onEmpty = () => this.#checkIdle();
    this.#graceTimer = this.runtime.setTimer(() => {
      this.#isGraceOver = true;
      this.#checkIdle();
    }, goodbyeGraceMs);
    if (!this.isFinished) await this.#finished.waitAtMost(timeoutMs);
  }

  /** Wants no more, gives back what nobody has taken, and lets what was taken be settled. */
  protected override async finish(lingerMs: number): Promise<void> {
    for (const peer of this.endpoints.peers) peer.giveBackAll();
    this.#giveBackQueued();
    const idle = this.#idle.waitAtMost(lingerMs);
    void this.#waitForConsumer();
    await idle;
  }

  protected override onClosed(): CloseReport {
    this.#giveBackQueued();
    this.runtime.clearTimer(this.#graceTimer);
    this.#idle.resolveAll();
    this.#finished.resolveAll();
    return { unsent: 0, unacknowledged: 0 };
  }

  get #unsettled(): number {
    let sum = 0;
    for (const peer of this.endpoints.peers) sum += peer.unsettled;
    return sum;
  }

  async #waitForConsumer(): Promise<void> {
    await this.stopConsumer();
    this.#hasConsumerEnded = true;
    this.#checkIdle();
  }

  #checkIdle(): void {
    if (this.#hasConsumerEnded && this.#unsettled === 0) this.#idle.resolveAll();
    if (this.#finished.size > 0 && this.isFinished) this.#finished.resolveAll();
  }

  #giveBackQueued(): void {
    const jobs = this.queue.clear();
    this.queue.close();
    // These were acknowledged when they came: nobody gives them to anybody again.
    let lost = 0;
    for (const job of jobs) {
      if (job.isUnsettled) job.nack();
      else lost++;
    }
    if (lost > 0) this.drop("lost-job", { count: lost });
  }
}

/**
 * The window bounds the jobs that wait; those acknowledged on arrival leave it at once, and are
 * bounded here by the same number. Others never reach it: their window is full one before.
 */
function limitsOf({ delivery, window, maxQueuedBytes }: ResolvedPullOptions): ReceiveLimits {
  const mostUnsettled = window === "auto" ? maxWindow : window;
  const maxMessages = delivery === "at-most-once" ? mostUnsettled : mostUnsettled + 1;
  return { maxMessages, maxBytes: maxQueuedBytes };
}
