import type { NaiveFrame, NaiveRole } from "@msg-ts/testing";
import { joinBytes, naiveEncode } from "@msg-ts/testing";
import { fixedInteger, lyingLength, overwritten } from "./mutations.ts";
import type { Random } from "./random.ts";

/** Every end of a pattern. */
export const roles: readonly NaiveRole[] = ["REQ", "REP", "PUB", "SUB", "PUSH", "PULL"];

/** Small, so that limits are reached. */
export const maxMessageBytes = 2_500;

const numbers = [0, 1, 2, 3, 4, 5, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff];
const topics = ["", "a", "a.b", "prices.eth", "*", "a.*", ">", "a.>", ".", "é.漢", "x".repeat(300)];
const codes = ["A", "NOT_FOUND", "MSG_DRAINING", "MSG_NO_ANSWER", "MSG_", "lower", "", "A\nB"];

function numberFor(random: Random, next: number): number {
  return random.oneIn(3) ? random.pick(numbers) : next;
}

function payloadFor(random: Random): Uint8Array {
  return random.bytes(random.oneIn(40) ? random.small(3_000) : random.small(40));
}

function compressionFor(random: Random): number {
  return random.oneIn(8) ? random.below(8) : 0;
}

/** A frame that the role may read; `at` is its place in a stream, from 0. */
function anyFrame(role: NaiveRole, at: number, random: Random): NaiveFrame {
  const compression = compressionFor(random);
  const payload = payloadFor(random);
  const topic = random.pick(topics);
  switch (role) {
    case "REQ": {
      const id = numberFor(random, 1 + (at % 4));
      if (random.oneIn(3))
        return { type: "error reply", id, code: random.pick(codes), message: topic };
      return { type: "reply", id, compression, payload };
    }
    case "REP":
      return { type: "request", id: numberFor(random, at + 1), compression, payload };
    case "SUB": {
      const sequence = numberFor(random, at);
      if (random.oneIn(4)) return { type: random.pick(["mark", "publisher drains"]), sequence };
      if (random.oneIn(6)) return { type: "subscribed", topic, sequence };
      return { type: "message", topic, timeMicros: at, sequence, compression, payload };
    }
    case "PUB":
      if (random.oneIn(6)) return { type: "extensions" };
      return {
        type: random.pick(["subscribe", "subscribe", "unsubscribe"]),
        topic,
        timeMicros: at,
      };
    case "PULL": {
      const sequence = numberFor(random, at);
      const earlierDeliveries = random.below(16);
      return { type: "job", sequence, earlierDeliveries, compression, payload };
    }
    default:
      return anyFlow(at, random);
  }
}

function anyFlow(at: number, random: Random): NaiveFrame {
  const sequence = numberFor(random, Math.max(0, at - 1));
  const count = random.oneIn(6) ? random.pick([0, 65_536, 65_537, 0xffff_ffff]) : random.below(4);
  if (at === 0 || random.oneIn(5)) return { type: "window", count: numberFor(random, 5) };
  if (random.oneIn(12)) return { type: "pull drains" };
  return { type: random.pick(["ack", "ack", "nack"]), sequence, count };
}

/** A stream that is mostly valid. */
export function anyStream(role: NaiveRole, random: Random): Uint8Array {
  const frames = Array.from({ length: random.small(16) }, (_, at) => anyFrame(role, at, random));
  return joinBytes(frames.map(naiveEncode));
}

/** Puts a lie where a number may be. */
export function editStream(stream: Uint8Array, random: Random): Uint8Array {
  if (stream.length === 0) return stream;
  const field = fixedInteger(lyingLength(random, stream.length), random.pick([2, 4]), false);
  return overwritten(stream, random.below(stream.length), field).subarray(0, 20_000);
}

/** Cuts a stream into pieces, by a number: the same number cuts it the same way. */
export function* cut(stream: Uint8Array, by: number): Generator<Uint8Array> {
  let state = by;
  for (let start = 0; start < stream.length;) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    const length = by === 0 ? stream.length : 1 + ((state >>> 16) % (by < 128 ? 24 : 700));
    yield stream.subarray(start, start + length);
    start += length;
  }
}
