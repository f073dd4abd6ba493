import { joinBytes } from "@msg-ts/testing";
import type { Random } from "./random.ts";

/** Damages a payload: gives another one and leaves the given one as it is. */
export type Mutation = (payload: Uint8Array, random: Random) => Uint8Array;

/** A mutation that takes parts of a second payload has it from here. */
export type OtherPayload = (random: Random) => Uint8Array;

/** No mutation makes a payload longer than this. */
const maxBytes = 512 * 1024;

/** Values at which programs change their ways. */
const edgeBytes = [0x00, 0x01, 0x0f, 0x10, 0x1f, 0x20, 0x7f, 0x80, 0xbf, 0xc0, 0xfe, 0xff];

/** Lengths at which programs change their ways. */
const edgeLengths = [
  0, 1, 0x17, 0x18, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x1_0000, 0xf_ffff, 0x10_0000, 0x10_0001,
  0x400_0000, 0x400_0001, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff,
];

/** A length for a field that lies: on an edge, near the true one, or any. */
export function lyingLength(random: Random, trueLength: number): number {
  switch (random.below(3)) {
    case 0:
      return random.pick(edgeLengths);
    case 1:
      return Math.max(0, trueLength + random.between(-3, 3));
    default:
      return random.small(2 ** 32);
  }
}

/** A copy of `payload` in which `field` stands at `at`, over what was there; it may grow. */
export function overwritten(payload: Uint8Array, at: number, field: Uint8Array): Uint8Array {
  const copy = new Uint8Array(Math.max(payload.length, at + field.length));
  copy.set(payload);
  copy.set(field, at);
  return copy;
}

/** A whole number as `size` bytes. */
export function fixedInteger(value: number, size: number, isLittleEndian: boolean): Uint8Array {
  const field = new Uint8Array(size);
  let rest = value;
  for (let i = 0; i < size; i++) {
    field[isLittleEndian ? i : size - 1 - i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return field;
}

function flippedBits(payload: Uint8Array, random: Random): Uint8Array {
  const copy = new Uint8Array(payload);
  for (let count = 1 + random.small(8); count > 0 && copy.length > 0; count--) {
    const at = random.below(copy.length);
    copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8));
  }
  return copy;
}

/** Most formats keep what matters in their first bytes. */
function changedStart(payload: Uint8Array, random: Random): Uint8Array {
  if (payload.length === 0) return payload;
  const at = random.below(Math.min(payload.length, 24));
  return overwritten(payload, at, Uint8Array.of(edgeOrAny(random)));
}

function changedByte(payload: Uint8Array, random: Random): Uint8Array {
  if (payload.length === 0) return payload;
  return overwritten(payload, random.below(payload.length), Uint8Array.of(edgeOrAny(random)));
}

function changedInteger(payload: Uint8Array, random: Random): Uint8Array {
  const field = fixedInteger(
    lyingLength(random, payload.length),
    random.pick([2, 3, 4, 8]),
    random.oneIn(2),
  );
  return overwritten(payload, random.below(payload.length), field);
}

function edgeOrAny(random: Random): number {
  return random.oneIn(2) ? random.pick(edgeBytes) : random.below(256);
}

function cutEnd(payload: Uint8Array, random: Random): Uint8Array {
  const cut = random.oneIn(2) ? random.small(payload.length) : random.below(payload.length);
  return payload.subarray(0, payload.length - cut);
}

function cutStart(payload: Uint8Array, random: Random): Uint8Array {
  return payload.subarray(random.small(payload.length + 1));
}

function filled(payload: Uint8Array, random: Random): Uint8Array {
  const start = random.below(payload.length);
  const end = start + random.small(payload.length - start + 1);
  return new Uint8Array(payload).fill(edgeOrAny(random), start, end);
}

function inserted(payload: Uint8Array, random: Random): Uint8Array {
  const at = random.below(payload.length + 1);
  const more = random.bytes(1 + random.small(64));
  return joinBytes([payload.subarray(0, at), more, payload.subarray(at)]);
}

function removed(payload: Uint8Array, random: Random): Uint8Array {
  const [start, end] = anyPart(payload, random);
  return joinBytes([payload.subarray(0, start), payload.subarray(end)]);
}

function repeated(payload: Uint8Array, random: Random): Uint8Array {
  const [start, end] = anyPart(payload, random);
  const part = payload.subarray(start, end);
  const room = Math.max(0, maxBytes - payload.length);
  const times = Math.min(1 + random.small(200), Math.floor(room / Math.max(1, part.length)));
  const again = Array.from({ length: times }, () => part);
  return joinBytes([payload.subarray(0, end), ...again, payload.subarray(end)]);
}

function exchanged(payload: Uint8Array, random: Random): Uint8Array {
  const cuts = [0, 0, 0].map(() => random.below(payload.length + 1)).toSorted((a, b) => a - b);
  const [first = 0, second = 0, third = 0] = cuts;
  return joinBytes([
    payload.subarray(0, first),
    payload.subarray(second, third),
    payload.subarray(first, second),
    payload.subarray(third),
  ]);
}

function anyPart(payload: Uint8Array, random: Random): [start: number, end: number] {
  const start = random.below(payload.length);
  return [start, start + random.small(payload.length - start + 1)];
}

/** The start of one payload, the end of another. */
function spliced(payload: Uint8Array, random: Random, other: OtherPayload): Uint8Array {
  const second = other(random);
  const start = payload.subarray(0, random.below(payload.length + 1));
  return joinBytes([start, second.subarray(random.below(second.length + 1))]);
}

/** Two payloads, one behind the other. */
function joined(payload: Uint8Array, random: Random, other: OtherPayload): Uint8Array {
  return joinBytes([payload, other(random)]);
}

const names = new Map<
  (payload: Uint8Array, random: Random, other: OtherPayload) => Uint8Array,
  string
>([
  [flippedBits, "bits flipped"],
  [changedStart, "start changed"],
  [changedByte, "byte changed"],
  [changedInteger, "integer changed"],
  [cutEnd, "end cut"],
  [cutStart, "start cut"],
  [filled, "part filled"],
  [inserted, "bytes inserted"],
  [removed, "part removed"],
  [repeated, "part repeated"],
  [exchanged, "parts exchanged"],
  [spliced, "spliced"],
  [joined, "joined"],
]);

const all = [...names.keys()];

/** A payload that was damaged in one or more ways, and which. */
export interface Mutated {
  readonly payload: Uint8Array;
  readonly how: readonly string[];
}

/**
 * Damages `payload` once, or now and then up to four times, never to more than 512 KiB.
 *
 * @param editLength - changes a field that says how long something is: the format knows where.
 */
export function mutated(
  payload: Uint8Array,
  random: Random,
  other: OtherPayload,
  editLength: Mutation,
): Mutated {
  let result = payload;
  const how: string[] = [];
  for (let rounds = 1 + random.small(5); rounds > 0; rounds--) {
    if (random.oneIn(6)) {
      result = editLength(result, random);
      how.push("length edited");
    } else {
      const mutation = random.pick(all);
      result = mutation(result, random, other);
      how.push(names.get(mutation) ?? "");
    }
  }
  return { payload: result.subarray(0, maxBytes), how };
}
