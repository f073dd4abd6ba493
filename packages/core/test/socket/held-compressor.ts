import type { Compressor } from "@msg-ts/core";
import { HeldDecompressor } from "../wire/held-decompressor.ts";

/** Id 5, both ways: compressing waits too, in calls of its own. */
export class HeldCompressor extends HeldDecompressor implements Compressor {
  /** Takes what {@link compress} was given, and waits in the same way. */
  readonly compressing: HeldDecompressor = new HeldDecompressor();

  compress(payload: Uint8Array): Promise<Uint8Array> {
    return this.compressing.decompress(payload, Infinity);
  }
}
