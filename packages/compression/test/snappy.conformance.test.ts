import { snappy } from "@msg-ts/compression/snappy";
import { testCompressor } from "@msg-ts/testing";
import { snappyBomb } from "./block-bombs.ts";

const bomb = snappyBomb(1024 ** 3 + 1);

testCompressor({
  name: "snappy",
  id: 3,
  create: () => snappy(),
  golden: [
    { plain: Buffer.from("hello"), compressed: "051068656c6c6f" },
    { plain: Buffer.alloc(40, "a"), compressed: "2800619a0100" },
  ],
  bomb: () => bomb,
  hasChecksum: false,
});
