import { testCompressor } from "@msg-ts/testing";
import { describe } from "vitest";
import { backends } from "./zstd-backends.ts";
import { compressedBlock, fullBlock, windows, zstdFrame } from "./zstd-frames.ts";

const gibibyte = 1024 ** 3;
const blocks = Array.from({ length: gibibyte / fullBlock }, () => compressedBlock(fullBlock));
// No header in it says how much it makes.
const bomb = zstdFrame({ window: windows.mib2, blocks });

for (const { name, isAbsent, create } of backends) {
  describe.skipIf(isAbsent)(`${name}, as a compressor`, () => {
    testCompressor({
      name: "zstd",
      id: 2,
      create: () => create(),
      golden: [
        { plain: Buffer.from("hello"), compressed: "28b52ffd005829000068656c6c6f" },
        { plain: Buffer.alloc(40, "a"), compressed: "28b52ffd005845000010616101001f8005" },
      ],
      bomb: () => bomb,
      hasChecksum: false,
    });
  });
}
