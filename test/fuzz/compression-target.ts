import process from "node:process";
import type { Compressor, ErrorCode } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import type { AsyncOptions } from "../../packages/compression/src/options.ts";
import type { Case, OpenTarget, Target } from "./case.ts";
import type { Golden } from "./golden.ts";
import type { Mutation } from "./mutations.ts";
import { mutated } from "./mutations.ts";
import { largePlains, plains } from "./plains.ts";
import type { Random } from "./random.ts";

const mebibyte = 1024 * 1024;
const largeBytes = 64 * mebibyte;
/** What is decompressed in place holds the event loop: no more than this for long enough. */
const largeInPlaceBytes = 16 * mebibyte;
const maxInPlaceBytes = 128 * 1024;

/** One algorithm, and what is particular about its payloads. */
export interface FuzzedAlgorithm {
  readonly name: string;
  /** Whether it works in place by default, whatever the size. */
  readonly isInPlace?: boolean;
  /** Whether this Node does not have it. */
  readonly isAbsent?: boolean;
  create(options: AsyncOptions): Compressor;
  /** What writes the payloads that are damaged. @defaultValue `create({})` alone */
  writers?(): readonly Compressor[];
  readonly golden: readonly Golden[];
  /** Payloads that stand for far more than their length, or say so, or take long for it. */
  bombs(): Promise<readonly Uint8Array[]>;
  /** Changes a field that says how long something is. */
  readonly editLength: Mutation;
}

/** A valid payload. */
interface Sample {
  readonly payload: Uint8Array;
  readonly plain: Uint8Array;
}

/** Where the work is done. */
const places = ["by default", "in place", "on threads"] as const;

type Place = (typeof places)[number];

/** Makes a target of an algorithm. */
export function compressionTarget(algorithm: FuzzedAlgorithm): Target {
  return {
    name: algorithm.name,
    refusals: ["MSG_DECOMPRESS_FAILED", "MSG_PAYLOAD_TOO_LARGE"],
    open: () => open(algorithm),
  };
}

async function open(algorithm: FuzzedAlgorithm): Promise<OpenTarget | string> {
  if (algorithm.isAbsent === true) return `there is no ${algorithm.name} in ${process.version}`;
  try {
    const compressors: Compressors = {
      "by default": algorithm.create({}),
      "in place": algorithm.create({ minAsyncBytes: Infinity }),
      "on threads": algorithm.create({ minAsyncBytes: 0 }),
    };
    const corpus = await corpusOf(algorithm);
    const large = await compressors["by default"].compress(new Uint8Array(largeBytes));
    return {
      makeCase: (random) => makeCase({ algorithm, compressors, corpus, random }),
      caseOf: (input) => caseOf(compressors["by default"], input),
      editLength: algorithm.editLength,
      takeLarge: async () => {
        await compressors["by default"].decompress(large, largeBytes);
      },
    };
  } catch (error) {
    if (MsgError.is(error, "MSG_MISSING_PACKAGE")) return error.message;
    throw error;
  }
}

type Compressors = Readonly<Record<Place, Compressor>>;

/** What cases are made of. */
interface Corpus {
  readonly small: readonly Sample[];
  readonly large: readonly Sample[];
  readonly bombs: readonly Uint8Array[];
}

async function corpusOf(algorithm: FuzzedAlgorithm): Promise<Corpus> {
  const writers = algorithm.writers?.() ?? [algorithm.create({})];
  const compressed = async (list: readonly Uint8Array[]): Promise<Sample[]> => {
    const pairs = list.flatMap((plain) => writers.map((writer) => ({ plain, writer })));
    return Promise.all(
      pairs.map(async ({ plain, writer }) => ({ plain, payload: await writer.compress(plain) })),
    );
  };
  const small = await compressed(plains);
  const share = Math.ceil(small.length / (8 * algorithm.golden.length));
  const golden = Array.from({ length: share }, () => algorithm.golden).flat();
  const large = await compressed(largePlains);
  return { small: [...small, ...golden], large, bombs: await algorithm.bombs() };
}

