import { gzip } from "@msg-ts/compression/gzip";
import { lz4 } from "@msg-ts/compression/lz4";
import { snappy } from "@msg-ts/compression/snappy";
import { zstd } from "@msg-ts/compression/zstd";
import type { Compressor } from "msg-ts";
import { Inproc, InprocHub, MsgError } from "msg-ts";
import { join } from "node:path";
import type { Network } from "../faults/network.ts";
import { transportOf } from "../faults/network.ts";
import type { Track } from "./lane.ts";

function installed(make: () => Compressor): Compressor[] {
  try {
    return [make()];
  } catch (error) {
    // zstd needs a package before Node.js 22.15, and all but gzip one that is optional.
    if (MsgError.is(error, "MSG_MISSING_PACKAGE")) return [];
    throw error;
  }
}

/** Every transport with every compressor that is there, and with none. */
export function allTracks(networks: readonly Network[]): Track[] {
  const compressors = [undefined, ...[gzip, zstd, snappy, lz4].flatMap((make) => installed(make))];
  return compressors.flatMap((compressor) => {
    const by = compressor === undefined ? "" : ` with ${compressor.name}`;
    const hub = new InprocHub();
    let places = 0;
    const inproc: Track = {
      name: `inproc${by}`,
      transport: () => new Inproc(hub),
      address: () => `place-${++places}`,
      compressor,
    };
    const real = networks.map((network): Track => {
      const isFile = network.transport === "ipc";
      return {
        name: `${network.transport}${by}`,
        transport: () => transportOf(network),
        address: () =>
          isFile ? join(network.folder, `${by.trim()}${++places}.sock`) : "127.0.0.1:0",
        compressor,
      };
    });
    return [...real, inproc];
  });
}
