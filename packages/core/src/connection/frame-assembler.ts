import { allocate, copyOf, emptyBytes, viewOf } from "../bytes.ts";
import type { FrameDecoder } from "../contracts/protocol.ts";

/** A frame that arrives in pieces starts with at most this much memory. */
const firstPieceBytes = 64 * 1024;

/** Each further piece has this much times more. */
const growth = 4;

/**
 * Feeds chunks, cut anywhere, to a decoder that wants whole frames.
 *
 * - Whole frames are decoded where they lie; only one that spans chunks is copied together.
 * - Memory follows what has arrived, not what a header announces: at most four times it.
 * - No call copies much more than twice its chunk, however large the frame is.
 * - When the decoder stops early, the rest of the chunk is held until {@link resume}.
 */
export class FrameAssembler {
  readonly #decoder: FrameDecoder;
  /** The beginning of a frame that is not whole. */
  #partial: Uint8Array = emptyBytes;
  #partialBytes = 0;
  /** What is still to be copied to the front of `#partial`, from the smaller piece before it. */
  #former: Uint8Array = emptyBytes;
  #formerOffset = 0;
  /** Bytes behind a stop of the decoder. */
  #held: Uint8Array | undefined;

  constructor(decoder: FrameDecoder) {
    this.#decoder = decoder;
  }

  /** Bytes that wait for the decoder or for the rest of their frame. */
  get bufferedBytes(): number {
    return this.#partialBytes + (this.#held?.length ?? 0);
  }

  /**
   * Decodes what is whole.
   *
   * @param isLent - the chunk is valid only during this call.
   * @throws what the decoder throws.
   */
  push(chunk: Uint8Array, isLent: boolean): void {
    // Payloads are views. So bytes that are only lent are copied once, here, for all of them; and
    // so are those that fill little of their memory, which a payload that waits would pin whole.
    const isWasteful = chunk.length < chunk.buffer.byteLength / 4;
    const bytes = isLent || isWasteful ? copyOf(chunk) : chunk;
    if (this.#held === undefined) this.#decode(bytes);
    else this.#held = joined(this.#held, bytes);
  }

  /** Goes on behind the place where the decoder stopped. */
  resume(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.#decode(held);
    else if (this.#partialBytes > 0) this.#decode(emptyBytes);
  }

  #decode(bytes: Uint8Array): void {
    let start = 0;
    while (this.#partialBytes > 0) {
      const taken = this.#fill(bytes, start);
      start += taken;
      if (this.#partialBytes < this.#decoder.neededBytes) return;
      this.#moveFormer(Infinity);
      const used = this.#decoder.decode(this.#partial, 0, this.#partialBytes);
      if (used > 0) this.#dropPartial();
      // A header was completed: the frame's length is known now. Nothing used and nothing more
      // needed means that the gate closed.
      else if (this.#partialBytes >= this.#decoder.neededBytes) return this.#hold(bytes, start);
    }
    const end = bytes.length;
    const stop = start < end ? this.#decoder.decode(bytes, start, end) : end;
    if (stop === end) return;
    if (end - stop >= this.#decoder.neededBytes) this.#hold(bytes, stop);
    else this.#keep(bytes, stop);
  }

  /** Lets go of the memory too: whoever keeps the payload has it, an idle connection has not. */
  #dropPartial(): void {
    this.#partial = emptyBytes;
    this.#partialBytes = 0;
    this.#dropFormer();
  }

  #hold(bytes: Uint8Array, start: number): void {
    if (start < bytes.length) this.#held = viewOf(bytes, start, bytes.length - start);
  }

  /** Copies out the beginning of a frame, so that it does not pin its chunk. */
  #keep(bytes: Uint8Array, start: number): void {
    const length = bytes.length - start;
    this.#partial = allocate(this.#capacityFor(length));
    this.#partial.set(viewOf(bytes, start, length));
    this.#partialBytes = length;
  }

  /** Adds to the partial frame what it lacks, as far as there is any; gives how much. */
  #fill(bytes: Uint8Array, start: number): number {
    const wanted = this.#decoder.neededBytes - this.#partialBytes;
    const taken = Math.max(0, Math.min(wanted, bytes.length - start));
    if (taken === 0) return 0;
    const length = this.#partialBytes + taken;
    if (length > this.#partial.length) this.#grow(length);
    this.#partial.set(viewOf(bytes, start, taken), this.#partialBytes);
    this.#partialBytes = length;
    this.#moveFormer(taken);
    return taken;
  }

  #grow(length: number): void {
    this.#moveFormer(Infinity);
    this.#former = viewOf(this.#partial, 0, this.#partialBytes);
    this.#formerOffset = 0;
    this.#partial = allocate(this.#capacityFor(length));
  }

  /**
   * Copies as much as has just come. Three times as much as was there is still to come, so that this
   * ends long before the frame is whole.
   */
  #moveFormer(most: number): void {
    const left = this.#former.length - this.#formerOffset;
    if (left === 0) return;
    const count = Math.min(most, left);
    this.#partial.set(viewOf(this.#former, this.#formerOffset, count), this.#formerOffset);
    this.#formerOffset += count;
    if (count === left) this.#dropFormer();
  }

  #dropFormer(): void {
    this.#former = emptyBytes;
    this.#formerOffset = 0;
  }

  /** The smallest of a whole frame, a quarter of it, a sixteenth and so on that holds `length`. */
  #capacityFor(length: number): number {
    let capacity = this.#decoder.neededBytes;
    while (capacity > firstPieceBytes && capacity / growth >= length) {
      capacity = Math.ceil(capacity / growth);
    }
    return capacity;
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = allocate(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
