import { copyOf, decodeText } from "../bytes.ts";
import type { PeerInfo } from "../contracts/authenticator.ts";
import { bytesOfParts } from "./receive-queue.ts";

/**
 * Something received.
 *
 * The payload is a view on memory that may hold its neighbours too: copy what is kept for long.
 *
 * @typeParam T - what the codec of the socket makes of the payload.
 */
export class Message<T = Uint8Array> {
  /** The bytes; a `Buffer` under Node. */
  readonly payload: Uint8Array;
  /** What the codec made of the payload; without a codec the payload itself. */
  readonly value: T;
  /** Who sent it. */
  readonly peer: PeerInfo;
  /** @internal All of a message that came in several. */
  multipart: readonly Uint8Array[] | undefined;

  /** @internal */
  constructor(payload: Uint8Array, peer: PeerInfo) {
    this.payload = payload;
    // Right when there is no codec; with one, setValue() comes before anybody sees the message.
    this.value = payload as T;
    this.peer = peer;
    this.multipart = undefined;
  }

  /** What it came in: one payload as a rule; over a wire with multipart messages perhaps several. */
  get parts(): readonly Uint8Array[] {
    return this.multipart ?? [this.payload];
  }

  /** @internal What all of it takes. */
  get byteLength(): number {
    return this.multipart === undefined ? this.payload.length : bytesOfParts(this.multipart);
  }

  /** @internal Gives it a payload of its own, before anybody sees it. */
  detach(): void {
    const copy = copyOf(this.payload);
    (this as { payload: Uint8Array }).payload = copy;
    this.multipart = this.multipart?.map((part) => copyOf(part));
    this.setValue(copy as T);
  }

  /** @internal */
  setValue(value: T): void {
    (this as { value: T }).value = value;
  }

  /** The payload as UTF-8; invalid bytes become U+FFFD. */
  text(): string {
    return decodeText(this.payload);
  }

  /**
   * The payload as JSON.
   *
   * @throws SyntaxError when it is not JSON; it does not quote the payload, as that of `JSON.parse`
   *   does.
   */
  json(): unknown {
    try {
      return JSON.parse(this.text());
    } catch {
      throw new SyntaxError(`payload of ${this.payload.length} bytes is not JSON`);
    }
  }
}
