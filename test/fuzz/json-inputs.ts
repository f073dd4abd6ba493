import { joinBytes } from "@msg-ts/testing";
import { fixedInteger, lyingLength } from "./mutations.ts";
import type { Random } from "./random.ts";

const specialTexts = [
  '"\\ud800"',
  '"\\u0000"',
  '"__proto__"',
  '"constructor"',
  "-0",
  "1e400",
  "-1e-400",
  "0.1",
  "1E5",
  "123456789012345678901234567890",
  "null",
  "true",
  "false",
  "[]",
  "{}",
  '""',
  '"\\/\\b\\f\\n\\r\\t"',
  "01",
  "+1",
  ".5",
  "NaN",
  "undefined",
  "'a'",
  "[1,]",
  '{"a":1,}',
  "/**/1",
  "\uFEFF1",
  "\u00A01",
  "1 2",
];

/** One text that is mostly JSON, of every kind there is. */
export function anyJson(random: Random): Uint8Array {
  return Buffer.from(anyText(random, 6));
}

function anyText(random: Random, depth: number): string {
  const space = random.oneIn(10) ? random.pick([" ", "\n", "\t", "\r\n  ", "\u000B"]) : "";
  const list = (item: () => string): string =>
    Array.from({ length: random.small(10) }, item).join(`,${space}`);
  switch (random.below(depth > 0 ? 6 : 4)) {
    case 0:
      return space + random.pick(specialTexts);
    case 1:
      return String(random.small(2 ** 53)) + space;
    case 2:
      return String(random.below(2 ** 32) / 2 ** random.below(64));
    case 3:
      return anyString(random);
    case 4:
      return `[${list(() => anyText(random, depth - 1))}]`;
    default:
      return `{${list(() => `${anyString(random)}:${anyText(random, depth - 1)}`)}}`;
  }
}

function anyString(random: Random): string {
  const letters = [
    "a",
    "é",
    "€",
    "𝄞",
    "\\n",
    '\\"',
    "\\u00e9",
    "\\ud834\\udd1e",
    "__proto__",
    "\\",
  ];
  const text = Array.from({ length: random.small(20) }, () => random.pick(letters));
  return `"${text.join("")}"`;
}

/** JSON has no lengths: puts a number somewhere instead, as bytes or as digits. */
export function editJsonNumber(payload: Uint8Array, random: Random): Uint8Array {
  const value = lyingLength(random, payload.length);
  const field = random.oneIn(2) ? fixedInteger(value, 4, false) : Buffer.from(String(value));
  const at = random.below(payload.length + 1);
  return joinBytes([payload.subarray(0, at), field, payload.subarray(at)]);
}

/** Of a bomb. What a decoder does takes as long as its input is, and this is not to take long. */
const length = 50_000;

/** What takes a careless decoder long, or much memory, or its stack. */
export const jsonBombs: readonly Uint8Array[] = [
  "[".repeat(length) + "]".repeat(length),
  "[".repeat(length),
  '{"a":'.repeat(length / 5) + "1" + "}".repeat(length / 5),
  "9".repeat(length),
  `0.${"0".repeat(length)}1`,
  `1e${"9".repeat(1_000)}`,
  `"${"\\u0061".repeat(length / 6)}"`,
  `"${"a".repeat(length)}`,
  `[${"[],".repeat(length / 3)}0]`,
  `[${"{},".repeat(length / 3)}0]`,
  `{${'"a":0,'.repeat(length / 6)}"a":1}`,
  `{${Array.from({ length: 15_000 }, (_, at) => `"${Math.imul(at, 0x9e3779b1) >>> 0}":0`).join()}}`,
  " ".repeat(length),
  `"${"\uFEFF€𝄞".repeat(length / 10)}"`,
].map((text) => Buffer.from(text));
