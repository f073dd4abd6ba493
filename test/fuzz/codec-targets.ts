import { cbor } from "@msg-ts/codecs/cbor";
import { json } from "@msg-ts/codecs/json";
import type { Target } from "./case.ts";
import { anyCbor, cborBombs, editCborLength } from "./cbor-inputs.ts";
import { codecTarget } from "./codec-target.ts";
import { cborGolden } from "./golden.ts";
import { anyJson, editJsonNumber, jsonBombs } from "./json-inputs.ts";

/** Values that JSON has a form for. */
const plainValues: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  23.5,
  1e300,
  "",
  "hello",
  "grüße 漢字 🎉",
  "x".repeat(1_000),
  [],
  [1, "two", [3.5, null]],
  {},
  { id: 1, symbol: "S62", price: 31_337.5, tags: ["a", "b"], next: null },
  { a: { b: { c: [{ d: [[[]]] }] } } },
  Array.from({ length: 300 }, (_, at) => at * at),
  Object.fromEntries(
    Array.from({ length: 100 }, (_, at) => [`key ${at}`, { at, isOdd: at % 2 === 1 }]),
  ),
];

const cborValues: readonly unknown[] = [
  ...plainValues,
  undefined,
  2n ** 63n,
  -(2n ** 64n),
  2n ** 200n,
  Uint8Array.from({ length: 300 }, (_, at) => at),
  new Date(1_700_000_000_000),
  new Set([1, "two", null]),
  new Map<unknown, unknown>([
    [1, "one"],
    ["two", [2]],
  ]),
  Float64Array.of(1.5, -2.25),
  Int16Array.of(-1, 2),
  { when: new Date(1_700_000_000_250), who: new Set(["a"]), raw: Uint8Array.of(1, 2, 3) },
];

/** Everything that makes values of payloads. */
export const codecTargets: readonly Target[] = [
  codecTarget({
    name: "cbor",
    create: () => cbor(),
    values: cborValues,
    golden: cborGolden,
    any: anyCbor,
    bombs: cborBombs,
    editLength: editCborLength,
    keepsValues: true,
  }),
  codecTarget({
    name: "json",
    create: () => json(),
    values: plainValues,
    golden: [],
    any: anyJson,
    bombs: jsonBombs,
    editLength: editJsonNumber,
    // A number over the largest one is read as infinity, for which JSON has no form.
    keepsValues: false,
  }),
];
