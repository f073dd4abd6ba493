import { inspect, isDeepStrictEqual } from "node:util";
import { cbor } from "@msg-ts/codecs/cbor";
import { MsgError } from "@msg-ts/core";
import { hex } from "@msg-ts/testing";
import fc from "fast-check";
import { anyCbor, editCborLength } from "../fuzz/cbor-inputs.ts";
import { mutated } from "../fuzz/mutations.ts";
import { Random } from "../fuzz/random.ts";
import type { CheckContext } from "./checks.ts";
import type { PythonPeer } from "./python-peer.ts";

const seed = 20_261_120;
const valueCount = 1_000;
const payloadCount = 10_000;
const maxShownBytes = 200;

const codec = cbor();

/**
 * Values of every kind and payloads that may be damaged: what ours reads in a payload must be what
 * the other reads in it. The other sends it back, and that is compared.
 */
export async function compareRandomCbor({ version, python, tally }: CheckContext): Promise<void> {
  const subject = `python-cbor2 ${version}`;
  for (const value of fc.sample(anyValue(), { seed, numRuns: valueCount })) {
    const payload = codec.encode(value);
    await tally.check(subject, "any values, there and back", inspect(value), () =>
      thereAndBack(payload, python),
    );
  }
  for (const payload of acceptedPayloads()) {
    await tally.check(subject, "any payloads that we read", shown(payload), () =>
      thereAndBack(payload, python),
    );
  }
}

async function thereAndBack(payload: Uint8Array, python: PythonPeer): Promise<string | undefined> {
  const again = await python.run("cbor.again", payload);
  const [ours, theirs] = [codec.decode(payload), codec.decode(again)];
  if (isDeepStrictEqual(withBigints(ours), withBigints(theirs))) return undefined;
  return `${shown(payload)} is ${inspect(ours)} to us, ${inspect(theirs)} to the other`;
}

/**
 * All integers as bigints: which of them is one depends on how many bytes it came in, and the other
 * takes as few as it can.
 */
function withBigints(value: unknown): unknown {
  if (typeof value === "number") return Number.isInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(withBigints);
  if (value instanceof Set) return new Set([...value].map(withBigints));
  if (value instanceof Map) {
    return new Map([...value].map(([key, each]) => [withBigints(key), withBigints(each)]));
  }
  if (Object.prototype.toString.call(value) !== "[object Object]") return value;
  return Object.fromEntries(
    Object.entries(value as object).map(([key, each]) => [key, withBigints(each)]),
  );
}

/** Dates are sent as seconds, of which a float has a thousandth only in some thousand years. */
function anyValue(): fc.Arbitrary<unknown> {
  return fc.anything({
    maxDepth: 4,
    withBigInt: true,
    withDate: false,
    withTypedArray: true,
    withSet: false,
    withMap: false,
    key: fc.string({ unit: "binary" }).filter((key) => key !== "__proto__"),
    values: [
      fc.boolean(),
      fc.maxSafeInteger(),
      fc.double(),
      fc.string({ unit: "binary" }),
      fc.bigInt(),
      fc.uint8Array(),
      fc.date({ noInvalidDate: true, min: new Date("1900-01-01"), max: new Date("2100-01-01") }),
      fc.constantFrom(null, undefined, new Set([1, "a"]), new Map([[1, "a"]])),
    ],
  });
}

function* acceptedPayloads(): Generator<Uint8Array> {
  for (let run = 0; run < payloadCount; run++) {
    const random = Random.ofRun(seed, run);
    const made = anyCbor(random);
    const other = (): Uint8Array => anyCbor(random);
    const damaged = mutated(made, random, other, editCborLength).payload;
    const payload = random.oneIn(2) ? made : damaged;
    if (payload.length > 0 && isRead(payload)) yield payload;
  }
}

function isRead(payload: Uint8Array): boolean {
  try {
    codec.decode(payload);
    return true;
  } catch (error) {
    if (MsgError.is(error, "MSG_DECODE_FAILED")) return false;
    throw error;
  }
}

function shown(payload: Uint8Array): string {
  return hex(payload.subarray(0, maxShownBytes));
}
