import type { Decompressor } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";

/**
 * Makes a decompressor for each algorithm of this package, whether what it needs is installed or not.
 *
 * An algorithm, and the native package it needs, is loaded by the first payload that needs it: most
 * programs receive none. A package that cannot be loaded is not looked for again: every payload of
 * its algorithm fails with `MSG_UNKNOWN_COMPRESSION`, which names the package and has the
 * `MSG_MISSING_PACKAGE` as its cause.
 */
export function installedDecompressors(): readonly Decompressor[] {
  return [
    loadedWhenNeeded(1, "gzip", async () => (await import("./gzip.ts")).gzip()),
    loadedWhenNeeded(2, "zstd", async () => (await import("./zstd.ts")).zstd()),
    loadedWhenNeeded(3, "snappy", async () => (await import("./snappy.ts")).snappy()),
    loadedWhenNeeded(4, "lz4", async () => (await import("./lz4.ts")).lz4()),
  ];
}

type Found = Decompressor | MsgError;

function loadedWhenNeeded(
  id: number,
  name: string,
  load: () => Promise<Decompressor>,
): Decompressor {
  let found: Found | undefined;
  let loading: Promise<Found> | undefined;
  const find = async (): Promise<Found> => {
    try {
      found = await load();
    } catch (error) {
      found = MsgError.from(error, "MSG_MISSING_PACKAGE", `${name} does not load`);
    }
    return found;
  };
  return {
    id,
    name,
    decompress(payload, maxBytes) {
      if (found !== undefined) return decompressed(found, name, payload, maxBytes);
      loading ??= find();
      return loading.then((later) => decompressed(later, name, payload, maxBytes));
    },
  };
}

function decompressed(
  found: Found,
  name: string,
  payload: Uint8Array,
  maxBytes: number,
): Uint8Array | Promise<Uint8Array> {
  if (!(found instanceof MsgError)) return found.decompress(payload, maxBytes);
  const text = `payload is compressed with ${name}, and ${found.message}`;
  throw new MsgError("MSG_UNKNOWN_COMPRESSION", text, { cause: found });
}
