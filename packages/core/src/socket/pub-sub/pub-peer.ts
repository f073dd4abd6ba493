import type { PeerInfo } from "../../contracts/authenticator.ts";
import type {
  FrameDecoder,
  MessageBatch,
  OutgoingMessage,
  PubSink,
  PubWriter,
  WireContext,
} from "../../contracts/protocol.ts";
import type { Connection } from "../../connection/connection.ts";
import { MsgError } from "../../errors.ts";
import type { Authorization } from "../authorization.ts";
import { Peer } from "../peer.ts";
import { AuthorizedSubscriptions } from "./authorized-subscriptions.ts";
import type { ResolvedPubOptions } from "./pub-options.ts";
import { PubPeerQueue } from "./pub-peer-queue.ts";

/** Who is told what a SUB wants, and what it lost. */
export interface SubscriptionHandlers {
  onSubscribe(peer: PubPeer, topic: string): void;
  onUnsubscribe(peer: PubPeer, topic: string): void;
  onSubscribePrefix(peer: PubPeer, prefix: string): void;
  onUnsubscribePrefix(peer: PubPeer, prefix: string): void;
  onIgnored(peer: PubPeer, error?: MsgError): void;
  /** It asked for a topic that it may not have. */
  onForbidden(peer: PubPeer, error: MsgError): void;
  /** A message did not reach this subscriber: the first since {@link PubPeer.takeLosses}. */
  onLost(peer: PubPeer): void;
  /** A subscriber that was slow got further. */
  onRoom(): void;
  /** A subscriber's connection is about to write, and perhaps to end. */
  onBeforeFlush(): void;
}

/** What bounds what waits for a subscriber, and its topics. */
export type PubPeerOptions = ResolvedPubOptions & {
  readonly sendHighWaterBytes: number;
};

/** How long it may take to read what it was sent; the end of a drain comes before. */
const lettingGoMs = 30_000;

/** How long a subscriber that has all may keep its side open: one of msg-rs keeps it for ever. */
const silentEndMs = 1_000;

/** How much of {@link ResolvedPubOptions.maxSubscriptionBytesPerPeer} a token is taken for. */
const tokenCostBytes = 256;

/** A SUB as a PUB sees it: its topics, its numbers and what waits for it. */
export class PubPeer extends Peer implements PubSink {
  readonly decoder: FrameDecoder;
  readonly topics: Set<string> = new Set();
  /** Made for the first one: a peer has either topics or prefixes. */
  prefixes: Set<string> | undefined;
  readonly #writer: PubWriter;
  readonly #options: PubPeerOptions;
  readonly #handlers: SubscriptionHandlers;
  readonly #queue: PubPeerQueue = new PubPeerQueue();
  #losses = 0;
  #topicBytes = 0;
  /** Every message that matched has a number, also one that was dropped. */
  #nextSequence = 0;
  #hasExtensions = false;
  /** Something was dropped that no later frame has told of yet. */
  #hasUntoldLoss = false;
  #hasSentSinceBeat = false;
  /** What was decided while messages waited; it is not read from meanwhile, so there is one at most. */
  #lateAnswer: { readonly topic: string; readonly isTaken: boolean } | undefined;
  #isHeld = false;

  constructor(
    info: PeerInfo,
    connection: Connection,
    context: WireContext,
    options: PubPeerOptions,
    handlers: SubscriptionHandlers,
    authorization: Authorization | undefined,
  ) {
    super(info, connection);
    this.#options = options;
    this.#handlers = handlers;
    const sink =
      authorization === undefined ? this : new AuthorizedSubscriptions(this, authorization);
    const wire = connection.protocol.open("PUB", connection.outbox, sink, context);
    this.decoder = wire.decoder;
    this.#writer = wire.writer;
  }

  get queued(): number {
    return this.#queue.size;
  }

  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  /** Whether one more message would not be dropped. */
  get hasRoom(): boolean {
    const { size, bytes } = this.#queue;
    const { maxQueued, maxQueuedBytes } = this.#options;
    return size < maxQueued && (bytes === 0 || bytes < maxQueuedBytes);
  }

