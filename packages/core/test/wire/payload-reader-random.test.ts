import process from "node:process";
import type { NaiveFrame } from "@msg-ts/testing";
import { joinBytes, naiveEncode } from "@msg-ts/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Decompressor } from "../../src/contracts/compressor.ts";
import { maxDecompressions } from "../../src/wire/msg/payload-reader.ts";
import { pieceLengths } from "./arbitrary-frames.ts";
import { overLimit } from "./held-decompressor.ts";
import type { ReadingType } from "./reader-scene.ts";
import { frameFor, inShort, reading } from "./reader-scene.ts";

// MSG_SEED=<number> tries others; a failure prints its seed and the smallest case that fails.
const seed = Number(process.env["MSG_SEED"] ?? 20_261_120);
const runs = { seed, numRuns: Number(process.env["MSG_RUNS"] ?? 150) };

/** With the first all payloads are large as they come, with the second all are small. */
const limits = [1_000, 100_000];
const smallShare = 97;
const compressionId = 5;

/** What becomes of a payload; the first byte of one that is compressed. */
const ways = { atOnce: 0, later: 1, brokenAtOnce: 2, brokenLater: 3 } as const;
type Way = keyof typeof ways;

/** What is sent: a payload, plain or to be undone in some way, or a control frame. */
type Sent =
  | { readonly kind: "plain"; readonly bytes: number }
  | { readonly kind: "compressed"; readonly way: Way; readonly plainBytes: number }
  | { readonly kind: "control" };

/**
 * Id 5: does what the payload says, bounded as the contract demands, and takes down what it holds.
 *
 *   offset  size  field
 *   0       1     way     see `ways`
 *   1       3     length  of the plain bytes
 *   4       1     fill    what they are filled with
 */
class ObedientDecompressor implements Decompressor {
  readonly id = compressionId;
  readonly name: string = "obedient";
  /** Ends a call that is under way. */
  readonly pending: (() => void)[] = [];
  /** Results that nobody was told of yet. */
  readonly results: Set<Uint8Array> = new Set();
  /** The sum of the limits of those that are under way. */
  allowedBytes = 0;

  get heldBytes(): number {
    return [...this.results].reduce((sum, { length }) => sum + length, 0);
  }

  decompress(payload: Uint8Array, maxBytes: number): Uint8Array | Promise<Uint8Array> {
    const [way] = payload;
    if (way === ways.atOnce || way === ways.brokenAtOnce) return this.#result(payload, maxBytes);
    this.allowedBytes += maxBytes;
    return new Promise((resolve, reject) => {
      this.pending.push(() => {
        this.allowedBytes -= maxBytes;
        try {
          resolve(this.#result(payload, maxBytes));
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  #result(payload: Uint8Array, maxBytes: number): Uint8Array {
    const [way = 0, high = 0, middle = 0, low = 0, fill = 0] = payload;
    const length = (high * 256 + middle) * 256 + low;
    if (length > maxBytes) throw overLimit();
    if (way === ways.brokenAtOnce || way === ways.brokenLater) throw new Error("broken");
    const plain = new Uint8Array(length).fill(fill);
    this.results.add(plain);
    return plain;
  }
}

/** Around all that is a limit. */
function lengthsUpTo(max: number): fc.Arbitrary<number> {
  const quarter = max / 4;
  const edges = [smallShare, quarter, max].flatMap((edge) => [edge - 1, edge, edge + 1]);
  return fc.oneof(
    { weight: 5, arbitrary: fc.nat({ max: 40 }) },
    { weight: 3, arbitrary: fc.integer({ min: quarter * 0.8, max: quarter * 1.2 }) },
    { weight: 1, arbitrary: fc.constantFrom(0, max * 1.2, ...edges) },
  );
}

function sentUpTo(max: number): fc.Arbitrary<Sent> {
  const lengths = lengthsUpTo(max);
  return fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("plain" as const), bytes: lengths }) },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant("compressed" as const),
        way: fc.constantFrom<Way>(
          "atOnce",
          "later",
          "later",
          "later",
          "brokenAtOnce",
          "brokenLater",
        ),
        plainBytes: lengths,
      }),
    },
    { weight: 1, arbitrary: fc.constant<Sent>({ kind: "control" }) },
  );
}

