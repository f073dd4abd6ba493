import type { WireContext } from "../../contracts/protocol.ts";
import { MsgError } from "../../errors.ts";
import { compressionMask } from "./header.ts";

/** What becomes of a payload that had to be decompressed: one of the two is called, once. */
export interface PayloadReceiver<Header> {
  onPlain(header: Header, payload: Uint8Array): void;
  onUnreadable(header: Header, error: MsgError): void;
}

/**
 * Undoes compression on the way in, and keeps the order of a connection while it does: when a
 * result comes later, the gate is held until it is there.
 */
export class PayloadReader<Header> {
  readonly #context: WireContext;
  readonly #receiver: PayloadReceiver<Header>;

  constructor(context: WireContext, receiver: PayloadReceiver<Header>) {
    this.#context = context;
    this.#receiver = receiver;
  }

  /** @param reservedBits - the flag bits that must be 0 in this kind of frame. */
  read(header: Header, flags: number, reservedBits: number, payload: Uint8Array): void {
    if ((flags & reservedBits) !== 0) {
      const text = `peer set reserved flag bits: flags 0x${flags.toString(16).padStart(2, "0")}`;
      this.#receiver.onUnreadable(header, new MsgError("MSG_UNKNOWN_COMPRESSION", text));
      return;
    }
    let plain: Uint8Array | Promise<Uint8Array>;
    try {
      plain = this.#context.decompress(flags & compressionMask, payload);
    } catch (error) {
      this.#receiver.onUnreadable(header, unreadable(error));
      return;
    }
    if (plain instanceof Uint8Array) this.#receiver.onPlain(header, plain);
    else void this.#readLater(header, plain);
  }

  async #readLater(header: Header, later: Promise<Uint8Array>): Promise<void> {
    this.#context.gate.hold();
    let result: Uint8Array | MsgError;
    try {
      result = await later;
    } catch (error) {
      result = unreadable(error);
    }
    try {
      if (result instanceof Uint8Array) this.#receiver.onPlain(header, result);
      else this.#receiver.onUnreadable(header, result);
    } catch (error) {
      this.#context.fail(error);
    } finally {
      this.#context.gate.release();
    }
  }
}

function unreadable(error: unknown): MsgError {
  return MsgError.from(error, "MSG_DECOMPRESS_FAILED", "payload could not be decompressed");
}
