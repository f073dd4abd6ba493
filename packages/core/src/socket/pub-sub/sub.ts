import type { PeerInfo } from "../../contracts/authenticator.ts";
import type { Decoder } from "../../contracts/codec.ts";
import type { Transport } from "../../contracts/transport.ts";
import type { Connection } from "../../connection/connection.ts";
import { MsgError } from "../../errors.ts";
import type { LazyError } from "../../lazy-error.ts";
import { checkDelay } from "../../option-checks.ts";
import type { CloseReport } from "../events.ts";
import { KeyedWaiters } from "../keyed-waiters.ts";
import type { Consumer } from "../calling-consumer.ts";
import type { Settler } from "../receivers.ts";
import type { ConsumeOptions } from "../receiving-socket.ts";
import { ReceivingSocket } from "../receiving-socket.ts";
import { SilenceWatch } from "../silence-watch.ts";
import type { SocketStats } from "../stats.ts";
import { PatientTimer } from "./patient-timer.ts";
import type { SubOptions } from "./sub-options.ts";
import { resolveSubOptions } from "./sub-options.ts";
import type { PublisherHandlers } from "./sub-peer.ts";
import { SubPeer } from "./sub-peer.ts";
import { TopicMessage } from "./topic-message.ts";
import { checkPrefixTopic, checkSubscription } from "./topics.ts";
import type { CodecOption, OptionsWithout, WithCodec } from "../value-codec.ts";
import { ValueCodec } from "../value-codec.ts";
import type { WaitOptions } from "../waiter-list.ts";
import { WaiterList } from "../waiter-list.ts";

/** What a SUB counts. */
export interface SubStats extends SocketStats {
  /** Messages that were published to us and never came: the sum of all counted gaps. */
  readonly lost: number;
  /** Connections lost and made again: what was published in between is not in `lost`. */
  readonly uncountedGaps: number;
  readonly subscriptions: number;
  /** Messages that the application has not taken yet. */
  readonly queued: number;
  readonly queuedBytes: number;
}

const subscribeTimeoutMs = 5_000;

/** How long a publisher may take to show that it acknowledges; msg-rs' never does. */
const graceMs = 500;

/**
 * Subscribes: to topics of every publisher it is connected to, now and later.
 *
 * @example
 * ```ts
 * const sub = new SubSocket(new Tcp());
 * await sub.connect("127.0.0.1:4445");
 * await sub.subscribe("prices.*");
 * for await (const message of sub) console.log(message.topic, message.text());
 * ```
 */
