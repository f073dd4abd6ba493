import process from "node:process";
import { joinBytes, naiveDecode, naiveEncode } from "@msg-ts/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SocketType } from "../../src/contracts/protocol.ts";
import { cutInto, framesFor, pieceLengths } from "./arbitrary-frames.ts";
import { asTold, decodePieces, openStream } from "./decode-stream.ts";

const roles: readonly SocketType[] = ["REQ", "REP", "PUB", "SUB", "PUSH", "PULL"];

// MSG_SEED=<number> tries other streams; a failure prints its seed and the smallest stream that fails.
const seed = Number(process.env["MSG_SEED"] ?? 20_261_120);
const runs = { seed, numRuns: Number(process.env["MSG_RUNS"] ?? 300) };

/** What both codecs are told to allow. */
const maxMessageBytes = 2500;

/** What core tells of a stream that is cut into pieces. */
function told(role: SocketType, stream: Uint8Array, lengths: readonly number[]) {
  const { frames, error } = decodePieces(role, cutInto(stream, lengths), { maxMessageBytes });
  return { frames, code: error?.code };
}

/** What it ought to tell. */
function oracleTells(role: SocketType, stream: Uint8Array) {
  return asTold(naiveDecode(stream, { role, maxMessageBytes }));
}

/** What is told when the gate is closed during some pieces and opened behind each of them. */
function toldWithHolds(
  role: SocketType,
  stream: Uint8Array,
  lengths: readonly number[],
  isHeld: readonly boolean[],
) {
  const { assembler, gate, frames } = openStream(role);
  let piecesSoFar = 0;
  let toldWhileHeld = 0;
  for (const piece of cutInto(stream, lengths)) {
    const before = frames.length;
    const isHeldNow = isHeld[piecesSoFar++ % isHeld.length] ?? false;
    if (isHeldNow) gate.hold();
    assembler.push(piece);
    if (isHeldNow) {
      toldWhileHeld += frames.length - before;
      gate.release();
      assembler.resume();
    }
  }
  return { frames, toldWhileHeld, bufferedBytes: assembler.bufferedBytes };
}

for (const role of roles) {
  const frameLists = fc.array(framesFor[role], { maxLength: 20 });

  describe(`a stream for a ${role}, seed ${seed}`, () => {
    it("is told as the oracle tells it, however it is cut", () => {
      const property = fc.property(frameLists, pieceLengths, (list, lengths) => {
        const stream = joinBytes(list.map(naiveEncode));
        expect(told(role, stream, lengths)).toEqual(oracleTells(role, stream));
      });
      fc.assert(property, runs);
    });

    it("is told as the oracle tells it up to where a byte is wrong, with the same error", () => {
      const damages = fc.record({ at: fc.nat({ max: 400 }), byte: fc.nat({ max: 255 }) });
      const property = fc.property(frameLists, damages, pieceLengths, (list, damage, lengths) => {
        const stream = joinBytes(list.map(naiveEncode));
        if (stream.length > 0) stream[damage.at % stream.length] = damage.byte;
        expect(told(role, stream, lengths)).toEqual(oracleTells(role, stream));
      });
      fc.assert(property, runs);
    });

    it("of random bytes behind a legal kind is told as the oracle tells it", () => {
      const kind = { REQ: 2, REP: 2, PUB: 3, SUB: 3, PUSH: 4, PULL: 4 }[role];
      const tails = fc.uint8Array({ maxLength: 200 });
      const property = fc.property(tails, pieceLengths, (tail, lengths) => {
        const stream = joinBytes([Uint8Array.of(kind), tail]);
        expect(told(role, stream, lengths)).toEqual(oracleTells(role, stream));
      });
      fc.assert(property, runs);
    });

    it("loses nothing, and tells nothing meanwhile, when the gate closes at any time", () => {
      const holds = fc.array(fc.boolean(), { minLength: 1, maxLength: 30 });
      const property = fc.property(frameLists, pieceLengths, holds, (list, lengths, isHeld) => {
        const stream = joinBytes(list.map(naiveEncode));
        expect(toldWithHolds(role, stream, lengths, isHeld)).toEqual({
          frames: asTold(naiveDecode(stream, { role })).frames,
          toldWhileHeld: 0,
          bufferedBytes: 0,
        });
      });
      fc.assert(property, runs);
    });
  });
}

describe("random bytes for a REP", () => {
  it("reach every error that its streams can end with", () => {
    const codes = new Set<string | undefined>();
    const property = fc.property(fc.uint8Array({ minLength: 10, maxLength: 40 }), (tail) => {
      for (const kind of [0, 2, 4]) {
        codes.add(told("REP", joinBytes([Uint8Array.of(kind), tail]), []).code);
      }
    });
    fc.assert(property, runs);
    for (const code of ["MSG_PAYLOAD_TOO_LARGE", "MSG_PROTOCOL", "MSG_WRONG_SOCKET_TYPE"]) {
      expect(codes).toContain(code);
    }
  });
});
