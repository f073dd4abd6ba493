import { batchBytes, maxBatchedPayloadBytes } from "../../batch-limits.ts";
import { allocate, copyInto, viewAt } from "../../bytes.ts";
import type { MessageBatch, OutgoingMessage } from "../../contracts/protocol.ts";
import { frameKind, messageHeaderBytes, topicStartBytes } from "./header.ts";

const twoTo32 = 2 ** 32;

/** Writes a 0x03 frame but its number and payload. */
export function setMessageHeader(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  topic: Uint8Array,
  flags: number,
  timestampMicros: number,
  payloadBytes: number,
): void {
  const { length } = topic;
  view.setUint8(offset, frameKind.message);
  view.setUint8(offset + 1, flags);
  view.setUint16(offset + 2, length);
  copyInto(bytes, offset + topicStartBytes, topic);
  const timeOffset = offset + topicStartBytes + length;
  const high = Math.floor(timestampMicros / twoTo32);
  view.setUint32(timeOffset, high);
  // Exact, and without the call that a remainder of large numbers is.
  view.setUint32(timeOffset + 4, timestampMicros - high * twoTo32);
  view.setUint32(timeOffset + 12, payloadBytes);
}

/** Writes the number of the frame at `offset`. */
export function setSequence(
  view: DataView,
  offset: number,
  topicBytes: number,
  sequence: number,
): void {
  view.setUint32(offset + topicStartBytes + topicBytes + 8, sequence);
}

/**
 * Frames as they go to several subscribers, but for their numbers, which are each subscriber's own:
 * to most of them it is one copy for all messages of a tick (bench scenario: pub-sub-64).
 */
export class EncodedBatch implements MessageBatch {
  readonly messages: OutgoingMessage[] = [];
  bytes = 0;
  readonly #memory: Uint8Array = allocate(batchBytes);
  readonly #view: DataView = new DataView(
    this.#memory.buffer,
    this.#memory.byteOffset,
    this.#memory.byteLength,
  );
  /** Where the frames begin. */
  readonly #offsets: number[] = [];
  /** The first number that is written in them; `undefined` while some have none. */
  #firstSequence: number | undefined;
  /** All frames, while nothing was added to them. */
  #encoded: Uint8Array | undefined;

  add(message: OutgoingMessage): boolean {
    const { topicBytes, compression, timestampMicros, payload } = message;
    const offset = this.bytes;
    const payloadOffset = offset + messageHeaderBytes + topicBytes.length;
    const end = payloadOffset + payload.length;
    if (payload.length > maxBatchedPayloadBytes || end > batchBytes) return false;
    setMessageHeader(
      this.#memory,
      this.#view,
      offset,
      topicBytes,
      compression,
      timestampMicros,
      payload.length,
    );
    copyInto(this.#memory, payloadOffset, payload);
    this.messages.push(message);
    this.#offsets.push(offset);
    this.bytes = end;
    this.#firstSequence = this.#encoded = undefined;
    return true;
  }

  clear(): void {
    this.messages.length = this.#offsets.length = this.bytes = 0;
    this.#firstSequence = this.#encoded = undefined;
  }

  /** All frames, numbered; valid until the next call. */
  numberedFrom(sequence: number): Uint8Array {
    const { byteOffset, buffer } = this.#memory;
    this.#encoded ??= viewAt(buffer, byteOffset, this.bytes);
    if (this.#firstSequence !== sequence) {
      this.#firstSequence = sequence;
      for (let i = 0; i < this.messages.length; i++) {
        const topicBytes = (this.messages[i] as OutgoingMessage).topicBytes.length;
        setSequence(this.#view, this.#offsets[i] as number, topicBytes, sequence + i);
      }
    }
    return this.#encoded;
  }
}
