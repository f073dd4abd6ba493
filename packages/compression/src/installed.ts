import type { Decompressor } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import { gzip } from "./gzip.ts";
import { lz4 } from "./lz4.ts";
import { snappy } from "./snappy.ts";
import { zstd } from "./zstd.ts";

/**
 * Makes a decompressor for each algorithm of this package, whether what it needs is installed or not.
 *
 * A native package is loaded by the first payload that needs it. One that cannot be loaded is not
 * looked for again: every payload of its algorithm fails with `MSG_UNKNOWN_COMPRESSION`, which names
 * the package and has the `MSG_MISSING_PACKAGE` as its cause.
 */
export function installedDecompressors(): readonly Decompressor[] {
  return [
    gzip(),
    loadedWhenNeeded(2, "zstd", zstd),
    loadedWhenNeeded(3, "snappy", snappy),
    loadedWhenNeeded(4, "lz4", lz4),
  ];
}

function loadedWhenNeeded(id: number, name: string, create: () => Decompressor): Decompressor {
  let found: Decompressor | MsgError | undefined;
  return {
    id,
    name,
    decompress: (payload, maxBytes) => {
      found ??= createdOrError(name, create);
      if (!(found instanceof MsgError)) return found.decompress(payload, maxBytes);
      const text = `payload is compressed with ${name}, and ${found.message}`;
      throw new MsgError("MSG_UNKNOWN_COMPRESSION", text, { cause: found });
    },
  };
}

function createdOrError(name: string, create: () => Decompressor): Decompressor | MsgError {
  try {
    return create();
  } catch (error) {
    return MsgError.from(error, "MSG_MISSING_PACKAGE", `${name} does not load`);
  }
}
