import { bytes, joinBytes } from "@msg-ts/testing";
import { fixedInteger, lyingLength, overwritten } from "./mutations.ts";
import type { Random } from "./random.ts";

/** Tags that decoders know, among them those of references, records, tables and bignums. */
const knownTags = [
  0, 1, 2, 3, 4, 5, 6, 14, 15, 16, 21, 23, 24, 25, 27, 28, 29, 30, 32, 35, 36, 37, 40, 51, 64, 68,
  69, 70, 71, 72, 76, 77, 78, 79, 80, 81, 82, 83, 85, 86, 100, 105, 121, 216, 222, 225, 255, 256,
  258, 259, 260, 1001, 1004, 1040, 2048, 55_799, 57_337, 57_340, 57_342, 57_343, 0x1_0000,
  0xffff_ffff,
];

const letters = ["a", "0", "é", "€", "𝄞", "\uFEFF"];

const specialKeys = [
  "__proto__",
  "constructor",
  "toString",
  "length",
  "then",
  "[object Object]",
  "",
];

/** The first byte of an item and what follows it: major type and a number, in any of its lengths. */
function cborHead(random: Random, major: number, value: number): Uint8Array {
  const shortest = value < 24 ? 0 : value < 2 ** 8 ? 1 : value < 2 ** 16 ? 2 : 4;
  const size = random.oneIn(8) ? random.pick([1, 2, 4, 8]) : shortest;
  if (size === 0) return Uint8Array.of((major << 5) | value);
  const info = { 1: 24, 2: 25, 4: 26, 8: 27 }[size] ?? 27;
  return joinBytes([Uint8Array.of((major << 5) | info), fixedInteger(value, size, false)]);
}

/** One item that is mostly well-formed, of every kind there is. */
export function anyCbor(random: Random, depth: number = 6): Uint8Array {
  const kind = random.below(depth > 0 ? 9 : 6);
  switch (kind) {
    case 0:
    case 1:
      return cborHead(random, kind, random.small(2 ** 32));
    case 2:
      return withBytes(random, 2, random.bytes(random.small(40)));
    case 3:
      return withBytes(random, 3, Buffer.from(anyText(random)));
    case 4:
      return Uint8Array.of(
        0xe0 | random.below(32),
        ...random.bytes(random.pick([0, 0, 1, 2, 4, 8])),
      );
    case 5:
      return Uint8Array.of(random.pick([0xf4, 0xf5, 0xf6, 0xf7]));
    case 6:
      return collection(random, 4, random.small(12), depth);
    case 7:
      return collection(random, 5, random.small(8), depth);
    default:
      return joinBytes([cborHead(random, 6, random.pick(knownTags)), anyCbor(random, depth - 1)]);
  }
}

function anyText(random: Random): string {
  if (random.oneIn(4)) return random.pick(specialKeys);
  return Array.from({ length: random.small(30) }, () => random.pick(letters)).join("");
}

function withBytes(random: Random, major: number, content: Uint8Array): Uint8Array {
  return joinBytes([cborHead(random, major, content.length), content]);
}

function collection(random: Random, major: number, count: number, depth: number): Uint8Array {
  const items: Uint8Array[] = [];
  for (let index = 0; index < count; index++) {
    if (major === 5) {
      const isText = !random.oneIn(8);
      items.push(isText ? withBytes(random, 3, Buffer.from(anyText(random))) : anyCbor(random, 0));
    }
    items.push(anyCbor(random, depth - 1));
  }
  if (!random.oneIn(5)) return joinBytes([cborHead(random, major, count), ...items]);
  return joinBytes([Uint8Array.of((major << 5) | 31), ...items, Uint8Array.of(0xff)]);
}

/** Makes one of the first bytes announce another length, or puts such an item anywhere. */
export function editCborLength(payload: Uint8Array, random: Random): Uint8Array {
  const major = random.between(2, 6);
  const head = cborHead(random, major, lyingLength(random, payload.length) % 2 ** 32);
  return overwritten(payload, random.small(payload.length + 1), head);
}

/** Of a bomb. What a decoder does takes as long as its input is, and this is not to take long. */
const length = 50_000;

function repeat(unit: string, times: number): Uint8Array {
  const part = bytes(unit);
  return joinBytes(Array.from({ length: times }, () => part));
}

/** What takes a careless decoder long, or much memory, or its stack. */
export const cborBombs: readonly Uint8Array[] = [
  joinBytes([repeat("81", length), bytes("00")]), // arrays in arrays
  joinBytes([repeat("9f", length), repeat("ff", length)]), // the same, without lengths
  joinBytes([repeat("a100", length), bytes("00")]), // maps in maps
  joinBytes([repeat("c1", length), bytes("00")]), // tags on tags
  joinBytes([repeat("d81c81", length), bytes("00")]), // shared arrays in shared arrays
  joinBytes([bytes("c2 5a 0000c350"), repeat("ff", length)]), // a bignum of 50,000 bytes
  joinBytes([bytes("c3 59 0400"), repeat("ff", 1_024)]),
  joinBytes([bytes("99 1388"), repeat("c2 4a ff000000000000000000", 5_000)]),
  bytes("9a ffffffff"), // four billion items
  bytes("9b 7fffffffffffffff"),
  bytes("ba ffffffff"),
  bytes("5a ffffffff 00"),
  bytes("7b ffffffffffffffff 00"),
  bytes("d81c 81 d81d 00"), // an array that contains itself
  bytes("d81b 82 666f626a656374 a0"), // an object of the sender's choice
  joinBytes([bytes("9a 0000c350"), repeat("80", length)]), // 50,000 empty arrays
  joinBytes([bytes("9a 0000c350"), repeat("a0", length)]),
  joinBytes([bytes("9f"), repeat("a16161f6", length / 4), bytes("ff")]),
  joinBytes([bytes("ba 00004e20"), repeat("6161 00", 20_000)]), // one key 20,000 times
  manyKeys(15_000),
  joinBytes([bytes("7a 0000c350"), repeat("61", length)]),
  joinBytes([bytes("d90102 9a 0000c350"), repeat("00", 50_000)]), // a set of one member
];

/** A map of integers in no order, which objects keep sorted. */
function manyKeys(count: number): Uint8Array {
  const parts = [Uint8Array.of(0xba), fixedInteger(count, 4, false)];
  for (let index = 0; index < count; index++) {
    const key = Math.imul(index, 0x9e3779b1) >>> 0;
    parts.push(Uint8Array.of(0x1a), fixedInteger(key, 4, false), Uint8Array.of(0xf6));
  }
  return joinBytes(parts);
}
