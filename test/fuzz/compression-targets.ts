import { gzip } from "@msg-ts/compression/gzip";
import { lz4 } from "@msg-ts/compression/lz4";
import { snappy } from "@msg-ts/compression/snappy";
import { bytes, joinBytes } from "@msg-ts/testing";
import {
  littleEndian32,
  lz4Bomb,
  snappyBomb,
  varint,
} from "../../packages/compression/test/block-bombs.ts";
import { gzipBomb } from "../../packages/compression/test/gzip-bomb.ts";
import { backends } from "../../packages/compression/test/zstd-backends.ts";
import {
  compressedBlock,
  fullBlock,
  overlongBlock,
  rawBlock,
  rleBlock,
  windows,
  zstdFrame,
} from "../../packages/compression/test/zstd-frames.ts";
import type { Target } from "./case.ts";
import { compressionTarget } from "./compression-target.ts";
import { gzipGolden, lz4Golden, snappyGolden, zstdGolden } from "./golden.ts";
import { fixedInteger, lyingLength, overwritten } from "./mutations.ts";
import type { Random } from "./random.ts";
import { slowGzip } from "./slow-deflate.ts";

const mebibyte = 1024 * 1024;

const gzipTarget = compressionTarget({
  name: "gzip",
  create: (options) => gzip(options),
  writers: () => [0, 1, 6, 9].map((level) => gzip({ level })),
  golden: gzipGolden,
  bombs: async () => [
    await gzipBomb(2, "00000000 00002000"),
    await gzipBomb(63, "00000000 01000000"),
    await gzipBomb(200, "00000000 ffffffff"),
    slowGzip(30_000),
    slowGzip(mebibyte),
  ],
  editLength: (payload, random) => {
    const at = Math.max(0, payload.length - random.pick([4, 8]));
    return overwritten(payload, at, littleEndian32(lyingLength(random, payload.length)));
  },
});

const snappyTarget = compressionTarget({
  name: "snappy",
  isInPlace: true,
  create: (options) => snappy(options),
  golden: snappyGolden,
  bombs: async () => [
    snappyBomb(2 * mebibyte + 1),
    snappyBomb(2 * mebibyte + 1, 1000),
    snappyBomb(8 * mebibyte + 1),
    snappyBomb(65, 2 ** 32 - 1),
  ],
  editLength: (payload, random) => {
    const field = varint(lyingLength(random, payload.length));
    return overwritten(payload, 0, field);
  },
});

const lz4Target = compressionTarget({
  name: "lz4",
  isInPlace: true,
  create: (options) => lz4(options),
  golden: lz4Golden,
  bombs: async () => [
    lz4Bomb(25 + 255 * 8_000),
    lz4Bomb(25 + 255 * 8_000, 1000),
    lz4Bomb(25 + 255 * 60_000),
    lz4Bomb(25 + 255 * 263_000),
    lz4Bomb(25, 2 ** 32 - 1),
  ],
  editLength: editLz4Length,
});

/** The announced length, or a length inside the block: those grow by bytes of ff. */
function editLz4Length(payload: Uint8Array, random: Random): Uint8Array {
  if (random.oneIn(2)) {
    return overwritten(payload, 0, littleEndian32(lyingLength(random, payload.length)));
  }
  const run = new Uint8Array(1 + random.small(2_000)).fill(0xff);
  return overwritten(payload, 4 + random.small(payload.length), run);
}

const zstdTargets = backends.map(({ name, isAbsent, create }) =>
  compressionTarget({
    name,
    isAbsent,
    create,
    // All implementations share one format: other levels are among what others wrote.
    golden: zstdGolden,
    bombs: async () => zstdBombs,
    editLength: editZstdLength,
  }),
);

const zeros = rleBlock(fullBlock);
const hiddenZeros = compressedBlock(fullBlock);
const nothing = rawBlock(new Uint8Array(0));

const zstdBombs: readonly Uint8Array[] = [
  zstdFrame({ announces: 4 * 1024 * mebibyte, blocks: [hiddenZeros] }),
  zstdFrame({ window: windows.mib2, blocks: repeated(hiddenZeros, 16) }),
  zstdFrame({ window: windows.mib2, blocks: repeated(hiddenZeros, 504) }),
  zstdFrame({ window: windows.mib2, blocks: repeated(hiddenZeros, 10_000) }),
  zstdFrame({ window: windows.mib128, blocks: repeated(zeros, 504) }),
  zstdFrame({ window: windows.mib2, announces: 1_000, blocks: repeated(hiddenZeros, 504) }),
  zstdFrame({
    window: windows.mib2,
    blocks: [...repeated(compressedBlock(1), 1_000), ...repeated(hiddenZeros, 504)],
  }),
  zstdFrame({ window: windows.mib2, blocks: repeated(nothing, mebibyte / 3) }),
  zstdFrame({ window: windows.mib2, blocks: [overlongBlock(32_768)] }),
  joinBytes(repeated(zstdFrame({ window: windows.mib2, blocks: repeated(hiddenZeros, 8) }), 100)),
  joinBytes(repeated(zstdFrame({ announces: 5, blocks: [compressedBlock(5)] }), 10_000)),
  // Skippable frames of no bytes.
  joinBytes(repeated(bytes("502a4d18 00000000"), mebibyte / 8)),
];

function repeated(part: Uint8Array, times: number): Uint8Array[] {
  return Array.from({ length: Math.floor(times) }, () => part);
}

/** The fields of the frame's header, or something that is taken for the header of a block. */
function editZstdLength(payload: Uint8Array, random: Random): Uint8Array {
  const value = lyingLength(random, payload.length);
  if (random.oneIn(2)) {
    return overwritten(
      payload,
      4 + random.below(10),
      fixedInteger(value, random.pick([1, 2, 4, 8]), true),
    );
  }
  const kind = random.below(8);
  const header = fixedInteger(((value % 2 ** 20) << 3) | kind, 3, true);
  return overwritten(payload, 5 + random.small(payload.length), header);
}

/** Everything that undoes compression. */
export const compressionTargets: readonly Target[] = [
  gzipTarget,
  ...zstdTargets,
  snappyTarget,
  lz4Target,
];
