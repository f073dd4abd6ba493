import { copyInto, partsOf } from "@msg-ts/core/building";
import type { MessageBatch, OutgoingMessage, PubSink, PubWriter, Wire } from "@msg-ts/core";
import { frameFlag, headerBytesOf, setFrameHeader } from "../wire/frame.ts";
import type { FrameWriter } from "../wire/frame-writer.ts";
import { byteText } from "./byte-text.ts";
import { EncodedBatch } from "./encoded-batch.ts";
import type { SubscriptionChange } from "./subscriptions.ts";
import { changeOfCommand, changeOfMessage } from "./subscriptions.ts";
import type { WireParts } from "./wire-parts.ts";
import { openReader } from "./wire-parts.ts";

/** PUB (RFC 29): a message is its topic and its payload, a part each. */
export function openPub(parts: WireParts, sink: PubSink): Wire<"PUB"> {
  const onChange = ({ isSubscribe, prefix }: SubscriptionChange): void => {
    if (isSubscribe) sink.onSubscribePrefix(byteText(prefix));
    else sink.onUnsubscribePrefix(byteText(prefix));
  };
  const decoder = openReader(parts, {
    onMessage: (first, all) => {
      const change = changeOfMessage(first, all);
      if (change === undefined) sink.onIgnored();
      else onChange(change);
    },
    onCommand: (command) => {
      const change = changeOfCommand(command);
      if (change !== undefined) onChange(change);
      return change !== undefined;
    },
  });
  return { decoder, writer: new MessageWriter(parts.writer) };
}

/** Writes messages. They have no numbers here, so one batch is the same bytes for all subscribers. */
class MessageWriter implements PubWriter {
  readonly #writer: FrameWriter;

  constructor(writer: FrameWriter) {
    this.#writer = writer;
  }

  publish({ topicBytes, payload }: OutgoingMessage): void {
    const writer = this.#writer;
    const { out } = writer;
    const { length } = payload;
    if (!writer.isPlain || length > out.copiesUpTo || partsOf(payload) !== undefined) {
      writer.part(topicBytes, true);
      writer.payload(payload);
      return;
    }
    const topicHeader = headerBytesOf(topicBytes.length);
    const room = topicHeader + topicBytes.length + headerBytesOf(length) + length;
    const offset = out.reserve(room);
    const topic = setFrameHeader(out.view, offset, frameFlag.more, topicBytes.length);
    copyInto(out.bytes, topic, topicBytes);
    const body = setFrameHeader(out.view, topic + topicBytes.length, 0, length);
    copyInto(out.bytes, body, payload);
  }

  newBatch(): MessageBatch {
    return new EncodedBatch();
  }

  publishBatch(batch: MessageBatch): void {
    if (!this.#writer.isPlain) {
      for (const message of batch.messages) this.publish(message);
      return;
    }
    // Made by newBatch() of this class: whoever mixes protocols keeps their batches apart.
    const { encoded } = batch as EncodedBatch;
    const { out } = this.#writer;
    const offset = out.reserve(encoded.length);
    out.bytes.set(encoded, offset);
  }

  // A subscriber over ZMTP knows none of these; it is not told.
  mark(): void {}
  subscribed(): void {}
  bye(): void {}
}