export class SubSocket<T = Uint8Array>
  extends ReceivingSocket<SubPeer<T>, TopicMessage<T>>
  implements PublisherHandlers<T>
{
  /** @internal */
  protected override readonly settler: Settler<TopicMessage<T>> = {
    accept: () => {},
    giveBack: () => {},
  };
  /** How often each topic was subscribed to. */
  readonly #topics: Map<string, number> = new Map();
  readonly #activeWaiters: KeyedWaiters;
  readonly #checkTopic: (topic: string) => void;
  readonly #silence: SilenceWatch<SubPeer<T>>;
  /** Endpoints that were connected before: the next connection to one is after a loss. */
  readonly #known: Set<string> = new Set();
  /** Where `drain()` waits. */
  readonly #emptied: WaiterList<void>;
  #lost = 0;
  #uncountedGaps = 0;

  constructor(transport: Transport, options: WithCodec<SubOptions, Decoder<T>>);
  constructor(transport: Transport, ...options: OptionsWithout<SubOptions, Decoder<T>>);
  constructor(transport: Transport, options: SubOptions & CodecOption<unknown> = {}) {
    const resolved = resolveSubOptions(options);
    const { maxQueued: maxMessages, maxQueuedBytes: maxBytes } = resolved;
    const codec = new ValueCodec(options.codec, ["decode"]);
    super("SUB", transport, options, codec, { maxMessages, maxBytes });
    this.#activeWaiters = new KeyedWaiters(this.runtime);
    this.#emptied = new WaiterList(this.runtime);
    this.#checkTopic = this.options.topics === "prefixes" ? checkPrefixTopic : checkSubscription;
    const limitMs = resolved.heartbeatMs * 3;
    this.#silence = new SilenceWatch(this.runtime, limitMs, this.endpoints.peers, (peer) => {
      if (!peer.hasExtensions) return;
      const text = `publisher sent nothing for ${limitMs} ms, three times heartbeatMs`;
      peer.fail(new MsgError("MSG_PEER_LOST", text));
    });
  }

  /**
   * Subscribes to a topic, of every publisher connected now or later. `*` stands for one token
   * between dots, `>`, as the last, for one or more.
   *
   * The subscription holds from the call on, whether or not anybody waits. The promise resolves
   * when it is active at every publisher that is connected, and at least one is: what is published
   * from then on will come. (A publisher of msg-rs does not tell; there it means that it was sent.)
   *
   * Rejects with `MSG_TIMEOUT` (5 s by default), `MSG_FORBIDDEN` (a publisher refused it),
   * `MSG_CLOSED`, or the signal's reason; the subscription holds all the same, and is made again
   * with each new connection.
   *
   * @throws MsgError `MSG_CLOSED`, `MSG_INVALID_TOPIC`, `MSG_INVALID_OPTION`
   */
  subscribe(topic: string, options: WaitOptions = {}): Promise<void> {
    this.assertOpen();
    this.#checkTopic(topic);
    checkDelay("timeoutMs", options.timeoutMs ?? subscribeTimeoutMs);
    const count = this.#topics.get(topic) ?? 0;
    this.#topics.set(topic, count + 1);
    if (count === 0) {
      const micros = this.runtime.wallClockMicros();
      for (const peer of this.endpoints.peers) peer.subscribe(topic, micros);
    }
    if (this.#isActive(topic)) return Promise.resolve();
    return this.#waitForActive(topic, options);
  }

  /**
   * Takes one `subscribe` back; the last one ends the subscription. What is under way still comes.
   *
   * @returns false when it was not subscribed to.
   * @throws MsgError `MSG_CLOSED`, `MSG_INVALID_TOPIC`
   */
  unsubscribe(topic: string): boolean {
    this.assertOpen();
    this.#checkTopic(topic);
    const count = this.#topics.get(topic);
    if (count === undefined) return false;
    if (count > 1) {
      this.#topics.set(topic, count - 1);
      return true;
    }
    this.#topics.delete(topic);
    const micros = this.runtime.wallClockMicros();
    for (const peer of this.endpoints.peers) peer.unsubscribe(topic, micros);
    return true;
  }

  /** What it is subscribed to. */
  get subscriptions(): readonly string[] {
    return [...this.#topics.keys()];
  }

  /**
   * Calls back for every message, directly when it arrives, in order.
   *
   * @throws MsgError `MSG_INVALID_STATE` when there is a callback already, `MSG_CLOSED`,
   *   `MSG_INVALID_ARGUMENT`, `MSG_INVALID_OPTION`
   */
  consume(
    handler: (message: TopicMessage<T>) => void | Promise<void>,
    options: ConsumeOptions = {},
  ): Consumer {
    return this.consumeWith(handler, options, (error) => this.reportHandlerError(error));
  }

  override stats(): SubStats {
    return {
      ...this.commonStats(),
      lost: this.#lost,
      uncountedGaps: this.#uncountedGaps,
      subscriptions: this.#topics.size,
      queued: this.queue.size,
      queuedBytes: this.queue.bytes,
    };
  }

  /** @internal */
  onMessage(
    peer: SubPeer<T>,
    topic: string,
    timestampMicros: number,
    sequence: number,
    payload: Uint8Array,
    parts: readonly Uint8Array[] | undefined,
  ): void {
    this.messages.received++;
    const message = new TopicMessage<T>(topic, timestampMicros, sequence, payload, peer.info);
    if (parts !== undefined) message.multipart = parts;
    this.queue.push(peer.source, message);
  }

  /** @internal */
  onBadMessage(peer: SubPeer<T>, error: MsgError): void {
    this.drop("unreadable", { peer: peer.info, error });
  }

  /** @internal */
  onGap(peer: SubPeer<T>, lost: number): void {
    this.#lost += lost;
    this.emit("gap", { peer: peer.info, lost });
  }

  /** @internal */
  onDenied(peer: SubPeer<T>, topic: string): void {
    const text = `publisher ${peer.info.address} refused the subscription to ${JSON.stringify(topic)}`;
    const error = new MsgError("MSG_FORBIDDEN", text);
    // A subscription that is made again by itself has nobody who waits.
    if (!this.#activeWaiters.reject(topic, error)) this.emit("error", { error });
  }

  /** @internal */
  onDraining(peer: SubPeer<T>): void {
    this.emit("draining", { peer: peer.info });
  }

  /** @internal */
  onSubscribed(_peer: SubPeer<T>, topic: string): void {
    if (this.#isActive(topic)) this.#activeWaiters.resolve(topic);
  }

  protected override onUndecodable(): void {}

  protected override createPeer(connection: Connection, info: PeerInfo): SubPeer<T> {
    return new SubPeer(info, connection, this.wireContext(connection), this);
  }

  protected override onPeerReady(peer: SubPeer<T>): void {
    this.queue.open(peer.source);
    peer.introduce(this.#topics.keys(), this.runtime.wallClockMicros());
    if (peer.isPlain) this.#resolveAllActive();
    else {
      peer.grace = new PatientTimer(this.runtime, graceMs, () => {
        if (peer.hasExtensions) return;
        peer.becomePlain();
        this.#resolveAllActive();
      });
    }
    this.#silence.start();
    this.#reportReconnect(peer);
  }

  protected override onPeerClosed(peer: SubPeer<T>): void {
    this.queue.abandon(peer.source);
    peer.grace?.stop();
    this.#resolveAllActive();
  }

  protected override get isFinished(): boolean {
    return this.queue.size === 0;
  }

  /** Wants nothing more, and waits until all that has come was taken. */
  protected override async finishAll(timeoutMs: number): Promise<void> {
    const micros = this.runtime.wallClockMicros();
    for (const peer of this.endpoints.peers) {
      for (const topic of this.#topics.keys()) peer.unsubscribe(topic, micros);
    }
    this.queue.onEmpty = () => this.#emptied.resolveAll();
    if (!this.isFinished) await this.#emptied.waitAtMost(timeoutMs);
  }

  /** Not for ever: a callback may itself wait for the socket to be closed. */
  protected override async finish(lingerMs: number): Promise<void> {
    const ended = new WaiterList<void>(this.runtime);
    void this.stopConsumer().then(() => ended.resolveAll());
    await ended.waitAtMost(lingerMs);
  }

  protected override onClosed(error: LazyError): CloseReport {
    this.#silence.stop();
    this.#emptied.resolveAll();
    this.queue.close();
    if (!this.#activeWaiters.isEmpty) this.#activeWaiters.rejectAll(error());
    return { unsent: 0, unacknowledged: 0 };
  }

  #isActive(topic: string): boolean {
    const { peers } = this.endpoints;
    for (const peer of peers) if (!peer.hasConfirmed(topic)) return false;
    return peers.size > 0;
  }

  #waitForActive(
    topic: string,
    { timeoutMs = subscribeTimeoutMs, signal }: WaitOptions,
  ): Promise<void> {
    return this.#activeWaiters.wait(topic, { timeoutMs, signal }, () => {
      const who = this.endpoints.peers.size === 0 ? "no publisher is connected" : "no answer came";
      const text = `"${topic}" is not active after ${timeoutMs} ms: ${who}; it stays subscribed`;
      return new MsgError("MSG_TIMEOUT", text);
    });
  }

  #resolveAllActive(): void {
    for (const topic of this.#activeWaiters.keys) {
      if (this.#isActive(topic)) this.#activeWaiters.resolve(topic);
    }
  }

  /** What was published while a connection was lost is lost too, and nobody can count it. */
  #reportReconnect(peer: SubPeer<T>): void {
    const { endpoint } = peer.info;
    if (!peer.connection.isDialer) return;
    if (this.#known.has(endpoint)) {
      this.#uncountedGaps++;
      this.emit("gap", { peer: peer.info, lost: undefined });
    }
    this.#known.add(endpoint);
  }
}
