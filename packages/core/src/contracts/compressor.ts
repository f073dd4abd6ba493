/**
 * Undoes one compression algorithm.
 *
 * A plain value, so that anyone can bring one: ids 5 and 6 are free for applications
 * (docs/wire-protocol.md, "Compression").
 */
export interface Decompressor {
  /** The algorithm's number on the wire, 1 to 6. */
  readonly id: number;
  /** The algorithm's name, for people. */
  readonly name: string;

  /**
   * Gives the plain bytes, at once or (large ones) later. Never changes `payload`. May be called
   * again before it gave them: up to 64 times for each connection.
   *
   * The result never exceeds `maxBytes`, and that is checked before the memory is taken: by what
   * the data announces or by bounded output.
   *
   * @throws MsgError `MSG_PAYLOAD_TOO_LARGE` when it would, `MSG_DECOMPRESS_FAILED` for bad or
   *   truncated data; or the promise rejects so.
   */
  decompress(payload: Uint8Array, maxBytes: number): Uint8Array | Promise<Uint8Array>;
}

/** One compression algorithm, both ways. */
export interface Compressor extends Decompressor {
  /**
   * Gives the compressed bytes, at once or (large ones) later. Until then `payload` must not
   * change; it never changes it itself.
   *
   * @throws MsgError `MSG_COMPRESS_FAILED`, or the promise rejects so.
   */
  compress(payload: Uint8Array): Uint8Array | Promise<Uint8Array>;
}
