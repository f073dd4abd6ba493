import type { Compressor } from "@msg-ts/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytes, hex, joinBytes } from "./hex.ts";
import { seededRandom } from "./simulated-runtime.ts";
import { waitFor } from "./wait-for.ts";

/** A compressor, and what is particular about it. */
export interface CompressorSuite {
  readonly name: string;
  /** Its number on the wire. */
  readonly id: number;
  create(): Compressor;
  /** What other programs made of `plain`, as hex. */
  readonly golden: readonly { readonly plain: Uint8Array; readonly compressed: string }[];
  /** Few bytes that decompress to 1 GiB. */
  bomb(): Uint8Array;
  /** Whether a damaged payload is always noticed. */
  readonly hasChecksum: boolean;
}

const mebibyte = 1024 * 1024;
const noLimit = 64 * mebibyte;

/** Around every size at which an implementation may change its ways. */
const lengths = [
  1, 2, 15, 16, 17, 100, 255, 256, 257, 1_000, 4_095, 4_096, 8_191, 8_192, 16_383, 16_384, 65_535,
  65_536, 65_537, 1_000_000,
];

/** Text that compresses well, as much as is asked for. */
export function compressibleBytes(length: number): Uint8Array {
  let text = "";
  for (let id = 0; text.length < length; id++) {
    text += `{"id":${id},"symbol":"S${(id * 7919) % 97}","price":${(id * 31_337) % 100_000}}\n`;
  }
  return new Uint8Array(Buffer.from(text.slice(0, length)));
}

/** Bytes that do not compress at all, the same for the same seed. */
export function incompressibleBytes(length: number, seed = 1): Uint8Array {
  const random = seededRandom(seed);
  return Uint8Array.from({ length }, () => Math.floor(random() * 256));
}

/** Compares large results without making a report of them. */
function isSame(actual: Uint8Array, expected: Uint8Array): boolean {
  return Buffer.compare(actual, expected) === 0;
}

/** The same bytes as a view in the middle of other memory. */
function amidOthers(part: Uint8Array): Uint8Array {
  const memory = joinBytes([Uint8Array.of(1, 2, 3), part, Uint8Array.of(4, 5)]);
  return memory.subarray(3, 3 + part.length);
}

/** Memory outside the heap: where results are. */
function usedBytes(): number {
  const { external, arrayBuffers } = process.memoryUsage();
  return Math.max(external, arrayBuffers);
}

/** The promise form of a call that gives or throws at once, or later. */
async function later(call: () => Uint8Array | Promise<Uint8Array>): Promise<Uint8Array> {
  return call();
}