  /** How many messages it lost since this was asked before. */
  takeLosses(): number {
    const losses = this.#losses;
    this.#losses = 0;
    return losses;
  }

  deliver(message: OutgoingMessage): void {
    const sequence = this.#nextSequence;
    this.#nextSequence = (sequence + 1) >>> 0;
    if (this.#queue.size === 0 && !this.connection.outbox.isFull) {
      this.#hasSentSinceBeat = true;
      this.#writer.publish(message, sequence);
    } else this.#enqueue(message, sequence);
  }

  /** All of a batch that a writer of this peer's protocol made. */
  deliverBatch(batch: MessageBatch): void {
    const { messages, bytes } = batch;
    const isFirst = this.#queue.size === 0;
    if (
      isFirst &&
      this.connection.outbox.bufferedBytes + bytes <= this.#options.sendHighWaterBytes
    ) {
      this.#hasSentSinceBeat = true;
      this.#writer.publishBatch(batch, this.#nextSequence);
    } else if (this.#options.whenSlow !== "drop-newest" || this.hasRoom) {
      for (let i = 0; i < messages.length; i++) this.deliver(messages[i] as OutgoingMessage);
      return;
    } else this.#onLost(messages.length);
    this.#nextSequence = (this.#nextSequence + messages.length) >>> 0;
  }

  newBatch(): MessageBatch {
    return this.#writer.newBatch();
  }

  override onBeforeFlush(): void {
    this.#handlers.onBeforeFlush();
  }

