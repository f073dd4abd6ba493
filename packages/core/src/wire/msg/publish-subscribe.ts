import { copyInto, encodeText, viewAt } from "../../bytes.ts";
import type {
  FrameBuffer,
  FrameDecoder,
  MessageBatch,
  OutgoingMessage,
  PubSink,
  PubWriter,
  SubSink,
  SubWriter,
  WireContext,
} from "../../contracts/protocol.ts";
import {
  checkLength,
  frameKind,
  illegalKind,
  messageHeaderBytes,
  topicPrefix,
  topicStartBytes,
} from "./header.ts";
import type { PayloadReceiver } from "./payload-reader.ts";
import { PayloadReader } from "./payload-reader.ts";
import { EncodedBatch, setMessageHeader, setSequence } from "./published-batch.ts";
import { TopicReader } from "./topic-reader.ts";

const reservedBits = 0xf8;
const twoTo32 = 2 ** 32;

/**
 * Published messages, subscriptions and extensions; the same form both ways.
 *
 *   offset  size  field
 *   0       1     0x03
 *   1       1     flags     bits 0-2 compression id
 *   2       2     T         bytes of topic
 *   4       T     topic     UTF-8
 *   4+T     8     time      microseconds since 1970
 *   12+T    4     sequence
 *   16+T    4     length    bytes of payload that follow
 */
abstract class MessageDecoder implements FrameDecoder {
  neededBytes: number = topicStartBytes;
  readonly #context: WireContext;
  readonly #maxPayloadBytes: number;
  readonly #limitName: string;

  constructor(context: WireContext, maxPayloadBytes: number, limitName: string) {
    this.#context = context;
    this.#maxPayloadBytes = maxPayloadBytes;
    this.#limitName = limitName;
  }

  /** Takes a whole frame as it lies in `memory`, of all of which `view` is a view. */
  protected abstract onFrame(
    memory: ArrayBufferLike,
    view: DataView,
    offset: number,
    topicBytes: number,
    payloadBytes: number,
  ): void;

  decode({ buffer, byteOffset }: Uint8Array, start: number, end: number): number {
    const view = new DataView(buffer);
    const { gate } = this.#context;
    const stop = byteOffset + end;
    let offset = byteOffset + start;
    this.neededBytes = topicStartBytes;
    while (gate.isOpen && offset < stop) {
      const kind = view.getUint8(offset);
      if (kind !== frameKind.message) throw illegalKind(kind, frameKind.message);
      const here = stop - offset;
      if (here < topicStartBytes) break;
      const topicBytes = view.getUint16(offset + 2);
      const headerBytes = messageHeaderBytes + topicBytes;
      this.neededBytes = headerBytes;
      if (here < headerBytes) break;
      const payloadBytes = view.getUint32(offset + headerBytes - 4);
      checkLength(payloadBytes, this.#maxPayloadBytes, this.#limitName);
      const frameBytes = headerBytes + payloadBytes;
      this.neededBytes = frameBytes;
      if (here < frameBytes) break;
      this.neededBytes = topicStartBytes;
      this.onFrame(buffer, view, offset, topicBytes, payloadBytes);
      offset += frameBytes;
    }
    return offset - byteOffset;
  }
}

interface MessageHeader {
  readonly topic: string;
  readonly timestampMicros: number;
  readonly sequence: number;
  readonly isExtension: boolean;
}

/** Reads 0x03 frames for a SUB: messages, and what a PUB of ours adds. */
export class PublishedDecoder extends MessageDecoder {
  readonly #sink: SubSink;
  readonly #reader: PayloadReader<MessageHeader>;
  readonly #topics: TopicReader = new TopicReader();

  constructor(sink: SubSink, context: WireContext) {
    super(context, context.maxMessageBytes, "maxMessageBytes");
    this.#sink = sink;
    const receiver: PayloadReceiver<MessageHeader> = {
      onPlain: ({ topic, timestampMicros, sequence, isExtension }, payload) => {
        if (isExtension) this.#onExtension(topic, sequence);
        else sink.onMessage(topic, timestampMicros, sequence, payload);
      },
      onUnreadable: (header, error) => sink.onBadMessage(header.topic, header.sequence, error),
    };
    this.#reader = new PayloadReader(context, receiver, "arrival");
  }

  protected override onFrame(
    memory: ArrayBufferLike,
    view: DataView,
    offset: number,
    topicBytes: number,
    payloadBytes: number,
  ): void {
    const { topic, isReserved } = this.#topics.read(view, offset + topicStartBytes, topicBytes);
    const timeOffset = offset + topicStartBytes + topicBytes;
    const sequence = view.getUint32(timeOffset + 8);
    const flags = view.getUint8(offset + 1);
    const isExtension = isReserved && payloadBytes === 0;
    if (isExtension && flags !== 0) return;
    const mustQueue = this.#reader.mustQueue;
    if (isExtension && !mustQueue) {
      this.#onExtension(topic, sequence);
      return;
    }
    const timestampMicros = view.getUint32(timeOffset) * twoTo32 + view.getUint32(timeOffset + 4);
    const payload = viewAt(memory, offset + messageHeaderBytes + topicBytes, payloadBytes);
    if (flags === 0 && !mustQueue) {
      this.#sink.onMessage(topic, timestampMicros, sequence, payload);
      return;
    }
    const header = { topic, timestampMicros, sequence, isExtension };
    this.#reader.read(header, flags, reservedBits, payload, topicBytes);
  }

