import { isDeepStrictEqual } from "node:util";
import { cbor } from "@msg-ts/codecs/cbor";
import { MsgError } from "@msg-ts/core";
import { hex } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import { naiveCbor } from "./naive-cbor.ts";
import { mutate, randomFrom, randomItem } from "./random-cbor.ts";

const runs = 20_000;
const codec = cbor({ maxItems: 1_000 });

/** The value, or the error if it is of the one kind that is allowed. */
function outcome(payload: Uint8Array): { readonly value: unknown } | MsgError {
  try {
    return { value: codec.decode(payload) };
  } catch (error) {
    if (MsgError.is(error, "MSG_DECODE_FAILED")) return error;
    throw new Error(`${hex(payload)} ends in another error`, { cause: error });
  }
}

/** The random payloads, in hex, of which `isRight` says no. */
function failures(
  seed: number,
  isRight: (result: ReturnType<typeof outcome>, payload: Uint8Array) => boolean,
): string[] {
  const random = randomFrom(seed);
  const found: string[] = [];
  for (let run = 0; run < runs / 4; run++) {
    const payload = mutate(randomItem(random), random);
    if (!isRight(outcome(payload), payload)) found.push(hex(payload));
  }
  return found;
}

describe("random CBOR", () => {
  it(`ends in a value or a coded error ${runs} times, and stays as it was`, () => {
    const random = randomFrom(0x5eed);
    let values = 0;
    for (let run = 0; run < runs; run++) {
      const payload = mutate(randomItem(random), random);
      const before = payload.slice();
      if (!(outcome(payload) instanceof MsgError)) values += 1;
      if (!isDeepStrictEqual(payload, before)) throw new Error(`${hex(before)} was changed`);
    }
    // Both ways are taken, or the test tests nothing.
    expect(values).toBeGreaterThan(runs / 10);
    expect(values).toBeLessThan((runs * 9) / 10);
  });

  it("is refused by the check, never by cbor-x behind it", () => {
    expect(
      failures(0xc0de, (result) => !(result instanceof MsgError) || result.cause === undefined),
    ).toEqual([]);
  });

  it("becomes what a second reader makes of it", () => {
    expect(
      failures(0xface, (result, payload) => {
        if (result instanceof MsgError) return true;
        return isDeepStrictEqual(result.value, naiveCbor(payload));
      }),
    ).toEqual([]);
  });

  it("can be written again once it was read, and is then read as the same", () => {
    expect(
      failures(0xd0d0, (result) => {
        if (result instanceof MsgError) return true;
        const again = codec.decode(codec.encode(result.value));
        return isDeepStrictEqual(again, withoutMinusZero(result.value));
      }),
    ).toEqual([]);
  });
});

/** cbor-x writes -0 as 0. */
function withoutMinusZero(value: unknown): unknown {
  if (Object.is(value, -0)) return 0;
  if (Array.isArray(value)) return value.map(withoutMinusZero);
  if (value instanceof Set) return new Set([...value].map(withoutMinusZero));
  if (value instanceof Map) {
    return new Map(
      [...value].map(([key, item]) => [withoutMinusZero(key), withoutMinusZero(item)]),
    );
  }
  if (typeof value !== "object" || value === null) return value;
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, withoutMinusZero(item)]),
  );
}
