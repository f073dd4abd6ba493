import type { FrameBuffer } from "../../src/contracts/protocol.ts";

/** The simplest buffer: one array that grows. Everything is copied. */
export class GrowingBuffer implements FrameBuffer {
  /** Small, so that tests reach both ways in which a payload is written. */
  readonly copiesUpTo: number = 32;
  bytes: Uint8Array = new Uint8Array(64);
  #length = 0;

  get view(): DataView {
    return new DataView(this.bytes.buffer);
  }

  /** What was written so far. */
  get written(): Uint8Array {
    return this.bytes.slice(0, this.#length);
  }

  reserve(length: number): number {
    const offset = this.#length;
    this.#length += length;
    if (this.#length > this.bytes.length) {
      const larger = new Uint8Array(this.#length * 2);
      larger.set(this.bytes);
      this.bytes = larger;
    }
    return offset;
  }

  append(payload: Uint8Array): void {
    const offset = this.reserve(payload.length);
    this.bytes.set(payload, offset);
  }
}