interface Ingredients {
  readonly algorithm: FuzzedAlgorithm;
  readonly compressors: Compressors;
  readonly corpus: Corpus;
  readonly random: Random;
}

/** An input, before it is decided how it is taken in. */
interface Input {
  readonly payload: Uint8Array;
  readonly how: string;
  /** What it stands for, when it is a valid one. */
  readonly plain?: Uint8Array;
}

function makeCase({ algorithm, compressors, corpus, random }: Ingredients): Case {
  const { payload: input, how, plain } = makeInput(algorithm, corpus, random);
  const place = placeFor(random, input);
  const isLarge = place === "by default" && random.oneIn(100);
  const largest = algorithm.isInPlace === true ? largeInPlaceBytes : largeBytes;
  const maxBytes = isLarge ? largest : limitFor(random, plain?.length ?? random.small(mebibyte));
  return {
    how: `${how}; at most ${maxBytes} bytes, ${place}`,
    input,
    isLarge,
    take: () => compressors[place].decompress(input, maxBytes),
    wrongResult: (result) => wrongResult(result, maxBytes, plain),
    wrongRefusal: (code) => wrongRefusal(code, maxBytes, plain),
  };
}

function caseOf(compressor: Compressor, input: Uint8Array): Case {
  return {
    how: "given",
    input,
    take: () => compressor.decompress(input, mebibyte),
    wrongResult: (result) => wrongResult(result, mebibyte, undefined),
    wrongRefusal: () => undefined,
  };
}

function makeInput(algorithm: FuzzedAlgorithm, corpus: Corpus, random: Random): Input {
  const anySample = (): Sample => random.pick(random.oneIn(8) ? corpus.large : corpus.small);
  const other = (): Uint8Array => anySample().payload;
  const damaged = (payload: Uint8Array): Input => {
    const result = mutated(payload, random, other, algorithm.editLength);
    return { payload: result.payload, how: result.how.join(", ") };
  };
  switch (random.below(32)) {
    case 0:
    case 1:
      return { ...anySample(), how: "valid" };
    case 2:
      return { payload: random.bytes(random.small(300)), how: "random bytes" };
    case 3:
      return { payload: random.pick(corpus.bombs), how: "bomb" };
    case 4:
      return damaged(random.pick(corpus.bombs));
    default:
      return damaged(anySample().payload);
  }
}

/** In place, where the application wants it so, only small inputs and limits keep a call short. */
function placeFor(random: Random, input: Uint8Array): Place {
  const place = random.pick(places);
  return place === "in place" && input.length > maxInPlaceBytes ? "by default" : place;
}

function limitFor(random: Random, plainBytes: number): number {
  switch (random.below(8)) {
    case 0:
      return plainBytes;
    case 1:
      return Math.max(0, plainBytes - 1);
    case 2:
      return random.small(mebibyte);
    default:
      return mebibyte;
  }
}

function wrongResult(
  result: unknown,
  maxBytes: number,
  plain: Uint8Array | undefined,
): string | undefined {
  if (!(result instanceof Uint8Array)) return `gave ${typeof result}, not bytes`;
  if (result.length > maxBytes) return `gave ${result.length} bytes, the limit is ${maxBytes}`;
  if (plain !== undefined && Buffer.compare(result, plain) !== 0) return "gave other bytes";
  return undefined;
}

function wrongRefusal(
  code: ErrorCode,
  maxBytes: number,
  plain: Uint8Array | undefined,
): string | undefined {
  if (plain === undefined) return undefined;
  if (plain.length <= maxBytes) return `refused a valid payload with ${code}`;
  return code === "MSG_PAYLOAD_TOO_LARGE"
    ? undefined
    : `refused ${plain.length} bytes, over the limit, with ${code}`;
}