  /** Tells a subscriber of ours that we are alive, and up to which number it should have read. */
  beat(): void {
    if (!this.#hasSentSinceBeat) this.#mark();
    this.#hasSentSinceBeat = false;
    this.#queue.trim();
  }

  /** We drain: it should go elsewhere. */
  sayBye(): void {
    if (this.#hasExtensions && this.#queue.size === 0) this.#writer.bye(this.#nextSequence);
  }

  /** Says so, and ends the connection in order. */
  letGo(): void {
    if (!this.connection.isFramed) return;
    this.sayBye();
    this.connection.close(lettingGoMs, undefined, silentEndMs);
  }

  onExtensions(): void {
    if (this.#hasExtensions) return;
    this.#hasExtensions = true;
    // At once, so that it knows before the first silence that we will speak.
    this.#mark();
  }

  onSubscribe(topic: string): void {
    if (!this.topics.has(topic)) {
      const refusal = this.#refusalOf(topic);
      if (refusal !== undefined) {
        this.#handlers.onIgnored(this, refusal);
        this.#answer(topic, false);
        this.#adjustReading();
        return;
      }
      this.topics.add(topic);
      this.#topicBytes += costOf(topic);
      this.#handlers.onSubscribe(this, topic);
    }
    this.#answer(topic, true);
    this.#adjustReading();
  }

  deny(topic: string, error: MsgError): void {
    this.#handlers.onForbidden(this, error);
    this.#answer(topic, false);
    this.#adjustReading();
  }

  onUnsubscribe(topic: string): void {
    if (!this.topics.delete(topic)) return;
    this.#topicBytes -= costOf(topic);
    this.#handlers.onUnsubscribe(this, topic);
  }

  /** A set, not a count: peers take back once what they asked for several times. */
  onSubscribePrefix(prefix: string): void {
    this.prefixes ??= new Set();
    if (this.prefixes.has(prefix)) return;
    const refusal = this.#refusalOf(prefix);
    if (refusal !== undefined) {
      this.#handlers.onIgnored(this, refusal);
      return;
    }
    this.prefixes.add(prefix);
    this.#topicBytes += costOf(prefix);
    this.#handlers.onSubscribePrefix(this, prefix);
    this.#adjustReading();
  }

  onUnsubscribePrefix(prefix: string): void {
    if (this.prefixes?.delete(prefix) !== true) return;
    this.#topicBytes -= costOf(prefix);
    this.#handlers.onUnsubscribePrefix(this, prefix);
  }

  onIgnored(): void {
    this.#handlers.onIgnored(this);
  }

  override onDrain(): void {
    const { outbox } = this.connection;
    const queue = this.#queue;
    while (queue.size > 0 && !outbox.isFull) {
      const { sequence } = queue;
      const message = queue.shift();
      if (message !== undefined) this.#writer.publish(message, sequence);
    }
    if (this.#queue.size === 0 && this.#hasUntoldLoss) this.#mark();
    if (this.#queue.size === 0) this.#answerLate();
    this.#adjustReading();
    this.#handlers.onRoom();
  }

  #enqueue(message: OutgoingMessage, sequence: number): void {
    if (!this.hasRoom) {
      switch (this.#options.whenSlow) {
        case "disconnect": {
          const text = `${this.#queue.size} messages wait: the subscriber does not read fast enough`;
          this.fail(new MsgError("MSG_SLOW_PEER", text));
          return;
        }
        case "drop-oldest":
          this.#dropOldest();
          break;
        // A publisher that waits looks at hasRoom first; what is dropped here it did not wait for.
        case "wait":
        case "drop-newest":
          this.#onLost(1);
          return;
      }
    }
    this.#queue.push(message, sequence);
    if (!this.#isHeld) this.#adjustReading();
  }

  #dropOldest(): void {
    while (!this.hasRoom) {
      if (this.#queue.shift() === undefined) return;
      this.#onLost(1);
    }
  }

  #onLost(count: number): void {
    this.#hasUntoldLoss = true;
    this.#losses += count;
    if (this.#losses === count) this.#handlers.onLost(this);
  }

  /** With something in the queue a mark would overtake it; what comes out of there tells as much. */
  #mark(): void {
    if (!this.#hasExtensions || this.#queue.size > 0) return;
    this.#hasUntoldLoss = false;
    this.#writer.mark(this.#nextSequence);
  }

  /**
   * While messages wait for it, a subscriber's own frames are not read: the answer to each is a
   * frame that may not overtake the messages.
   */
  #adjustReading(): void {
    const isSlow = this.#queue.size > 0 || this.connection.outbox.isFull;
    if (isSlow === this.#isHeld) return;
    this.#isHeld = isSlow;
    if (isSlow) this.connection.hold();
    else this.connection.release();
  }

  /** One of msg-rs does not understand it, and is not told. */
  #answer(topic: string, isTaken: boolean): void {
    if (!this.#hasExtensions) return;
    // Its number would tell of a gap that is none.
    if (this.#queue.size > 0) this.#lateAnswer = { topic, isTaken };
    else if (isTaken) this.#writer.subscribed(topic, this.#nextSequence);
    else this.#writer.denied?.(topic, this.#nextSequence);
  }

  #answerLate(): void {
    const late = this.#lateAnswer;
    this.#lateAnswer = undefined;
    if (late !== undefined) this.#answer(late.topic, late.isTaken);
  }

  #refusalOf(topic: string): MsgError | undefined {
    const { maxSubscriptionsPerPeer, maxSubscriptionBytesPerPeer } = this.#options;
    const size = this.topics.size + (this.prefixes?.size ?? 0);
    if (size >= maxSubscriptionsPerPeer) {
      const text = `${size} topics, maxSubscriptionsPerPeer is ${maxSubscriptionsPerPeer}`;
      return new MsgError("MSG_TOO_MANY_SUBSCRIPTIONS", text);
    }
    const bytes = this.#topicBytes + costOf(topic);
    if (bytes <= maxSubscriptionBytesPerPeer) return undefined;
    const text = `topics take ${bytes} bytes, maxSubscriptionBytesPerPeer is ${maxSubscriptionBytesPerPeer}`;
    return new MsgError("MSG_TOO_MANY_SUBSCRIPTIONS", text);
  }
}

function costOf(topic: string): number {
  let tokens = 1;
  for (let dot = topic.indexOf("."); dot >= 0; dot = topic.indexOf(".", dot + 1)) tokens++;
  return topic.length * 2 + tokens * tokenCostBytes;
}