/** The frame of `sent`, and how it is told. Only a SUB has control frames: others get a payload. */
function frameOf(
  type: ReadingType,
  one: Sent,
  number: number,
  maxMessageBytes: number,
): readonly [NaiveFrame, string] {
  if (one.kind === "control" && type === "SUB") {
    const mark = { type: "mark", sequence: number } as const;
    return [mark, inShort(mark)];
  }
  if (one.kind !== "compressed") {
    const bytes = one.kind === "plain" ? Math.min(one.bytes, maxMessageBytes) : 1;
    const plain = frameFor(type, number, new Uint8Array(bytes).fill(number));
    return [plain, inShort(plain)];
  }
  const { way, plainBytes } = one;
  const payload = Uint8Array.of(ways[way], plainBytes >> 16, plainBytes >> 8, plainBytes, number);
  const isReadable = plainBytes <= maxMessageBytes && (way === "atOnce" || way === "later");
  const plain = frameFor(type, number, new Uint8Array(plainBytes).fill(number));
  return [
    frameFor(type, number, payload, compressionId),
    isReadable ? inShort(plain) : `${number}!`,
  ];
}

/** Picks the step to do next, evenly and the same for the same `choices`. */
function picker(choices: readonly number[]): (count: number) => number {
  let next = 0;
  return (count) => (choices.length === 0 ? 0 : (choices[next++ % choices.length] ?? 0) % count);
}

const cases = (["SUB", "PULL", "REP"] as const).flatMap((type) =>
  limits.map((maxMessageBytes) => ({ type, maxMessageBytes })),
);

for (const { type, maxMessageBytes } of cases) {
  describe(`a mix of payloads for a ${type} with ${maxMessageBytes} bytes, seed ${seed}`, () => {
    const isLarge = maxMessageBytes === limits[0];
    const most = isLarge ? 4 : maxDecompressions;
    it(`is told in its order, never over ${most} at once nor over twice the limit`, async () => {
      const choices = fc.array(fc.nat({ max: 1_000 }), { minLength: 1, maxLength: 40 });
      const property = fc.asyncProperty(
        fc.array(sentUpTo(maxMessageBytes), { maxLength: isLarge ? 30 : 90 }),
        choices,
        pieceLengths,
        async (list, steps, pieces) => {
          const pairs = list.map((one, number) => frameOf(type, one, number, maxMessageBytes));
          const decompressor = new ObedientDecompressor();
          let piece = 0;
          const pieceBytes = (): number => pieces[piece++ % pieces.length] ?? Infinity;
          const scene = await reading(type, [decompressor], { maxMessageBytes }, pieceBytes);
          const { connection, end, peer, runtime } = scene;
          const check = (): void => {
            for (const payload of end.recording.payloads) decompressor.results.delete(payload);
            const { pending, heldBytes, allowedBytes } = decompressor;
            expect(pending.length).toBeLessThanOrEqual(most);
            expect(heldBytes + allowedBytes).toBeLessThan(2 * maxMessageBytes);
          };
          peer.send(joinBytes(pairs.map(([frame]) => naiveEncode(frame))));
          peer.link.end();
          const pick = picker(steps);
          let isHeld = false;
          do {
            await runtime.settle();
            check();
            const { pending } = decompressor;
            if (isHeld || pick(4) === 0) {
              if (isHeld) connection.release();
              else connection.hold();
              isHeld = !isHeld;
            }
            if (pending.length > 0) pending.splice(pick(pending.length), 1)[0]?.();
          } while (isHeld || decompressor.pending.length > 0 || !end.events.includes("peer ended"));
          expect(scene.told).toEqual(pairs.map(([, short]) => short));
          expect(end.events).toEqual(["ready", "peer ended"]);
        },
      );
      await fc.assert(property, runs);
    });
  });
}
