import type { FrameBuffer, FrameDecoder } from "../../contracts/protocol.ts";
import { MsgError } from "../../errors.ts";
import { frameKind, helloRefusal } from "./header.ts";

/**
 * Stands before the decoder of a REP or PUB. Their dialers say no HELLO; one that does is of the
 * wrong type, and is told so instead of seeing an unexplained end. Only the first byte counts: what
 * lies behind a frame is no HELLO, however the stream is cut.
 */
export class HelloRefusal implements FrameDecoder {
  readonly #out: FrameBuffer;
  readonly #inner: FrameDecoder;
  #isFirstByte = true;

  constructor(out: FrameBuffer, inner: FrameDecoder) {
    this.#out = out;
    this.#inner = inner;
  }

  get neededBytes(): number {
    return this.#inner.neededBytes;
  }

  decode(bytes: Uint8Array, start: number, end: number): number {
    if (this.#isFirstByte && start < end && bytes[start] === frameKind.hello) {
      this.#out.append(new Uint8Array([frameKind.hello, 0, helloRefusal.socketType]));
      throw new MsgError(
        "MSG_WRONG_SOCKET_TYPE",
        "peer said HELLO: its type does not pair with this",
      );
    }
    if (start < end) this.#isFirstByte = false;
    return this.#inner.decode(bytes, start, end);
  }
}