/** What a call came to: its result, or the code of its error. */
async function outcomeOf(call: () => Uint8Array | Promise<Uint8Array>): Promise<string> {
  try {
    return hex(await call());
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}

/** Holds a compressor to every promise of `contracts/compressor.ts`. */
export function testCompressor(suite: CompressorSuite): void {
  describe(`${suite.name} keeps the contract of a compressor`, () => {
    it(`has the id ${suite.id} and its name`, () => {
      expect(suite.create()).toMatchObject({ id: suite.id, name: suite.name });
    });
    describeRoundTrips(suite);
    describeLimit(suite);
    describeDamage(suite);
    describeBomb(suite);
  });
}

function describeRoundTrips(suite: CompressorSuite): void {
  for (const length of lengths) {
    it(`gives ${length} bytes back, whether they compress or not`, async () => {
      const compressor = suite.create();
      for (const plain of [compressibleBytes(length), incompressibleBytes(length)]) {
        const compressed = await compressor.compress(plain);
        expect(isSame(await compressor.decompress(compressed, length), plain)).toBe(true);
      }
    });
  }

  it("gives any bytes back", async () => {
    const compressor = suite.create();
    const property = fc.asyncProperty(
      fc.uint8Array({ minLength: 1, maxLength: 3000 }),
      async (plain) => {
        const compressed = await compressor.compress(plain);
        expect(isSame(await compressor.decompress(compressed, plain.length), plain)).toBe(true);
      },
    );
    await fc.assert(property, { seed: 20_261_120 });
  });

  it("makes text smaller", async () => {
    for (const length of [1_000, 100_000]) {
      const compressed = await suite.create().compress(compressibleBytes(length));
      expect(compressed.length).toBeLessThan(length / 2);
    }
  });

  for (const { plain, compressed } of suite.golden) {
    it(`reads ${compressed}, which another program made`, async () => {
      expect(isSame(await suite.create().decompress(bytes(compressed), plain.length), plain)).toBe(
        true,
      );
    });
  }

  it("changes neither what it compresses nor what it decompresses", async () => {
    const compressor = suite.create();
    for (const length of [100, 100_000]) {
      const plain = compressibleBytes(length);
      const compressed = await compressor.compress(plain);
      expect(isSame(plain, compressibleBytes(length))).toBe(true);
      const before = new Uint8Array(compressed);
      await compressor.decompress(compressed, length);
      expect(isSame(compressed, before)).toBe(true);
    }
  });

  it("takes views in the middle of other memory", async () => {
    const compressor = suite.create();
    for (const length of [100, 100_000]) {
      const plain = compressibleBytes(length);
      const compressed = await compressor.compress(amidOthers(plain));
      expect(isSame(await compressor.decompress(amidOthers(compressed), length), plain)).toBe(true);
    }
  });

  it("keeps many at once apart", async () => {
    const compressor = suite.create();
    const plains = Array.from({ length: 40 }, (_, i) => incompressibleBytes(1 + i * 997, i));
    const compressed = await Promise.all(
      plains.map((plain) => later(() => compressor.compress(plain))),
    );
    const again = await Promise.all(
      compressed.map((payload) => later(() => compressor.decompress(payload, noLimit))),
    );
    again.forEach((result, i) => expect(isSame(result, plains[i] ?? new Uint8Array(0))).toBe(true));
  });

  it("gives results that do not keep much more memory alive than their own", async () => {
    const compressor = suite.create();
    for (const length of lengths) {
      const compressed = await compressor.compress(compressibleBytes(length));
      const plain = await compressor.decompress(compressed, noLimit);
      for (const result of [compressed, plain]) {
        expect(result.buffer.byteLength).toBeLessThanOrEqual(Math.max(16_384, 2 * result.length));
      }
    }
  });
}

function describeLimit(suite: CompressorSuite): void {
  for (const length of [1, 100, 65_535, 65_536, 1_000_000]) {
    it(`gives ${length} bytes when that is the limit, and refuses them when it is one less`, async () => {
      const compressor = suite.create();
      const compressed = await compressor.compress(compressibleBytes(length));
      expect((await compressor.decompress(compressed, length)).length).toBe(length);
      await expect(
        later(() => compressor.decompress(compressed, length - 1)),
      ).rejects.toMatchObject({
        code: "MSG_PAYLOAD_TOO_LARGE",
        message: expect.stringContaining(String(length - 1)),
      });
    });
  }
}

function describeDamage(suite: CompressorSuite): void {
  for (const length of [20, 70_000]) {
    it(`refuses ${length} bytes cut short, with the cause`, async () => {
      const compressor = suite.create();
      const compressed = await compressor.compress(compressibleBytes(length));
      const step = Math.ceil(compressed.length / 200);
      for (let end = 0; end < compressed.length; end += step) {
        const cut = compressed.subarray(0, end);
        await expect(later(() => compressor.decompress(cut, noLimit))).rejects.toMatchObject({
          code: "MSG_DECOMPRESS_FAILED",
          cause: expect.any(Error),
        });
      }
    });
  }

  it("refuses bytes that are none of its own, and never with another error", async () => {
    const compressor = suite.create();
    const property = fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (payload) => {
      const outcome = await outcomeOf(() => compressor.decompress(payload, 1000));
      expect(outcome).toMatch(/^(?:[0-9a-f]{0,2000}|MSG_DECOMPRESS_FAILED|MSG_PAYLOAD_TOO_LARGE)$/);
    });
    await fc.assert(property, { seed: 20_261_120, numRuns: 300 });
  });

  it("refuses a damaged payload, or gives at most the limit", async () => {
    const compressor = suite.create();
    const plain = compressibleBytes(200);
    const compressed = await compressor.compress(plain);
    const outcomes = new Set<string>();
    for (let at = 0; at < compressed.length; at++) {
      for (const flipped of [0x01, 0x80, 0xff]) {
        const damaged = new Uint8Array(compressed);
        damaged[at] = (damaged[at] ?? 0) ^ flipped;
        outcomes.add(await outcomeOf(() => compressor.decompress(damaged, 1000)));
      }
    }
    const allowed = /^(?:[0-9a-f]{0,2000}|MSG_DECOMPRESS_FAILED|MSG_PAYLOAD_TOO_LARGE)$/;
    expect([...outcomes].filter((outcome) => !allowed.test(outcome))).toEqual([]);
    // What is damaged where it does not matter, such as a time in a header, gives the same bytes.
    const others = [...outcomes].filter((outcome) => /^[0-9a-f]*$/.test(outcome));
    const isWrong = others.some((outcome) => outcome !== hex(plain));
    expect(isWrong && suite.hasChecksum).toBe(false);
  });
}

function describeBomb(suite: CompressorSuite): void {
  it("refuses 1 GiB in under 100 ms of work, whoever else works on the machine", async () => {
    const compressor = suite.create();
    const bomb = suite.bomb();
    const before = process.cpuUsage();
    await expect(later(() => compressor.decompress(bomb, mebibyte))).rejects.toMatchObject({
      code: "MSG_PAYLOAD_TOO_LARGE",
    });
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(100);
  });

  it("takes less than twice the limit of memory for 1 GiB", async () => {
    const compressor = suite.create();
    const bomb = suite.bomb();
    const limit = 32 * mebibyte;
    const before = usedBytes();
    const residentBefore = process.resourceUsage().maxRSS;
    let peak = before;
    let isOver = false;
    const refused = outcomeOf(() => compressor.decompress(bomb, limit)).finally(() => {
      isOver = true;
    });
    const watch = (): boolean => {
      peak = Math.max(peak, usedBytes());
      return isOver;
    };
    await waitFor(watch, { what: "the bomb is refused" });
    expect(await refused).toBe("MSG_PAYLOAD_TOO_LARGE");
    expect(peak - before).toBeLessThan(2 * limit);
    const residentBytes = (process.resourceUsage().maxRSS - residentBefore) * 1024;
    expect(residentBytes).toBeLessThan(2 * limit);
  });
}
