import { gunzipSync } from "node:zlib";
import {
  bytes,
  hex,
  memoryLinks,
  naiveDecode,
  naiveEncode,
  SimulatedRuntime,
} from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import { ChunkPool, Outbox } from "../../src/connection/outbox.ts";
import { msg } from "../../src/wire/msg/protocol.ts";
import { Compression } from "../../src/wire/compression.ts";
import { asTold, bytesOf, decodePieces, noPulse, openStream } from "./decode-stream.ts";
import { ascii, goldenVectors, specifiedVectors } from "./golden-vectors.ts";
import type { Write } from "./golden-vectors.ts";

/** What reaches the peer when the writer writes into a real outbox. */
function bytesThroughOutbox(write: Write): Uint8Array {
  const runtime = new SimulatedRuntime();
  const { dialed } = memoryLinks({ runtime });
  dialed.start({ onData() {}, onDrain() {}, onEnd() {}, onClose() {} });
  const owner = { onBeforeFlush() {}, onRoom() {}, onTaken() {} };
  const outbox = new Outbox(dialed, new ChunkPool(), runtime, Infinity, owner);
  const { sink, gate } = openStream(write.by);
  const context = {
    maxMessageBytes: 1024,
    gate,
    decompress: () => new Uint8Array(0),
    fail: rethrow,
    pulse: noPulse,
  };
  (write.with as (writer: unknown) => void)(msg().open(write.by, outbox, sink, context).writer);
  runtime.runTicks();
  return dialed.writtenBytes;
}

for (const { name, literal, frame, reader, write } of [...goldenVectors, ...specifiedVectors]) {
  describe(`golden bytes: ${name}`, () => {
    const whole = bytes(literal);

    it("is what the writer gives", () => {
      expect(hex(bytesOf(write))).toBe(hex(whole));
    });

    it("is what reaches the link through an outbox", () => {
      expect(hex(bytesThroughOutbox(write))).toBe(hex(whole));
    });

    it("is what the oracle gives", () => {
      expect(hex(naiveEncode(frame))).toBe(hex(whole));
    });

    it("is read by the oracle", () => {
      expect(naiveDecode(whole, { role: reader })).toEqual({ frames: [frame], unfinishedBytes: 0 });
    });

    it("is read by the decoder", () => {
      const expected = asTold({ frames: [frame], unfinishedBytes: 0 });
      expect(decodePieces(reader, [whole])).toEqual({ frames: expected.frames });
    });
  });
}

describe("a compressed golden vector", () => {
  const gunzip = { id: 1, name: "gzip", decompress: (payload: Uint8Array) => gunzipSync(payload) };
  const vector = goldenVectors.find(({ name }) => name.startsWith("gzip"));

  it("is told as its plain payload to an end that has the decompressor", () => {
    const compression = new Compression(undefined, 0, [gunzip]);
    const whole = bytes(vector?.literal ?? "");
    expect(decodePieces("REQ", [whole], { compression }).frames).toEqual([
      { type: "reply", id: 6, compression: 0, payload: ascii("hi") },
    ]);
  });
});

function rethrow(error: unknown): never {
  throw error;
}
