import type { Payload } from "../../bytes.ts";
import { emptyBytes, encodeText } from "../../bytes.ts";
import type { PeerInfo } from "../../contracts/authenticator.ts";
import type { Encoder } from "../../contracts/codec.ts";
import type { OutgoingMessage } from "../../contracts/protocol.ts";
import type { Transport } from "../../contracts/transport.ts";
import type { Connection } from "../../connection/connection.ts";
import { MsgError } from "../../errors.ts";
import type { LazyError } from "../../lazy-error.ts";
import type { TimerHandle } from "../../runtime.ts";
import type { Authorization } from "../authorization.ts";
import { authorizationOf } from "../authorization.ts";
import type { CloseReport } from "../events.ts";
import { KeyedWaiters } from "../keyed-waiters.ts";
import { FanOut } from "./fan-out.ts";
import { PublishQueue } from "./publish-queue.ts";
import type { PubOptions } from "./pub-options.ts";
import { resolvePubOptions } from "./pub-options.ts";
import type { PubPeerOptions, SubscriptionHandlers } from "./pub-peer.ts";
import { PubPeer } from "./pub-peer.ts";
import { Socket } from "../socket.ts";
import type { SocketStats } from "../stats.ts";
import { TopicTree } from "./topic-tree.ts";
import { PrefixIndex } from "./prefix-index.ts";
import { checkPrefixTopic, checkPublishTopic } from "./topics.ts";
import { TurnBudget } from "../turn-budget.ts";
import type { CodecOption, OptionsWithout, WithCodec } from "../value-codec.ts";
import { ValueCodec } from "../value-codec.ts";
import type { WaitOptions } from "../waiter-list.ts";
import { WaiterList } from "../waiter-list.ts";

/** How one message is published. */
export interface PublishOptions {
  /** Ends the wait of a `publish`, also before it began: the message is not sent. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Copies the payload, so that the caller may change it after the call.
   *
   * @defaultValue false
   */
  readonly copy?: boolean | undefined;
}

/** What a PUB counts. */
export interface PubStats extends SocketStats {
  /** Messages given to subscribers, counted for each of them; `messagesSent` counts calls. */
  readonly deliveries: number;
  /** Topics subscribed to, counted for each subscriber. */
  readonly subscriptions: number;
  /** Messages that wait in the subscribers' queues, all together. */
  readonly queued: number;
  readonly queuedBytes: number;
  /** Calls of `publish` that wait. */
  readonly waiting: number;
}

/** Losses are told at most this often. */
const lossReportMs = 100;

/** How many topics are remembered, and how long such a topic may be. */
const maxRememberedTopics = 4_096;
const maxRememberedLength = 256;

/** A clock costs more than the rest of a small message (bench scenario: pub-sub). */
const messagesPerTime = 64;

const waitForSubscriberMs = 10_000;

/**
 * Publishes: each message goes to every subscriber whose topics match; one that reads too slowly
 * loses messages, knows how many, and harms nobody else.
 *
 * @example
 * ```ts
 * const pub = new PubSocket(new Tcp());
 * await pub.bind("127.0.0.1:4445");
 * await pub.waitForSubscriber("prices.eth");
 * pub.publish("prices.eth", "1900.5");
 * ```
 */
