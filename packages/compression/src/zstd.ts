import type { Compressor } from "@msg-ts/core";
import type { AsyncOptions } from "./options.ts";
import { addonZstd } from "./zstd-addon.ts";
import { builtinZstd, hasBuiltinZstd } from "./zstd-builtin.ts";
import { zstdWith } from "./zstd-compressor.ts";

/** How {@link zstd} works. */
export interface ZstdOptions extends AsyncOptions {
  /**
   * How hard to compress: 1 is fastest, 22 is smallest. Receivers need not know it. From 10 on a
   * payload takes ten times as long and more, for a few percent. Versions 1 of `@mongodb-js/zstd`
   * also take 200 to 700 MiB of memory for each payload from 20 on.
   *
   * @defaultValue 3
   */
  readonly level?: number | undefined;
}

/**
 * Makes the compressor `zstd`, id 2: RFC 8878, frames without a dictionary.
 *
 * Works with the zstd of Node's own zlib, which Node has since 22.15 and 23.8; with earlier ones it
 * needs the package `@mongodb-js/zstd`, which always works off the main thread: `minAsyncBytes` has
 * no effect there.
 *
 * Writes one frame without a checksum. Reads frames in a row, at most 100, and skips skippable
 * ones.
 *
 * @throws MsgError `MSG_INVALID_OPTION`, naming the option and its limits; `MSG_MISSING_PACKAGE`
 *   when this Node needs the package and it is not installed.
 */
export function zstd(options: ZstdOptions = {}): Compressor {
  return zstdWith(hasBuiltinZstd() ? builtinZstd : addonZstd, options);
}
