import { decodeText } from "../bytes.ts";
import type { PeerInfo } from "../contracts/authenticator.ts";

/**
 * Something received.
 *
 * The payload is a view on memory that may hold its neighbours too: copy what is kept for long.
 */
export class Message {
  /** The bytes; a `Buffer` under Node. */
  readonly payload: Uint8Array;
  /** Who sent it. */
  readonly peer: PeerInfo;

  /** @internal */
  constructor(payload: Uint8Array, peer: PeerInfo) {
    this.payload = payload;
    this.peer = peer;
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
