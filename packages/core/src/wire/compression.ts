import type { Compressor, Decompressor } from "../contracts/compressor.ts";
import { MsgError } from "../errors.ts";

/** A payload as it goes on the wire. */
export interface WirePayload {
  /** 0 when it is plain. */
  readonly compression: number;
  readonly bytes: Uint8Array;
}

/**
 * The one rule of when to compress, and what undoes which id.
 *
 * A payload is compressed when a compressor is set and it has at least `minCompressBytes`; it is
 * sent plain all the same when the result is not smaller.
 */
export class Compression {
  readonly #compressor: Compressor | undefined;
  readonly #minCompressBytes: number;
  readonly #decompressors: readonly Decompressor[];

  constructor(
    compressor: Compressor | undefined,
    minCompressBytes: number,
    decompressors: readonly Decompressor[],
  ) {
    this.#compressor = compressor;
    this.#minCompressBytes = minCompressBytes;
    // Its own compressor goes before what is given for the same id.
    this.#decompressors = compressor === undefined ? decompressors : [compressor, ...decompressors];
  }

  /** Whether {@link compress} would touch a payload of this length. */
  applies(length: number): boolean {
    return this.#compressor !== undefined && length >= this.#minCompressBytes && length > 0;
  }

  /**
   * Gives the payload in its wire form, at once or later.
   *
   * @throws MsgError `MSG_COMPRESS_FAILED`; or the promise rejects so.
   */
  compress(payload: Uint8Array): WirePayload | Promise<WirePayload> {
    const compressor = this.#compressor;
    if (compressor === undefined || !this.applies(payload.length)) {
      return { compression: 0, bytes: payload };
    }
    const smallest = (bytes: Uint8Array): WirePayload =>
      bytes.length < payload.length
        ? { compression: compressor.id, bytes }
        : { compression: 0, bytes: payload };
    try {
      const result = compressor.compress(payload);
      if (result instanceof Uint8Array) return smallest(result);
      return result.then(smallest, (error: unknown) => {
        throw compressFailed(error, compressor);
      });
    } catch (error) {
      throw compressFailed(error, compressor);
    }
  }

  /**
   * Undoes compression `id`, bounded by `maxBytes`.
   *
   * @throws MsgError `MSG_UNKNOWN_COMPRESSION`, `MSG_DECOMPRESS_FAILED`, `MSG_PAYLOAD_TOO_LARGE`;
   *   or the promise rejects so.
   */
  decompress(id: number, payload: Uint8Array, maxBytes: number): Uint8Array | Promise<Uint8Array> {
    if (id === 0) return payload;
    const decompressor = this.#decompressors.find((known) => known.id === id);
    if (decompressor === undefined) {
      const text = `payload has compression id ${id}, decompressors has none for it`;
      throw new MsgError("MSG_UNKNOWN_COMPRESSION", text);
    }
    if (payload.length === 0) {
      throw new MsgError("MSG_DECOMPRESS_FAILED", `empty payload has compression id ${id}`);
    }
    return decompressor.decompress(payload, maxBytes);
  }
}

function compressFailed(error: unknown, compressor: Compressor): MsgError {
  return MsgError.from(error, "MSG_COMPRESS_FAILED", `${compressor.name} could not compress`);
}
