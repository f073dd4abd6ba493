import { gzip } from "@msg-ts/compression/gzip";
import { testCompressor } from "@msg-ts/testing";
import { gzipBomb } from "./gzip-bomb.ts";

// 1 GiB is 40000000, little-endian.
const bomb = await gzipBomb(1024, "00000000 00000040");

testCompressor({
  name: "gzip",
  id: 1,
  create: () => gzip(),
  golden: [
    { plain: Buffer.from("hi"), compressed: "1f8b08000000000000ffcbc80400ac2a93d802000000" },
    { plain: Buffer.from("hi"), compressed: "1f8b0800000000000003cbc80400ac2a93d802000000" },
  ],
  bomb: () => bomb,
  hasChecksum: true,
});
