import {
  allocate,
  batchBytes,
  copyInto,
  maxBatchedPayloadBytes,
  partsOf,
  viewOf,
} from "@msg-ts/core/building";
import type { MessageBatch, OutgoingMessage } from "@msg-ts/core";
import { frameFlag, headerBytesOf, setFrameHeader } from "../wire/frame.ts";

/** Messages as they go to several subscribers, the same bytes for each. */
export class EncodedBatch implements MessageBatch {
  readonly messages: OutgoingMessage[] = [];
  bytes = 0;
  readonly #memory: Uint8Array = allocate(batchBytes);
  readonly #view: DataView = new DataView(
    this.#memory.buffer,
    this.#memory.byteOffset,
    this.#memory.byteLength,
  );

  add(message: OutgoingMessage): boolean {
    const { topicBytes, payload } = message;
    const topicLength = topicBytes.length;
    const { length } = payload;
    const end =
      this.bytes + headerBytesOf(topicLength) + topicLength + headerBytesOf(length) + length;
    if (length > maxBatchedPayloadBytes || end > batchBytes || partsOf(payload) !== undefined)
      return false;
    const topic = setFrameHeader(this.#view, this.bytes, frameFlag.more, topicLength);
    copyInto(this.#memory, topic, topicBytes);
    const body = setFrameHeader(this.#view, topic + topicLength, 0, length);
    copyInto(this.#memory, body, payload);
    this.messages.push(message);
    this.bytes = end;
    return true;
  }

  clear(): void {
    this.messages.length = this.bytes = 0;
  }

  /** All of it; valid until the next call. */
  get encoded(): Uint8Array {
    return viewOf(this.#memory, 0, this.bytes);
  }
}
