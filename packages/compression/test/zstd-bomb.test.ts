import { joinBytes, waitFor } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import { backends } from "./zstd-backends.ts";
import {
  compressedBlock,
  fullBlock,
  overlongBlock,
  rawBlock,
  rleBlock,
  windows,
  zstdFrame,
} from "./zstd-frames.ts";

const mebibyte = 1024 * 1024;
const gibibyte = 1024 * mebibyte;
const limit = 32 * mebibyte;

/**
 * The result up to the limit, and a window that is as wide and filled beside it; then a block, and
 * what else grows in a process meanwhile. Most take half of it.
 */
const allowedBytes = 2.25 * limit;

function times<T>(count: number, value: T): T[] {
  return Array.from({ length: count }, () => value);
}

const run = rleBlock(fullBlock);
const hidden = compressedBlock(fullBlock);
const window = windows.mib2;
const in4Gib = (4 * gibibyte) / fullBlock;

const bombs: readonly { readonly what: string; readonly payload: Uint8Array }[] = [
  {
    what: "one block and a claim of 4 GiB",
    payload: zstdFrame({ announces: 4 * gibibyte, blocks: [hidden] }),
  },
  {
    what: "1 KB of runs and a claim of 4 GiB",
    payload: zstdFrame({ window, announces: 4 * gibibyte, blocks: times(250, run) }),
  },
  {
    what: "1 KB of runs that make as much as possible",
    payload: zstdFrame({ window, blocks: times(257, run) }),
  },
  {
    what: "runs that make 4 GiB",
    payload: zstdFrame({ window, blocks: times(in4Gib, run) }),
  },
  {
    what: "blocks that make 4 GiB",
    payload: zstdFrame({ window, blocks: times(in4Gib, hidden) }),
  },
  {
    what: "blocks that make 4 GiB, as announced",
    payload: zstdFrame({ window, announces: 4 * gibibyte, blocks: times(in4Gib, hidden) }),
  },
  {
    what: "blocks that make 4 GiB and a claim of 100 bytes",
    payload: zstdFrame({ window, announces: 100, blocks: times(in4Gib, hidden) }),
  },
  {
    what: "blocks that make 4 GiB and a claim of the limit",
    payload: zstdFrame({ window, announces: limit, blocks: times(in4Gib, hidden) }),
  },
  {
    what: "blocks that make 4 GiB, in small pieces at first",
    payload: zstdFrame({
      window,
      blocks: [...times(1_000, compressedBlock(1)), ...times(in4Gib, hidden)],
    }),
  },
  {
    what: "many frames that make 4 GiB together",
    payload: joinBytes(times(64, zstdFrame({ window, blocks: times(512, hidden) }))),
  },
  {
    what: "more frames than anyone needs",
    payload: joinBytes(times(10_000, zstdFrame({ announces: 5, blocks: [compressedBlock(5)] }))),
  },
  {
    what: "blocks that make 4 GiB in a window of 128 MiB",
    payload: zstdFrame({ window: windows.mib128, blocks: times(in4Gib, hidden) }),
  },
  {
    what: "more blocks than anyone needs",
    payload: zstdFrame({ window, blocks: times(500_000, rleBlock(0)) }),
  },
  {
    what: "a block of 2 GiB in a window of 128 MiB",
    payload: zstdFrame({
      window: windows.mib128,
      blocks: [rawBlock(Uint8Array.of(1)), overlongBlock(32_768)],
    }),
  },
  {
    what: "a block over the length of a run",
    payload: zstdFrame({ window, blocks: [rleBlock(2 ** 21 - 1)] }),
  },
];

/** What a decompression comes to: the code of its error. */
async function outcomeOf(call: () => Uint8Array | Promise<Uint8Array>): Promise<unknown> {
  try {
    return `${(await call()).length} bytes`;
  } catch (error) {
    return error instanceof Error && "code" in error ? error.code : error;
  }
}

/** Runs until it is over, and gives by how much memory outside the heap grew at most. */
async function growthDuring(work: Promise<unknown>): Promise<number> {
  const before = process.memoryUsage();
  let growth = 0;
  let isOver = false;
  const watch = (): boolean => {
    const { arrayBuffers, rss } = process.memoryUsage();
    growth = Math.max(growth, arrayBuffers - before.arrayBuffers, rss - before.rss);
    return isOver;
  };
  await Promise.all([
    work.finally(() => {
      isOver = true;
    }),
    waitFor(watch, { what: "the bomb is refused" }),
  ]);
  return growth;
}

const refused = expect.stringMatching(/^MSG_(?:DECOMPRESS_FAILED|PAYLOAD_TOO_LARGE)$/);

for (const { name, isAbsent, create } of backends) {
  describe.skipIf(isAbsent)(`${name} refuses`, () => {
    for (const { what, payload } of bombs) {
      it(`${what}, in under 100 ms of work`, async () => {
        const compressor = create();
        const before = process.cpuUsage();
        expect(await outcomeOf(() => compressor.decompress(payload, mebibyte))).toEqual(refused);
        const { user, system } = process.cpuUsage(before);
        expect((user + system) / 1000).toBeLessThan(100);
      });

      it(`${what}, and takes twice the limit of memory at most`, async () => {
        const outcome = outcomeOf(() => create().decompress(payload, limit));
        expect(await growthDuring(outcome)).toBeLessThan(allowedBytes);
        expect(await outcome).toEqual(refused);
      });
    }
  });
}
