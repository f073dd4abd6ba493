import { bytes, joinBytes } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import type { SocketType } from "../../src/contracts/protocol.ts";
import { asTold, decodePieces, openStream, piecesOf } from "./decode-stream.ts";
import { goldenVectors, specifiedVectors } from "./golden-vectors.ts";

const roles: readonly SocketType[] = ["REQ", "REP", "PUB", "SUB", "PUSH", "PULL"];

for (const role of roles) {
  const vectors = [...goldenVectors, ...specifiedVectors].filter(({ reader }) => reader === role);
  const parts = vectors.map(({ literal }) => bytes(literal));
  const stream = joinBytes(parts);
  const { frames } = asTold({ frames: vectors.map(({ frame }) => frame), unfinishedBytes: 0 });

  describe(`frames for a ${role}`, () => {
    it("are told when they come in one chunk", () => {
      expect(decodePieces(role, [stream])).toEqual({ frames });
    });

    it("are told when they come one byte at a time", () => {
      expect(decodePieces(role, piecesOf(stream, 1))).toEqual({ frames });
    });

    it("are told when the stream is cut at any one place", () => {
      for (let cut = 0; cut <= stream.length; cut++) {
        const pieces = [stream.subarray(0, cut), stream.subarray(cut)];
        expect(decodePieces(role, pieces), `cut at ${cut}`).toEqual({ frames });
      }
    });

    it("are told when each is cut at any place and followed by the others", () => {
      vectors.forEach((vector, index) => {
        const frame = parts[index] ?? new Uint8Array(0);
        for (let cut = 1; cut < frame.length; cut++) {
          const pieces = [frame.subarray(0, cut), joinBytes([frame.subarray(cut), stream])];
          const [expected] = asTold({ frames: [vector.frame], unfinishedBytes: 0 }).frames;
          expect(decodePieces(role, pieces), `${vector.name} cut at ${cut}`).toEqual({
            frames: [expected, ...frames],
          });
        }
      });
    });

    it("are told one by one, each with its last byte", () => {
      const { assembler, frames: told } = openStream(role);
      parts.forEach((part, index) => {
        assembler.push(part.subarray(0, -1));
        expect(told.length).toBe(index);
        assembler.push(part.subarray(-1));
        expect(told.length).toBe(index + 1);
        expect(assembler.bufferedBytes).toBe(0);
      });
    });

    it("are told when every chunk lies where the assembler said", () => {
      const { assembler, frames: told } = openStream(role);
      for (const piece of piecesOf(stream, 7)) {
        const placed = assembler.nextBuffer().subarray(0, piece.length);
        placed.set(piece);
        assembler.push(placed);
        assembler.nextBuffer().fill(0xdd);
      }
      expect(told).toEqual(frames);
    });
  });
}
