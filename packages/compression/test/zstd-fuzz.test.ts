import {
  compressibleBytes,
  hex,
  incompressibleBytes,
  joinBytes,
  seededRandom,
} from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import { zstdFrames } from "../src/zstd-frame.ts";
import { backends } from "./zstd-backends.ts";
import { compressedBlock, rawBlock, rleBlock, windows, zstdFrame } from "./zstd-frames.ts";

const limit = 100_000;

type Random = (below: number) => number;

function randomOf(seed: number): Random {
  const next = seededRandom(seed);
  return (below) => Math.floor(next() * below);
}

const sources = [
  compressibleBytes,
  incompressibleBytes,
  (length: number) => new Uint8Array(length),
];

/** Whole payloads of all forms that the format has, to be damaged. */
async function wholePayloads(): Promise<readonly Uint8Array[]> {
  const payloads: Uint8Array[] = [];
  for (const { isAbsent, create } of backends) {
    if (isAbsent) continue;
    for (const source of sources) {
      for (const length of [0, 1, 20, 300, 3_000, 99_999]) {
        payloads.push(await create().compress(source(length)));
      }
    }
  }
  const { mib2: window } = windows;
  const blocks = [rawBlock(incompressibleBytes(9)), rleBlock(9), compressedBlock(9), rleBlock(0)];
  const skipped = Uint8Array.of(0x55, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 1, 2);
  const silent = zstdFrame({ window, blocks });
  payloads.push(
    silent,
    zstdFrame({ announces: 27, blocks }),
    zstdFrame({ window, announces: 27, blocks: blocks.toReversed() }),
    joinBytes([skipped, silent, skipped, silent]),
    zstdFrame({ window, blocks: Array.from({ length: 30 }, () => compressedBlock(9_000)) }),
  );
  return payloads;
}

/** Damages a payload in one of the ways that find the most. It may come out whole. */
function damaged(payload: Uint8Array, random: Random): Uint8Array {
  const copy = new Uint8Array(payload);
  // The headers are where all that is checked before decompression is.
  const at = random(random(2) === 0 ? Math.min(20, copy.length) : copy.length);
  switch (random(7)) {
    case 0:
      copy[at] = random(256);
      return copy;
    case 1:
      copy[at] = (copy[at] ?? 0) ^ (1 << random(8));
      return copy;
    case 2:
      return copy.subarray(0, at);
    case 3:
      return joinBytes([copy.subarray(0, at), copy.subarray(random(copy.length + 1))]);
    case 4:
      return joinBytes([copy, incompressibleBytes(1 + random(12), random(2 ** 31))]);
    case 5:
      return copy.fill(random(256), at, at + random(8));
    default:
      return joinBytes([copy.subarray(0, 6), incompressibleBytes(random(40), random(2 ** 31))]);
  }
}

describe("reading the headers of zstd frames", () => {
  it("comes to whole frames or a plain error on 100,000 damaged payloads", async () => {
    const payloads = await wholePayloads();
    const random = randomOf(20_261_120);
    let accepted = 0;
    for (let round = 0; round < 100_000; round++) {
      const payload = damaged(payloads[random(payloads.length)] ?? new Uint8Array(0), random);
      accepted += isAccepted(payload) ? 1 : 0;
    }
    expect(accepted).toBeGreaterThan(1_000);
    expect(accepted).toBeLessThan(99_000);
  });
});

/** Throws what names the payload if the frames make no sense or the error is none of ours. */
function isAccepted(payload: Uint8Array): boolean {
  try {
    let behind = 0;
    for (const frame of zstdFrames(payload)) {
      const { start, end, blocks, announcedBytes } = frame;
      const isInOrder = behind <= start && start < blocks.start && blocks.end <= end;
      const isPossible = blocks.minBytes <= blocks.maxBytes && blocks.isComplete;
      const content = announcedBytes ?? blocks.minBytes;
      const isHonest = blocks.minBytes <= content && content <= blocks.maxBytes;
      if (!isInOrder || !isPossible || !isHonest) throw new TypeError(JSON.stringify(frame));
      behind = end;
    }
    if (behind > payload.length) throw new TypeError(`frames end at ${behind}`);
    return true;
  } catch (error) {
    if (error instanceof Error && error.constructor === Error) return false;
    throw new Error(`wrong outcome for ${hex(payload)}`, { cause: error });
  }
}

describe("all that reads zstd", () => {
  const rounds = 5_000;

  it(`gives the same bytes or a coded error for ${rounds} damaged payloads`, async () => {
    const present = backends.filter(({ isAbsent }) => !isAbsent);
    const compressors = [0, Infinity].flatMap((minAsyncBytes) =>
      present.map(({ create }) => create({ minAsyncBytes })),
    );
    const payloads = await wholePayloads();
    const random = randomOf(20_261_121);
    const outcomes = { bytes: 0, MSG_DECOMPRESS_FAILED: 0, MSG_PAYLOAD_TOO_LARGE: 0 };
    for (let round = 0; round < rounds; round++) {
      const payload = damaged(payloads[random(payloads.length)] ?? new Uint8Array(0), random);
      const results = new Set<string>();
      for (const compressor of compressors) {
        const call = async () => compressor.decompress(payload, limit);
        const [outcome, result] = await outcomeOf(call, payload);
        outcomes[outcome]++;
        if (result !== undefined) results.add(result);
      }
      // Versions of libzstd differ in what they refuse, but not in what they read.
      if (results.size > 1) throw new Error(`different results for ${hex(payload)}`);
    }
    expect(Math.min(...Object.values(outcomes))).toBeGreaterThan(50);
  }, 120_000);
});

async function outcomeOf(
  call: () => Promise<Uint8Array>,
  payload: Uint8Array,
): Promise<readonly ["bytes" | "MSG_DECOMPRESS_FAILED" | "MSG_PAYLOAD_TOO_LARGE", string?]> {
  try {
    const result = await call();
    if (result.length <= limit) return ["bytes", hex(result)];
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "MSG_DECOMPRESS_FAILED" || code === "MSG_PAYLOAD_TOO_LARGE") return [code];
    throw new Error(`wrong error for ${hex(payload)}`, { cause: error });
  }
  throw new Error(`over the limit for ${hex(payload)}`);
}