  /** Unknown extensions are skipped: a later version may send them. */
  #onExtension(topic: string, sequence: number): void {
    if (topic === topicPrefix.mark) this.#sink.onMark(sequence);
    else if (topic === topicPrefix.bye) this.#sink.onBye(sequence);
    else if (topic.startsWith(topicPrefix.subscribed)) {
      this.#sink.onSubscribed(topic.slice(topicPrefix.subscribed.length), sequence);
    } else if (topic.startsWith(topicPrefix.denied)) {
      this.#sink.onDenied(topic.slice(topicPrefix.denied.length), sequence);
    }
  }
}

const subscribeBytes = encodeText(topicPrefix.subscribe);
const unsubscribeBytes = encodeText(topicPrefix.unsubscribe);
const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads 0x03 frames for a PUB: subscriptions. They have no payload, so none is ever stored. */
export class SubscriptionDecoder extends MessageDecoder {
  readonly #sink: PubSink;

  constructor(sink: PubSink, context: WireContext) {
    super(context, 0, "the limit of a subscription's payload");
    this.#sink = sink;
  }

  protected override onFrame(
    memory: ArrayBufferLike,
    view: DataView,
    offset: number,
    topicBytes: number,
  ): void {
    // Reserved bits, or the compression of nothing: what it asks for cannot be known.
    if (view.getUint8(offset + 1) !== 0) {
      this.#sink.onIgnored();
      return;
    }
    const start = offset + topicStartBytes;
    const isSubscribe = beginsWith(view, start, topicBytes, subscribeBytes);
    const isUnsubscribe = beginsWith(view, start, topicBytes, unsubscribeBytes);
    let prefix = 0;
    if (isSubscribe) prefix = subscribeBytes.length;
    else if (isUnsubscribe) prefix = unsubscribeBytes.length;
    let topic: string;
    try {
      // Without the prefix: a slice would keep the whole in memory for as long as the subscription.
      topic = strictDecoder.decode(viewAt(memory, start + prefix, topicBytes - prefix));
    } catch {
      this.#sink.onIgnored();
      return;
    }
    if (isSubscribe) this.#sink.onSubscribe(topic);
    else if (isUnsubscribe) this.#sink.onUnsubscribe(topic);
    else if (topic === topicPrefix.extensions) this.#sink.onExtensions();
    else this.#sink.onIgnored();
  }
}

function beginsWith(view: DataView, start: number, length: number, prefix: Uint8Array): boolean {
  if (length < prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) {
    if (view.getUint8(start + i) !== prefix[i]) return false;
  }
  return true;
}

/** Writes messages and extensions. */
export class PublishedWriter implements PubWriter {
  readonly #out: FrameBuffer;

  constructor(out: FrameBuffer) {
    this.#out = out;
  }

  publish(message: OutgoingMessage, sequence: number): void {
    const { topicBytes, compression, timestampMicros, payload } = message;
    const out = this.#out;
    const { length } = payload;
    const room = length > out.copiesUpTo ? 0 : length;
    const offset = out.reserve(messageHeaderBytes + topicBytes.length + room);
    const { bytes, view } = out;
    setMessageHeader(bytes, view, offset, topicBytes, compression, timestampMicros, length);
    setSequence(view, offset, topicBytes.length, sequence);
    if (room === 0) out.append(payload);
    else copyInto(bytes, offset + messageHeaderBytes + topicBytes.length, payload);
  }

  newBatch(): MessageBatch {
    return new EncodedBatch();
  }

  publishBatch(batch: MessageBatch, sequence: number): void {
    // Made by newBatch() of this class: whoever mixes protocols keeps their batches apart.
    const encoded = (batch as EncodedBatch).numberedFrom(sequence);
    const offset = this.#out.reserve(encoded.length);
    this.#out.bytes.set(encoded, offset);
  }

  mark(sequence: number): void {
    this.#extension(topicPrefix.mark, sequence);
  }

  subscribed(topic: string, sequence: number): void {
    this.#extension(topicPrefix.subscribed + topic, sequence);
  }

  denied(topic: string, sequence: number): void {
    this.#extension(topicPrefix.denied + topic, sequence);
  }

  bye(sequence: number): void {
    this.#extension(topicPrefix.bye, sequence);
  }

  #extension(topic: string, sequence: number): void {
    writeControl(this.#out, topic, 0, sequence);
  }
}

/** Writes subscriptions. */
export class SubscriptionWriter implements SubWriter {
  readonly #out: FrameBuffer;

  constructor(out: FrameBuffer) {
    this.#out = out;
  }

  extensions(): void {
    writeControl(this.#out, topicPrefix.extensions, 0, 0);
  }

  subscribe(topic: string, timestampMicros: number): void {
    writeControl(this.#out, topicPrefix.subscribe + topic, timestampMicros, 0);
  }

  unsubscribe(topic: string, timestampMicros: number): void {
    writeControl(this.#out, topicPrefix.unsubscribe + topic, timestampMicros, 0);
  }
}

/** A 0x03 frame without payload. */
function writeControl(
  out: FrameBuffer,
  topic: string,
  timestampMicros: number,
  sequence: number,
): void {
  const topicBytes = encodeText(topic);
  const offset = out.reserve(messageHeaderBytes + topicBytes.length);
  const { bytes, view } = out;
  setMessageHeader(bytes, view, offset, topicBytes, 0, timestampMicros, 0);
  setSequence(view, offset, topicBytes.length, sequence);
}
