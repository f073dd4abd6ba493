import { copyOf, decodeText } from "../bytes.ts";
import type { PeerInfo } from "../contracts/authenticator.ts";

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

  /** @internal */
  constructor(payload: Uint8Array, peer: PeerInfo) {
    this.payload = payload;
    // Right when there is no codec; with one, setValue() comes before anybody sees the message.
    this.value = payload as T;
    this.peer = peer;
  }

  /** @internal Gives it a payload of its own, before anybody sees it. */
  detach(): void {
    const copy = copyOf(this.payload);
    (this as { payload: Uint8Array }).payload = copy;
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
   * @throws SyntaxError when it is not JSON.
   */
  json(): unknown {
    return JSON.parse(this.text());
  }
}
