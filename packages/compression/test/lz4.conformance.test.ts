import { lz4 } from "@msg-ts/compression/lz4";
import { testCompressor } from "@msg-ts/testing";
import { lz4Bomb } from "./block-bombs.ts";

const bomb = lz4Bomb(25 + 255 * 4_210_752);

testCompressor({
  name: "lz4",
  id: 4,
  create: () => lz4(),
  golden: [
    { plain: Buffer.from("hello"), compressed: "050000005068656c6c6f" },
    { plain: Buffer.alloc(40, "a"), compressed: "280000001f6101000e60616161616161" },
  ],
  bomb: () => bomb,
  hasChecksum: false,
});
