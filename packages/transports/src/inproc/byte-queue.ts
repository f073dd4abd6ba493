const noBytes = new Uint8Array(0);

/** Chunks on their way, in order, not copied. */
export class ByteQueue {
  #chunks: Uint8Array[] = [];
  /** Index of the first chunk that is left. */
  #head = 0;
  /** How much of the first chunk is taken. */
  #offset = 0;
  /** Bytes that are left. */
  length = 0;

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.length += chunk.length;
  }

  /** The next bytes, at most `maxBytes` and never over the end of a chunk; a view, not a copy. */
  take(maxBytes: number): Uint8Array {
    const chunk = this.#chunks[this.#head];
    if (chunk === undefined) return noBytes;
    const end = Math.min(chunk.length, this.#offset + maxBytes);
    const isWhole = this.#offset === 0 && end === chunk.length;
    const taken = isWhole ? chunk : chunk.subarray(this.#offset, end);
    this.#offset = end;
    this.length -= taken.length;
    if (end === chunk.length) this.#drop();
    return taken;
  }

  clear(): void {
    this.#chunks = [];
    this.#head = this.#offset = this.length = 0;
  }

  #drop(): void {
    this.#head += 1;
    this.#offset = 0;
    if (this.length === 0) this.clear();
    // What was taken is let go now and then: shifting at each would move all the others.
    else if (this.#head === 256) {
      this.#chunks.splice(0, this.#head);
      this.#head = 0;
    }
  }
}
