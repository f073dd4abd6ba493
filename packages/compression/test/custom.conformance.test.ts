import { deflateRawSync, inflateRaw, inflateRawSync } from "node:zlib";
import { promisify } from "node:util";
import { custom } from "@msg-ts/compression/custom";
import { testCompressor } from "@msg-ts/testing";
import { gzipBomb } from "./gzip-bomb.ts";

/** The same as deflate alone: without the header of ten bytes and the trailer of eight. */
const bomb = (await gzipBomb(1024, "00000000 00000000")).subarray(10, -8);

const inflateLater = promisify(inflateRaw);

testCompressor({
  name: "deflate",
  id: 5,
  create: () =>
    custom({
      id: 5,
      name: "deflate",
      compress: (payload) => deflateRawSync(payload),
      decompress: (payload, maxBytes) => {
        const settings = { maxOutputLength: Math.max(1, maxBytes), chunkSize: 64 * 1024 };
        return payload.length < 1_000
          ? inflateRawSync(payload, settings)
          : inflateLater(payload, settings);
      },
    }),
  golden: [{ plain: Buffer.from("hi"), compressed: "cbc80400" }],
  bomb: () => bomb,
  hasChecksum: false,
});
