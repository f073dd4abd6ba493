import type { PeerInfo } from "../../contracts/authenticator.ts";
import type { FrameDecoder, SubSink, SubWriter, WireContext } from "../../contracts/protocol.ts";
import type { Connection } from "../../connection/connection.ts";
import type { MsgError } from "../../errors.ts";
import { Peer } from "../peer.ts";
import { ReceiveSource } from "../receive-queue.ts";
import type { PatientTimer } from "./patient-timer.ts";
import type { TopicMessage } from "./topic-message.ts";

/** Who is told what a PUB said. */
export interface PublisherHandlers<T> {
  onMessage(
    peer: SubPeer<T>,
    topic: string,
    timestampMicros: number,
    sequence: number,
    payload: Uint8Array,
    parts: readonly Uint8Array[] | undefined,
  ): void;
  onBadMessage(peer: SubPeer<T>, error: MsgError): void;
  /** `lost` messages of this publisher will never come. */
  onGap(peer: SubPeer<T>, lost: number): void;
  /** A subscription is active at this publisher, as far as it ever tells. */
  onSubscribed(peer: SubPeer<T>, topic: string): void;
  /** This publisher does not take a subscription. */
  onDenied(peer: SubPeer<T>, topic: string): void;
  /** It said goodbye: its end follows. */
  onDraining(peer: SubPeer<T>): void;
}

/** A PUB as a SUB sees it. */
export class SubPeer<T> extends Peer implements SubSink {
  readonly decoder: FrameDecoder;
  readonly source: ReceiveSource<TopicMessage<T>>;
  readonly #writer: SubWriter;
  readonly #handlers: PublisherHandlers<T>;
  /** Subscriptions sent and not acknowledged, by how often each was sent. */
  readonly #unconfirmed: Map<string, number> = new Map();
  #expected = 0;
  /** It is a publisher of ours: it acknowledges subscriptions and is never silent for long. */
  hasExtensions = false;
  #isDraining = false;
  /** It confirms nothing. */
  isPlain: boolean;
  /** Ends that time. */
  grace: PatientTimer | undefined;

  constructor(
    info: PeerInfo,
    connection: Connection,
    context: WireContext,
    handlers: PublisherHandlers<T>,
  ) {
    super(info, connection);
    this.#handlers = handlers;
    this.source = new ReceiveSource(connection);
    const wire = connection.protocol.open("SUB", connection.outbox, this, context);
    this.decoder = wire.decoder;
    this.#writer = wire.writer;
    this.isPlain = wire.writer.isOneWay === true;
  }

  /** Says what we are and all we want. */
  introduce(topics: Iterable<string>, timestampMicros: number): void {
    this.#writer.extensions();
    for (const topic of topics) this.subscribe(topic, timestampMicros);
  }

  /** It had its time to show that it is one of ours, and did not: it confirms nothing. */
  becomePlain(): void {
    this.isPlain = true;
    this.#unconfirmed.clear();
  }

  subscribe(topic: string, timestampMicros: number): void {
    if (!this.isPlain) this.#unconfirmed.set(topic, (this.#unconfirmed.get(topic) ?? 0) + 1);
    this.#writer.subscribe(topic, timestampMicros);
  }

  unsubscribe(topic: string, timestampMicros: number): void {
    this.#writer.unsubscribe(topic, timestampMicros);
  }

  /** Whether a subscription may be taken for active here. */
  hasConfirmed(topic: string): boolean {
    return !this.#unconfirmed.has(topic);
  }

  onMessage(
    topic: string,
    timestampMicros: number,
    sequence: number,
    payload: Uint8Array,
    parts?: readonly Uint8Array[],
  ): void {
    if (sequence !== this.#expected) this.#onGap(sequence);
    this.#expected = (sequence + 1) >>> 0;
    this.#handlers.onMessage(this, topic, timestampMicros, sequence, payload, parts);
  }

  onBadMessage(_topic: string, sequence: number, error: MsgError): void {
    if (sequence !== this.#expected) this.#onGap(sequence);
    this.#expected = (sequence + 1) >>> 0;
    this.#handlers.onBadMessage(this, error);
  }

  onMark(sequence: number): void {
    this.hasExtensions = true;
    // It may have been slow to show it.
    this.isPlain = false;
    if (sequence !== this.#expected) this.#onGap(sequence);
    this.#expected = sequence;
  }

  onSubscribed(topic: string, sequence: number): void {
    this.onMark(sequence);
    if (this.#isAnswered(topic)) this.#handlers.onSubscribed(this, topic);
  }

  onDenied(topic: string, sequence: number): void {
    this.onMark(sequence);
    if (this.#isAnswered(topic)) this.#handlers.onDenied(this, topic);
  }

  /** Counts an answer; true when it is that of the newest subscription to the topic. */
  #isAnswered(topic: string): boolean {
    const sent = this.#unconfirmed.get(topic);
    if (sent === undefined) return false;
    if (sent > 1) this.#unconfirmed.set(topic, sent - 1);
    else this.#unconfirmed.delete(topic);
    return sent === 1;
  }

  /** It drains. Its end of the stream follows, and the dialer goes on from there. */
  onBye(sequence: number): void {
    this.onMark(sequence);
    if (this.#isDraining) return;
    this.#isDraining = true;
    this.#handlers.onDraining(this);
  }

  #onGap(sequence: number): void {
    this.#handlers.onGap(this, (sequence - this.#expected) >>> 0);
  }
}
