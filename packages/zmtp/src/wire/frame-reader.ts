import { copyOf, viewAt } from "@msg-ts/core/building";
import type { FrameDecoder, WireContext } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import type { Command } from "./command.ts";
import { commandName, decodeCommand } from "./command.ts";
import { frameFlag } from "./frame.ts";
import type { Cipher } from "./frame-writer.ts";

/** The longest command: a subscription of 64 KiB. Nothing else comes near it. */
export const maxCommandBytes: number = 64 * 1024 + 16;

/** What sealing may add to a body. */
const sealBytes = 64;

/** Parts that wait for the rest of their message are copied up to here: a view would pin its slab. */
const copiedBytes = 64 * 1024;

const twoTo32 = 2 ** 32;

/** Where messages and commands go. */
export interface FrameReceiver {
  /** @param parts - all, when there are several; `first` is the first of them. */
  onMessage(first: Uint8Array, parts: readonly Uint8Array[] | undefined): void;
  /** Any but ERROR, which means nothing any more. */
  onCommand(command: Command): void;
}

/**
 * Reads the frames behind a handshake (RFC 37, "traffic").
 *
 * - Reserved bits, long lengths of short bodies and unknown commands are no errors.
 * - The limit of a message holds for all its parts together, and is checked before a part is stored.
 * - A message that is cut off by the end of its connection was never there.
 */
export class FrameReader implements FrameDecoder {
  neededBytes: number = 2;
  readonly #context: WireContext;
  readonly #receiver: FrameReceiver;
  readonly #cipher: Cipher | undefined;
  readonly #maxParts: number;
  /** Of a message that is not whole. */
  #parts: Uint8Array[] = [];
  #partsBytes = 0;
  /** How many of the parts are copies. */
  #kept = 0;

  constructor(
    receiver: FrameReceiver,
    context: WireContext,
    maxParts: number,
    cipher: Cipher | undefined,
  ) {
    this.#receiver = receiver;
    this.#context = context;
    this.#maxParts = maxParts;
    this.#cipher = cipher;
  }

  decode(bytes: Uint8Array, start: number, end: number): number {
    const { buffer, byteOffset } = bytes;
    const view = new DataView(buffer, byteOffset, bytes.byteLength);
    const { gate } = this.#context;
    let offset = start;
    this.neededBytes = 2;
    while (gate.isOpen && offset < end) {
      const here = end - offset;
      if (here < 2) break;
      const flags = view.getUint8(offset);
      let length = view.getUint8(offset + 1);
      let headerBytes = 2;
      if ((flags & frameFlag.long) !== 0) {
        headerBytes = this.neededBytes = 9;
        if (here < 9) break;
        length = view.getUint32(offset + 1) * twoTo32 + view.getUint32(offset + 5);
      }
      this.#checkLength(flags, length);
      const frameBytes = headerBytes + length;
      this.neededBytes = frameBytes;
      if (here < frameBytes) break;
      this.neededBytes = 2;
      this.#onFrame(flags, viewAt(buffer, byteOffset + offset + headerBytes, length));
      offset += frameBytes;
    }
    if (this.#kept < this.#parts.length) this.#keepParts();
    return offset;
  }

  #checkLength(flags: number, length: number): void {
    if ((flags & frameFlag.command) !== 0 && this.#cipher === undefined) {
      if (length <= maxCommandBytes) return;
      const text = `peer announced a command of ${length} bytes, the limit is ${maxCommandBytes}`;
      throw new MsgError("MSG_PAYLOAD_TOO_LARGE", text);
    }
    const added = this.#cipher === undefined ? 0 : Math.max(sealBytes, maxCommandBytes);
    this.#checkMessage(length - added);
  }

  #checkMessage(length: number): void {
    const { maxMessageBytes } = this.#context;
    const total = this.#partsBytes + length;
    if (total <= maxMessageBytes) return;
    const text = `peer announced a message of ${total} bytes, maxMessageBytes is ${maxMessageBytes}`;
    throw new MsgError("MSG_PAYLOAD_TOO_LARGE", text);
  }

  #onFrame(flags: number, body: Uint8Array): void {
    if (this.#cipher !== undefined) {
      this.#onSealed(flags, body, this.#cipher);
      return;
    }
    if ((flags & frameFlag.command) !== 0) this.#onCommand(body);
    else this.#onPart(body, (flags & frameFlag.more) !== 0);
  }

  #onSealed(flags: number, sealed: Uint8Array, cipher: Cipher): void {
    const isClear =
      (flags & frameFlag.command) !== 0 && decodeCommand(sealed).name !== commandName.message;
    // In clear text there is nothing but an ERROR, which comes too late.
    if (isClear) return;
    const { isMore, isCommand, body } = cipher.open(sealed);
    if (isCommand) this.#onCommand(body);
    else {
      this.#checkMessage(body.length);
      this.#onPart(body, isMore);
    }
  }

  #onCommand(body: Uint8Array): void {
    const command = decodeCommand(body);
    if (command.name !== commandName.error) this.#receiver.onCommand(command);
  }

  #onPart(body: Uint8Array, isMore: boolean): void {
    if (!isMore && this.#parts.length === 0) {
      this.#receiver.onMessage(body, undefined);
      return;
    }
    if (this.#parts.length >= this.#maxParts) {
      const text = `peer sent a message of more than ${this.#maxParts} parts (maxParts)`;
      throw new MsgError("MSG_PAYLOAD_TOO_LARGE", text);
    }
    this.#parts.push(body);
    this.#partsBytes += body.length;
    if (isMore) return;
    const parts = this.#parts;
    this.#parts = [];
    this.#partsBytes = this.#kept = 0;
    this.#receiver.onMessage(parts[0] as Uint8Array, parts);
  }

  /** What is read next may lie in the same memory. */
  #keepParts(): void {
    const parts = this.#parts;
    for (let i = this.#kept; i < parts.length; i++) {
      const part = parts[i] as Uint8Array;
      if (part.length <= copiedBytes || this.#context.gate.isLent) parts[i] = copyOf(part);
    }
    this.#kept = parts.length;
  }
}
