import { lz4 } from "@msg-ts/compression/lz4";
import { snappy } from "@msg-ts/compression/snappy";
import {
  compressibleBytes,
  hex,
  incompressibleBytes,
  joinBytes,
  seededRandom,
} from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import { littleEndian32, varint } from "./block-bombs.ts";
import { referenceLz4, referenceSnappy } from "./reference-blocks.ts";

const rounds = 5_000;
const limit = 100_000;

/** Ways to damage a payload. Each gives another one; none changes the one it is given. */
function mutations(
  random: (below: number) => number,
): readonly ((payload: Uint8Array) => Uint8Array)[] {
  const flipped = (payload: Uint8Array): Uint8Array => {
    const copy = new Uint8Array(payload);
    const at = random(copy.length);
    copy[at] = (copy[at] ?? 0) ^ (1 << random(8));
    return copy;
  };
  return [
    flipped,
    (payload) => flipped(flipped(flipped(payload))),
    (payload) => payload.subarray(0, random(payload.length)),
    (payload) => payload.subarray(random(payload.length)),
    (payload) => {
      const copy = new Uint8Array(payload);
      return copy.fill(random(256), random(copy.length), random(copy.length + 1));
    },
    (payload) => {
      const [start, end] = [random(payload.length), random(payload.length)];
      return joinBytes([payload.subarray(0, end), payload.subarray(start)]);
    },
    (payload) => joinBytes([payload, incompressibleBytes(1 + random(20), random(1_000_000))]),
    (payload) => joinBytes([littleEndian32(random(2 * limit)), payload.subarray(4)]),
    (payload) => joinBytes([varint(random(2 * limit)), payload.subarray(2)]),
    () => incompressibleBytes(random(100), random(1_000_000)),
  ];
}

const sources = [
  compressibleBytes,
  incompressibleBytes,
  (length: number) => new Uint8Array(length),
];

const algorithms = [
  { create: snappy, reference: referenceSnappy },
  { create: lz4, reference: referenceLz4 },
];

for (const { create, reference } of algorithms) {
  const { name } = create();
  describe(`${name}, given ${rounds} damaged payloads`, () => {
    for (const minAsyncBytes of [0, Infinity]) {
      const where = minAsyncBytes === 0 ? "on threads" : "in place";
      it(`gives what they stand for or a coded error, ${where}`, { timeout: 60_000 }, async () => {
        const compressor = create({ minAsyncBytes });
        const next = seededRandom(20_261_120 + (minAsyncBytes === 0 ? 0 : 1));
        const random = (below: number): number => Math.floor(next() * below);
        const ways = mutations(random);
        const outcomes = { right: 0, refused: 0, tooLarge: 0 };
        for (let round = 0; round < rounds; round++) {
          const source = sources[random(sources.length)] ?? compressibleBytes;
          const payload = await compressor.compress(
            source(1 + random(random(2) === 0 ? 64 : 4_000)),
          );
          const damaged = ways[random(ways.length)]?.(payload) ?? payload;
          outcomes[await outcomeOf(damaged)]++;
        }
        expect(Math.min(...Object.values(outcomes))).toBeGreaterThan(100);

        async function outcomeOf(damaged: Uint8Array): Promise<keyof typeof outcomes> {
          try {
            const result = await compressor.decompress(damaged, limit);
            const isRight = Buffer.compare(result, reference(damaged)) === 0;
            if (isRight && result.length <= limit) return "right";
          } catch (error) {
            const code = error instanceof Error && "code" in error ? error.code : undefined;
            if (code === "MSG_DECOMPRESS_FAILED") return "refused";
            if (code === "MSG_PAYLOAD_TOO_LARGE") return "tooLarge";
            throw new Error(`wrong error for ${hex(damaged)}`, { cause: error });
          }
          throw new Error(`wrong bytes for ${hex(damaged)}`);
        }
      });
    }
  });
}
