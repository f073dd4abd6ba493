import { isDeepStrictEqual } from "node:util";
import type { Codec } from "@msg-ts/core";
import type { Case, OpenTarget, Target } from "./case.ts";
import type { Mutation } from "./mutations.ts";
import { mutated } from "./mutations.ts";
import type { Random } from "./random.ts";

/** One format, and what is particular about its payloads. */
export interface FuzzedCodec {
  readonly name: string;
  create(): Codec<unknown>;
  /** Values that it has a form for. */
  readonly values: readonly unknown[];
  /** What another implementation made of some value. */
  readonly golden: readonly Uint8Array[];
  /** A payload that is mostly valid. */
  any(random: Random): Uint8Array;
  /** Payloads that a careless decoder takes long for. */
  readonly bombs: readonly Uint8Array[];
  /** Changes a field that says how long something is. */
  readonly editLength: Mutation;
  /** Whether a value that was decoded is the same when it was encoded and decoded again. */
  readonly keepsValues: boolean;
}

/** A damaged payload that is longer is cut: what a decoder does takes as long as its input is. */
const maxInputBytes = 100_000;

/** A value of a longer payload is not encoded again. */
const maxRepeatedBytes = 4_000;

/** Names that every object would have if a payload could change what objects are. */
const prototypes = [Object.prototype, Array.prototype, Function.prototype];
const namesBefore = prototypeNames();

/** Makes a target of a format. */
export function codecTarget(format: FuzzedCodec): Target {
  return {
    name: format.name,
    refusals: ["MSG_DECODE_FAILED"],
    open: async () => open(format),
  };
}

function open(format: FuzzedCodec): OpenTarget {
  const codec = format.create();
  const samples: readonly Sample[] = [
    ...format.values.map((value) => ({ payload: codec.encode(value), value })),
    ...format.golden.map((payload) => ({ payload })),
  ];
  return {
    makeCase: (random) => makeCase(format, codec, samples, random),
    caseOf: (payload) => caseOf(format, codec, { payload, how: "given" }),
    editLength: format.editLength,
  };
}

/** A valid payload, and the value in it, where it is known. */
interface Sample {
  readonly payload: Uint8Array;
  readonly value?: unknown;
}

interface Input extends Sample {
  readonly how: string;
}

function makeCase(
  format: FuzzedCodec,
  codec: Codec<unknown>,
  samples: readonly Sample[],
  random: Random,
): Case {
  return caseOf(format, codec, makeInput(format, samples, random));
}

function caseOf(format: FuzzedCodec, codec: Codec<unknown>, input: Input): Case {
  const isValid = input.how === "valid";
  return {
    how: input.how,
    input: input.payload,
    take: () => codec.decode(input.payload),
    wrongResult: (result) => {
      if (prototypeNames() !== namesBefore) return "changed what every object has";
      if ("value" in input)
        return isDeepStrictEqual(result, input.value) ? undefined : "other value";
      const isRepeated = format.keepsValues && input.payload.length <= maxRepeatedBytes;
      return isRepeated ? wrongRepeat(codec, result) : undefined;
    },
    wrongRefusal: (code) => (isValid ? `refused a valid payload with ${code}` : undefined),
  };
}

function makeInput(format: FuzzedCodec, samples: readonly Sample[], random: Random): Input {
  const damaged = (payload: Uint8Array): Input => {
    const other = (): Uint8Array => random.pick(samples).payload;
    const result = mutated(payload, random, other, format.editLength);
    return { payload: result.payload.subarray(0, maxInputBytes), how: result.how.join(", ") };
  };
  switch (random.below(32)) {
    case 0:
      return { ...random.pick(samples), how: "valid" };
    case 1:
    case 2:
      return { payload: random.bytes(random.small(300)), how: "random bytes" };
    case 3:
      return { payload: random.pick(format.bombs), how: "bomb" };
    case 4:
      return damaged(random.pick(format.bombs));
    default:
  }
  if (random.oneIn(2)) return damaged(random.pick(samples).payload);
  const made = format.any(random);
  return random.oneIn(2) ? { payload: made, how: "made" } : damaged(made);
}

/** Whether a decoded value is still the same when it was sent on. Minus zero is sent as zero. */
function wrongRepeat(codec: Codec<unknown>, value: unknown): string | undefined {
  try {
    const payload = codec.encode(value);
    const again = codec.encode(codec.decode(payload));
    if (Buffer.compare(again, payload) === 0) return undefined;
    return "decoded a value that changes when sent on";
  } catch (error) {
    return `decoded a value that cannot be sent on: ${String(error)}`;
  }
}

function prototypeNames(): string {
  return prototypes.map((each) => Object.getOwnPropertyNames(each).join()).join(";");
}
