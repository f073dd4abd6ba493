import type { NaiveFrame } from "@msg-ts/testing";
import fc from "fast-check";
import type { SocketType } from "../../src/contracts/protocol.ts";

/** Numbers of 32 bits, with both ends and the middle more often than chance would. */
const uint32: fc.Arbitrary<number> = fc.oneof(
  fc.nat({ max: 0xffff_ffff }),
  fc.constantFrom(0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff),
);

const payload: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 8, arbitrary: fc.uint8Array({ maxLength: 40 }) },
  {
    weight: 1,
    arbitrary: fc.nat({ max: 3000 }).map((length) => new Uint8Array(length).fill(length)),
  },
);

/** 0 mostly, so that payloads are seen; the others are known to nobody. */
const compression: fc.Arbitrary<number> = fc.oneof(
  { weight: 6, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 7 }) },
);

const topic: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 12 }).filter((text) => !text.startsWith("MSG")),
  fc.constantFrom("", "a", "prices.eth", "\ufeffbom", "x".repeat(300)),
);

/** To the microsecond up to the year 2255, then to what a double can tell. */
const timeMicros: fc.Arbitrary<number> = fc.oneof(
  fc.nat({ max: Number.MAX_SAFE_INTEGER }),
  fc.constantFrom(0, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER),
);

const numbered = { compression, payload };

const replies: fc.Arbitrary<NaiveFrame> = fc.oneof(
  fc.record({ type: fc.constant("reply" as const), id: uint32, ...numbered }),
  fc.record({
    type: fc.constant("error reply" as const),
    id: uint32,
    code: fc.constantFrom("A", "NOT_FOUND", `Z${"9".repeat(63)}`),
    message: fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 }),
  }),
  fc.record({
    type: fc.constant("error reply" as const),
    id: uint32,
    code: fc.constant("MSG_DRAINING"),
    message: fc.constant(""),
  }),
);

const requests: fc.Arbitrary<NaiveFrame> = fc.record({
  type: fc.constant("request" as const),
  id: uint32,
  ...numbered,
});

const published: fc.Arbitrary<NaiveFrame> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("message" as const),
      topic,
      timeMicros,
      sequence: uint32,
      ...numbered,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constantFrom("mark" as const, "publisher drains" as const),
      sequence: uint32,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constantFrom("subscribed" as const, "denied" as const),
      topic,
      sequence: uint32,
    }),
  },
);

const subscriptions: fc.Arbitrary<NaiveFrame> = fc.oneof(
  fc.record({
    type: fc.constantFrom("subscribe" as const, "unsubscribe" as const),
    topic,
    timeMicros,
  }),
  fc.constant<NaiveFrame>({ type: "extensions" }),
);

const jobs: fc.Arbitrary<NaiveFrame> = fc.record({
  type: fc.constant("job" as const),
  sequence: uint32,
  earlierDeliveries: fc.nat({ max: 15 }),
  ...numbered,
});

const flows: fc.Arbitrary<NaiveFrame> = fc.oneof(
  fc.record({ type: fc.constant("window" as const), count: uint32 }),
  fc.record({
    type: fc.constantFrom("ack" as const, "nack" as const),
    sequence: uint32,
    count: fc.integer({ min: 1, max: 65_536 }),
  }),
  fc.constant<NaiveFrame>({ type: "pull drains" }),
);

/** Frames that each socket type may read. */
export const framesFor: Readonly<Record<SocketType, fc.Arbitrary<NaiveFrame>>> = {
  REQ: replies,
  REP: requests,
  SUB: published,
  PUB: subscriptions,
  PULL: jobs,
  PUSH: flows,
};

/** Cuts `bytes` into pieces whose lengths come from `lengths`, over and over. */
export function* cutInto(bytes: Uint8Array, lengths: readonly number[]): Generator<Uint8Array> {
  let start = 0;
  for (let i = 0; start < bytes.length; i++) {
    const length = lengths.length === 0 ? bytes.length : (lengths[i % lengths.length] ?? 1);
    yield bytes.subarray(start, start + length);
    start += length;
  }
}

/** Lengths of pieces: mostly a few bytes, now and then a whole read. */
export const pieceLengths: fc.Arbitrary<number[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 1, max: 24 }) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 5000 }) },
  ),
  { maxLength: 12 },
);
