import { partsOf } from "@msg-ts/core/building";
import type { FrameBuffer } from "@msg-ts/core";
import { encodeCommand } from "./command.ts";
import { frameFlag, writeFrame } from "./frame.ts";

/** Seals and opens what goes over a connection once its handshake is done. */
export interface Cipher {
  /** The body of the frame that carries a part or a command. */
  seal(isMore: boolean, isCommand: boolean, body: Uint8Array): Uint8Array;
  /**
   * What a frame carries.
   *
   * @throws MsgError `MSG_PROTOCOL` when it was not sealed by the peer, for this place.
   */
  open(body: Uint8Array): Opened;
}

/** What was in a sealed frame. */
export interface Opened {
  readonly isMore: boolean;
  readonly isCommand: boolean;
  readonly body: Uint8Array;
}

/** Writes messages and commands, sealed where the connection is. */
export class FrameWriter {
  readonly out: FrameBuffer;
  readonly #cipher: Cipher | undefined;

  constructor(out: FrameBuffer, cipher: Cipher | undefined) {
    this.out = out;
    this.#cipher = cipher;
  }

  /** Whether a frame is the same bytes for every peer. */
  get isPlain(): boolean {
    return this.#cipher === undefined;
  }

  /** One part of a message. */
  part(body: Uint8Array, isMore: boolean): void {
    // RFC 26 calls these commands; libzmq takes them only as messages.
    if (this.#cipher !== undefined) writeFrame(this.out, 0, this.#cipher.seal(isMore, false, body));
    else writeFrame(this.out, isMore ? frameFlag.more : 0, body);
  }

  /** A payload as the rest of a message: a frame, or one for each of its parts. */
  payload(payload: Uint8Array): void {
    const parts = partsOf(payload);
    if (parts === undefined || parts.length === 0) this.part(payload, false);
    else this.parts(parts);
  }

  /** Parts as the rest of a message; at least one. */
  parts(parts: readonly Uint8Array[]): void {
    const last = parts.length - 1;
    for (let i = 0; i <= last; i++) this.part(parts[i] as Uint8Array, i < last);
  }

  command(name: string, data: Uint8Array): void {
    const body = encodeCommand(name, data);
    if (this.#cipher !== undefined) writeFrame(this.out, 0, this.#cipher.seal(false, true, body));
    else writeFrame(this.out, frameFlag.command, body);
  }
}
