import type { Compressor } from "@msg-ts/core";
import { addonZstd } from "../src/zstd-addon.ts";
import { builtinZstd, hasBuiltinZstd } from "../src/zstd-builtin.ts";
import { zstdWith } from "../src/zstd-compressor.ts";
import type { ZstdOptions } from "../src/zstd.ts";

/** One implementation of zstd, for tests that hold for all of them. */
export interface NamedBackend {
  readonly name: string;
  /** Whether this Node does not have it. */
  readonly isAbsent: boolean;
  readonly create: (options?: ZstdOptions) => Compressor;
}

export const builtin: NamedBackend = {
  name: "zstd of node:zlib",
  isAbsent: !hasBuiltinZstd(),
  create: (options = {}) => zstdWith(builtinZstd, options),
};

export const addon: NamedBackend = {
  name: "zstd of @mongodb-js/zstd",
  isAbsent: false,
  create: (options = {}) => zstdWith(addonZstd, options),
};

export const backends: readonly NamedBackend[] = [builtin, addon];