export class PubSocket<T = Payload> extends Socket<PubPeer> implements SubscriptionHandlers {
  readonly #options: PubPeerOptions;
  readonly #authorization: Authorization | undefined;
  readonly #tree: TopicTree<PubPeer> = new TopicTree();
  readonly #prefixes: PrefixIndex<PubPeer> = new PrefixIndex();
  readonly #checkTopic: (topic: string) => void;
  readonly #topicBytes: Map<string, Uint8Array> = new Map();
  readonly #publishQueue: PublishQueue;
  readonly #fanOut: FanOut;
  readonly #budget: TurnBudget;
  readonly #subscriberWaiters: KeyedWaiters;
  readonly #drained: WaiterList<void>;
  /** What is not told yet. */
  readonly #losses: Map<PubPeer, number> = new Map();
  #lastTopic = "";
  #lastTopicBytes: Uint8Array = emptyBytes;
  #timestampMicros = 0;
  /** How many messages had that time; at {@link messagesPerTime} it is looked up. */
  #messagesAtTime = messagesPerTime;
  #isTimeScheduled = false;
  readonly #forgetTime: () => void = () => {
    this.#isTimeScheduled = false;
    this.#messagesAtTime = messagesPerTime;
  };
  #heartbeat: TimerHandle;
  #lossReport: TimerHandle;
  /** It drains. */
  #isLettingGo = false;
  #deliveries = 0;
  #subscriptions = 0;
  /** Messages that nobody could be sent any more since this PUB drains or closes. */
  #unsent = 0;

  constructor(transport: Transport, options: WithCodec<PubOptions, Encoder<T>>);
  constructor(transport: Transport, ...options: OptionsWithout<PubOptions, Encoder<T>>);
  constructor(transport: Transport, options: PubOptions & CodecOption<unknown> = {}) {
    super("PUB", transport, options, new ValueCodec(options.codec, ["encode"]));
    const { sendHighWaterBytes } = this.options;
    this.#options = { ...resolvePubOptions(options), sendHighWaterBytes };
    this.#checkTopic = this.options.topics === "prefixes" ? checkPrefixTopic : checkPublishTopic;
    this.#authorization = authorizationOf(this.runtime, options.authorize, options.authorization);
    this.#budget = new TurnBudget(this.runtime);
    // A publisher that waits must know what waits for each subscriber before the next message.
    this.#fanOut = new FanOut(this.runtime, this.#options.whenSlow !== "wait");
    this.#drained = new WaiterList(this.runtime);
    this.#subscriberWaiters = new KeyedWaiters(this.runtime);
    this.#publishQueue = new PublishQueue({
      compression: this.compression,
      maxWaiting: this.#options.maxWaiting,
      maxWaitingBytes: this.#options.maxWaitingBytes,
      isHeldUp: (topic) => this.#isHeldUp(topic),
      deliver: (topic, compression, bytes, plainBytes) =>
        this.#deliver(topic, compression, bytes, plainBytes),
      onFailed: (error) => this.emit("error", { error }),
      onCompressed: () => this.onRoom(),
    });
  }

  /**
   * Publishes to everybody who subscribed to the topic. Nobody being there is no error.
   *
   * @param value - bytes must not be changed afterwards, unless `copy` is set.
   * @returns nothing when it was accepted; a promise when the caller has to wait: for a slow
   *   subscriber (`whenSlow: "wait"`), for a compressor, or for the event loop to have its turn.
   *   `await` does right by both.
   * @throws MsgError `MSG_CLOSED`, `MSG_INVALID_TOPIC`, `MSG_PAYLOAD_TOO_LARGE`,
   *   `MSG_INVALID_ARGUMENT`, `MSG_ENCODE_FAILED`, `MSG_HIGH_WATER_MARK`, `MSG_COMPRESS_FAILED`
   */
  publish(topic: string, value: T, options?: PublishOptions): undefined | Promise<void> {
    this.assertOpen();
    // What is remembered was found legal.
    if (topic !== this.#lastTopic && !this.#topicBytes.has(topic)) this.#checkTopic(topic);
    const bytes = this.outgoingBytes(value, options?.copy);
    return (
      this.#publishQueue.publish(topic, bytes, options?.signal) ??
      this.#budget.spend(bytes.length + 64)
    );
  }

  /**
   * Waits until somebody subscribed to something that matches the topic.
   *
   * Rejects with `MSG_TIMEOUT` (10 s by default), `MSG_CLOSED`, or the signal's reason.
   *
   * @throws MsgError `MSG_CLOSED`, `MSG_INVALID_TOPIC`
   */
  waitForSubscriber(topic: string, options: WaitOptions = {}): Promise<void> {
    this.assertOpen();
    this.#checkTopic(topic);
    if (this.#match(topic).length > 0) return Promise.resolve();
    const { timeoutMs = waitForSubscriberMs, signal } = options;
    return this.#subscriberWaiters.wait(topic, { timeoutMs, signal }, () => {
      return new MsgError("MSG_TIMEOUT", `nobody subscribed to ${topic} within ${timeoutMs} ms`);
    });
  }

  override stats(): PubStats {
    this.#fanOut.flush();
    this.#countLosses();
    let queued = 0;
    let queuedBytes = 0;
    for (const peer of this.endpoints.peers) {
      queued += peer.queued;
      queuedBytes += peer.queuedBytes;
    }
    return {
      ...this.commonStats(),
      deliveries: this.#deliveries,
      subscriptions: this.#subscriptions,
      queued,
      queuedBytes,
      waiting: this.#publishQueue.size,
    };
  }

  /** @internal */
  onSubscribe(peer: PubPeer, topic: string): void {
    this.#subscriptions++;
    this.#tree.add(topic, peer);
    this.#tellSubscribers();
  }

  /** @internal */
  onSubscribePrefix(peer: PubPeer, prefix: string): void {
    this.#subscriptions++;
    this.#prefixes.add(prefix, peer);
    this.#tellSubscribers();
  }

  /** @internal */
  onUnsubscribePrefix(peer: PubPeer, prefix: string): void {
    this.#subscriptions--;
    this.#prefixes.remove(prefix, peer);
  }

  /** @internal */
  onUnsubscribe(peer: PubPeer, topic: string): void {
    this.#subscriptions--;
    this.#tree.remove(topic, peer);
  }

  /** @internal */
  onIgnored(peer: PubPeer, error?: MsgError): void {
    this.drop("ignored-frame", { peer: peer.info, ...(error === undefined ? {} : { error }) });
  }

  /** @internal */
  onForbidden(peer: PubPeer, error: MsgError): void {
    this.drop("forbidden", { peer: peer.info, error });
  }

  /** @internal */
  onLost(peer: PubPeer): void {
    // Counted later: every message may be lost for every subscriber.
    this.#losses.set(peer, this.#losses.get(peer) ?? 0);
    this.#lossReport ??= this.runtime.setTimer(() => this.#reportLosses(), lossReportMs);
  }

  /** @internal */
  onRoom(): void {
    this.#publishQueue.pump();
    this.#checkDrained();
  }

  /** @internal */
  onBeforeFlush(): void {
    this.#fanOut.flush();
  }

  protected override createPeer(connection: Connection, info: PeerInfo): PubPeer {
    const context = this.wireContext(connection);
    return new PubPeer(info, connection, context, this.#options, this, this.#authorization);
  }

  protected override onPeerReady(): void {
    const { heartbeatMs } = this.#options;
    if (heartbeatMs === Infinity) return;
    this.#heartbeat ??= this.runtime.setTimer(() => this.#beat(), heartbeatMs / 2);
  }

  protected override onPeerClosed(peer: PubPeer): void {
    if (peer.queued > 0) this.#onUnsent(peer);
    for (const topic of peer.topics) this.onUnsubscribe(peer, topic);
    for (const prefix of peer.prefixes ?? []) this.onUnsubscribePrefix(peer, prefix);
    this.onRoom();
  }

  protected override get isFinished(): boolean {
    return this.#isDrained;
  }

  /** Sends what was published, and has each subscriber go elsewhere as soon as it has all of it. */
  protected override async finishAll(timeoutMs: number): Promise<void> {
    this.#isLettingGo = true;
    this.#fanOut.flush();
    this.#checkDrained();
    if (!this.#isDrained) await this.#drained.waitAtMost(timeoutMs);
  }

  protected override async finish(lingerMs: number): Promise<void> {
    this.#fanOut.flush();
    if (!this.#isDrained) await this.#drained.waitAtMost(lingerMs);
    this.abandon();
    this.#fanOut.flush();
    for (const peer of this.endpoints.peers) peer.sayBye();
  }

  /** Before the subscribers go: without them nothing would seem to be waited for any more. */
  protected override abandon(): void {
    const error = new MsgError("MSG_CLOSED", "this PUB was closed");
    this.#unsent += this.#publishQueue.rejectAll(error);
  }

  protected override onClosed(error: LazyError): CloseReport {
    this.runtime.clearTimer(this.#heartbeat);
    if (!this.#subscriberWaiters.isEmpty) this.#subscriberWaiters.rejectAll(error());
    this.#drained.resolveAll();
    this.#reportLosses();
    return { unsent: this.#unsent, unacknowledged: 0 };
  }

  /** Only one that the end of this socket took away could have been told before: it is in the report. */
  #onUnsent({ queued, info }: PubPeer): void {
    if (this.isClosed || this.isDraining) this.#unsent += queued;
    else this.drop("lost-subscriber", { count: queued, peer: info });
  }

  #tellSubscribers(): void {
    for (const wanted of this.#subscriberWaiters.keys) {
      if (this.#match(wanted).length > 0) this.#subscriberWaiters.resolve(wanted);
    }
  }

  /** A peer has either topics or prefixes: nobody is in both. */
  #match(topic: string): readonly PubPeer[] {
    const subscribers = this.#tree.match(topic);
    return this.#prefixes.size === 0 ? subscribers : this.#prefixes.match(topic, subscribers);
  }

  /** A topic's bytes are remembered: publishers use few topics, again and again. */
  #bytesOf(topic: string): Uint8Array {
    if (topic === this.#lastTopic) return this.#lastTopicBytes;
    let bytes = this.#topicBytes.get(topic);
    if (bytes === undefined) {
      bytes = encodeText(topic);
      if (topic.length > maxRememberedLength) return bytes;
      if (this.#topicBytes.size >= maxRememberedTopics) this.#topicBytes.clear();
      this.#topicBytes.set(topic, bytes);
    }
    this.#lastTopic = topic;
    this.#lastTopicBytes = bytes;
    return bytes;
  }

  /** The clock is looked at once a tick, and again after each so many messages. */
  #timestamp(): number {
    if (this.#messagesAtTime === messagesPerTime) {
      this.#messagesAtTime = 0;
      this.#timestampMicros = this.runtime.wallClockMicros();
      if (!this.#isTimeScheduled) {
        this.#isTimeScheduled = true;
        this.runtime.endOfTick(this.#forgetTime);
      }
    }
    this.#messagesAtTime++;
    return this.#timestampMicros;
  }

  #deliver(topic: string, compression: number, payload: Uint8Array, plainBytes: number): void {
    this.messages.onSent(plainBytes, payload.length);
    const subscribers = this.#match(topic);
    if (subscribers.length === 0) {
      this.countDrop("no-subscriber", 1);
      return;
    }
    this.#deliveries += subscribers.length;
    const topicBytes = this.#bytesOf(topic);
    const timestampMicros = this.#timestamp();
    const message: OutgoingMessage = { topic, topicBytes, timestampMicros, compression, payload };
    this.#fanOut.deliver(subscribers, message);
  }

  #isHeldUp(topic: string): boolean {
    if (this.#options.whenSlow !== "wait") return false;
    return this.#match(topic).some((subscriber) => !subscriber.hasRoom);
  }

  /** Half the interval, so that no silence is longer than the whole one. */
  #beat(): void {
    this.#heartbeat = undefined;
    for (const peer of this.endpoints.peers) peer.beat();
    this.#fanOut.trim();
    if (this.endpoints.peers.size > 0) this.onPeerReady();
  }

  get #isDrained(): boolean {
    if (this.#publishQueue.size > 0) return false;
    for (const peer of this.endpoints.peers) if (peer.queued > 0) return false;
    return true;
  }

  #checkDrained(): void {
    if (this.#isLettingGo && this.#publishQueue.size === 0) this.#letGo();
    if (this.#drained.size > 0 && this.#isDrained) this.#drained.resolveAll();
  }

  #letGo(): void {
    this.#fanOut.flush();
    for (const peer of this.endpoints.peers) if (peer.queued === 0) peer.letGo();
  }

  #countLosses(): void {
    for (const [peer, count] of this.#losses) {
      const more = peer.takeLosses();
      this.#losses.set(peer, count + more);
      this.countDrop("slow-subscriber", more);
    }
  }

  /** One event for each subscriber that lost something, not one for each message. */
  #reportLosses(): void {
    this.runtime.clearTimer(this.#lossReport);
    this.#lossReport = undefined;
    this.#countLosses();
    for (const [peer, count] of this.#losses) {
      const details = { reason: "slow-subscriber", count, peer: peer.info } as const;
      this.emit("dropped", { ...details, error: undefined, payload: undefined });
    }
    this.#losses.clear();
  }
}
