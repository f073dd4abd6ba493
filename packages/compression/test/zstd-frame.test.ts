import { bytes, joinBytes } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import { zstdBlocks, zstdFrames } from "../src/zstd-frame.ts";
import {
  compressedBlock,
  fullBlock,
  rawBlock,
  rleBlock,
  windows,
  zstdFrame,
} from "./zstd-frames.ts";

const hello = "28b52ffd 00 58 290000 68656c6c6f";
const text = rawBlock(Buffer.from("hello"));

/** The message of the error that reading the frames throws. */
function refusal(payload: Uint8Array): string {
  try {
    zstdFrames(payload);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return "none";
}

function oneBlock(block: Uint8Array, window: number): Uint8Array {
  return zstdFrame({ window, blocks: [block] });
}

/** What comes of a frame of this one block that announces so many bytes. */
function announcing(announces: number | bigint, block: Uint8Array): string {
  return refusal(zstdFrame({ window: windows.mib2, announces, blocks: [block] }));
}

describe("the frames of a zstd payload", () => {
  it("are known by their headers: window, size, checksum, and what their blocks come to", () => {
    expect(zstdFrames(bytes(hello))).toEqual([
      {
        start: 0,
        end: 14,
        hasChecksum: false,
        windowBytes: 2 ** 21,
        announcedBytes: undefined,
        blocks: { start: 6, lastAt: 6, end: 14, minBytes: 5, maxBytes: 5, isComplete: true },
      },
    ]);
    // With checksum, single segment, one byte of content size; one compressed block.
    const quick = "28b52ffd 24 28 dd0000 a874686520717569636b2062726f776e20666f782c20010031994c";
    expect(zstdFrames(bytes(`${quick} 157de44c`))).toEqual([
      {
        start: 0,
        end: 40,
        hasChecksum: true,
        windowBytes: 40,
        announcedBytes: 40,
        blocks: { start: 6, lastAt: 6, end: 36, minBytes: 0, maxBytes: 40, isComplete: true },
      },
    ]);
  });

  it("may announce their size in 1, 2, 4 or 8 bytes", () => {
    const sizes: readonly (readonly [header: string, size: number])[] = [
      ["20 05", 5],
      ["60 0500", 261],
      ["a0 05000000", 5],
      ["e0 0500000000000000", 5],
      ["40 58 0500", 261],
      ["80 58 05000000", 5],
      ["c0 58 0500000000000000", 5],
    ];
    for (const [header, size] of sizes) {
      // A run of `size` zeros that is the last block.
      const block = rleBlock(size);
      block[0] = (block[0] ?? 0) | 1;
      const [frame] = zstdFrames(joinBytes([bytes(`28b52ffd ${header}`), block]));
      expect(frame?.announcedBytes).toBe(size);
    }
  });

  it("have a window of 1 KiB and up, in eighths", () => {
    const lengths: readonly (readonly [field: string, windowBytes: number])[] = [
      ["00", 1024],
      ["01", 1152],
      ["07", 1920],
      ["08", 2048],
      ["58", 2 ** 21],
      ["5f", 2 ** 21 * 1.875],
      ["88", 2 ** 27],
    ];
    for (const [field, windowBytes] of lengths) {
      const [frame] = zstdFrames(bytes(`28b52ffd 00 ${field} 290000 68656c6c6f`));
      expect(frame?.windowBytes).toBe(windowBytes);
    }
  });

  it("are refused with a window over 128 MiB, naming both", () => {
    expect(refusal(bytes("28b52ffd 00 89 290000 68656c6c6f"))).toBe(
      "zstd frame needs a window of 150994944 bytes, at most 134217728",
    );
    expect(refusal(bytes("28b52ffd 00 ff 290000 68656c6c6f"))).toContain("window");
  });

  it("make what raw and run blocks say, and at most 128 KiB for each compressed one", () => {
    const blocks = [text, rleBlock(fullBlock), compressedBlock(3), compressedBlock(fullBlock)];
    const [frame] = zstdFrames(zstdFrame({ window: windows.mib2, blocks }));
    expect(frame?.blocks).toMatchObject({
      minBytes: 5 + fullBlock,
      maxBytes: 5 + 3 * fullBlock,
      isComplete: true,
    });
  });

  it("make at most their window for each compressed block when that is smaller", () => {
    const [frame] = zstdFrames(zstdFrame({ window: windows.kib1, blocks: [compressedBlock(3)] }));
    expect(frame?.blocks.maxBytes).toBe(1024);
  });

  it("may follow each other, with skippable ones before, between and behind", () => {
    const skipped = "502a4d18 03000000 616263";
    const frames = zstdFrames(bytes(`${skipped} ${hello} 5f2a4d18 00000000 ${hello} ${skipped}`));
    expect(frames.map(({ start, end }) => [start, end])).toEqual([
      [11, 25],
      [33, 47],
    ]);
    expect(zstdFrames(bytes(skipped))).toEqual([]);
  });

  it("are at most 100, skippable ones included", () => {
    for (const frame of [hello, "502a4d18 00000000"]) {
      const many = Array.from({ length: 101 }, () => bytes(frame));
      expect(refusal(joinBytes(many.slice(1)))).toBe("none");
      expect(refusal(joinBytes(many))).toBe("payload has over 100 zstd frames");
    }
  });

  it("have at most 65,536 blocks", () => {
    const blocks = Array.from({ length: 65_537 }, () => rleBlock(0));
    expect(refusal(zstdFrame({ window: windows.mib2, blocks: blocks.slice(1) }))).toBe("none");
    expect(refusal(zstdFrame({ window: windows.mib2, blocks }))).toBe(
      "zstd frame has over 65536 blocks",
    );
  });

  it("are refused wherever they are cut, a checksum included", () => {
    const withAll = joinBytes([
      bytes("28b52ffd 84 58 06000000 28 0000 68656c6c6f"),
      bytes("0b0000 61 01020304"),
    ]);
    expect(zstdFrames(withAll)[0]?.end).toBe(withAll.length);
    for (let end = 0; end < withAll.length; end++) {
      expect(refusal(withAll.subarray(0, end))).toBe("unexpected end of file");
    }
    expect(refusal(bytes("502a4d18 03000000 6162"))).toBe("unexpected end of file");
    expect(refusal(bytes("502a4d18 0300"))).toBe("unexpected end of file");
  });

  const refused: readonly { readonly what: string; payload: string; message: string }[] = [
    { what: "no bytes", payload: "", message: "unexpected end of file" },
    { what: "another magic", payload: "28b52ffe 00", message: "no zstd frame at offset 0" },
    { what: "an old magic", payload: "27b52ffd 00", message: "no zstd frame at offset 0" },
    { what: "bytes behind", payload: `${hello} 00000000`, message: "no zstd frame at offset 14" },
    { what: "a byte behind", payload: `${hello} 00`, message: "unexpected end of file" },
    { what: "a reserved bit", payload: "28b52ffd 08 58 290000", message: "reserved bit" },
    { what: "a block of the reserved kind", payload: "28b52ffd 00 58 070000", message: "kind" },
    { what: "a dictionary", payload: "28b52ffd 01 58 2a 010000", message: "dictionary 42" },
    { what: "one of 4 bytes", payload: "28b52ffd 03 58 2a000001 010000", message: "dictionary" },
  ];
  for (const { what, payload, message } of refused) {
    it(`are refused with ${what}`, () => {
      expect(refusal(bytes(payload))).toContain(message);
    });
  }

  it("may say that they need dictionary 0, which is none, and set the unused bit", () => {
    expect(zstdFrames(bytes("28b52ffd 01 58 00 290000 68656c6c6f")).length).toBe(1);
    expect(zstdFrames(bytes("28b52ffd 10 58 290000 68656c6c6f")).length).toBe(1);
  });

  it("are refused with a block over 128 KiB or over the window", () => {
    expect(refusal(oneBlock(rleBlock(fullBlock), windows.mib2))).toBe("none");
    expect(refusal(oneBlock(rleBlock(fullBlock + 1), windows.mib2))).toBe(
      "zstd block has 131073 bytes, at most 131072",
    );
    expect(refusal(oneBlock(rleBlock(1025), windows.kib1))).toContain("at most 1024");
    expect(refusal(oneBlock(rawBlock(new Uint8Array(1025)), windows.kib1))).toContain(
      "at most 1024",
    );
  });

  it("are refused when they announce what their blocks do not make", () => {
    expect(announcing(5, text)).toBe("none");
    expect(announcing(4, text)).toBe("zstd frame announces 4 bytes, its blocks make 5 to 5");
    expect(announcing(6, text)).toContain("announces 6 bytes");
    expect(announcing(fullBlock, compressedBlock(1))).toBe("none");
    expect(announcing(fullBlock + 1, compressedBlock(1))).toContain("make 0 to 131072");
    expect(announcing(2n ** 64n - 1n, rleBlock(fullBlock))).toContain("announces 1844674407370955");
  });
});

describe("the blocks of a zstd frame", () => {
  it("can be read up to a limit, and on from there", () => {
    const blocks = [compressedBlock(1), compressedBlock(2), text, compressedBlock(3)];
    const payload = zstdFrame({ window: windows.mib2, blocks });
    const first = zstdBlocks(payload, 6, 2 ** 21, 2 * fullBlock + 4);
    expect(first).toEqual({
      start: 6,
      lastAt: 14,
      end: 22,
      minBytes: 0,
      maxBytes: 2 * fullBlock,
      isComplete: false,
    });
    const rest = zstdBlocks(payload, first.end, 2 ** 21, fullBlock + 5);
    expect(rest).toMatchObject({ end: payload.length, minBytes: 5, isComplete: true });
  });
});
