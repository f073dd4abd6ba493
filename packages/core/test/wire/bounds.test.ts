import { bytes, hex, joinBytes, naiveDecode, naiveEncode } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import { asTold, bytesOf, decodePieces, openStream } from "./decode-stream.ts";
import { ascii } from "./golden-vectors.ts";

const largest32 = 0xffff_ffff;

describe("an id", () => {
  for (const id of [0, 1, 0x7fff_ffff, 0x8000_0000, largest32]) {
    it(`of ${id} is the same behind the wire`, () => {
      const wire = bytesOf({ by: "REQ", with: (writer) => writer.request(id, 0, ascii("x")) });
      expect(decodePieces("REP", [wire]).frames).toEqual([
        { type: "request", id, compression: 0, payload: ascii("x") },
      ]);
    });
  }
});

describe("a payload", () => {
  for (const length of [0, 1, 15, 16, 17, 16_384, 16_385, 65_535, 65_536, 1_000_000]) {
    it(`of ${length} bytes is the same behind the wire, both ways`, () => {
      const payload = Uint8Array.from({ length }, (_, i) => i);
      const request = bytesOf({ by: "REQ", with: (writer) => writer.request(1, 0, payload) });
      const job = bytesOf({ by: "PUSH", with: (writer) => writer.job(1, 0, 0, payload) });
      for (const [role, wire] of [
        ["REP", request],
        ["PULL", job],
      ] as const) {
        const { assembler, payloads } = openStream(role);
        assembler.push(wire);
        expect(payloads.length).toBe(1);
        expect(Buffer.compare(payloads[0] ?? new Uint8Array(0), payload)).toBe(0);
      }
    });
  }

  it("is a view on its chunk, not a copy, and a Buffer under Node.js", () => {
    const { assembler, payloads } = openStream("REP");
    const chunk = bytes("02 00 00000001 00000002 6869");
    assembler.push(chunk);
    expect(payloads[0]?.buffer).toBe(chunk.buffer);
    expect(Buffer.isBuffer(payloads[0])).toBe(true);
  });

  it("is a copy when its chunk lies in memory that others read into", () => {
    const { assembler, payloads } = openStream("REP");
    const chunk = assembler.nextBuffer().subarray(0, 12);
    chunk.set(bytes("02 00 00000001 00000002 6869"));
    assembler.push(chunk);
    chunk.fill(0);
    expect(hex(payloads[0] ?? new Uint8Array(0))).toBe("6869");
  });
});

describe("a topic", () => {
  const topics = ["", ".", "..", "a", "\u{1f600}", "MSGX", "a".repeat(65_525)];
  for (const topic of topics) {
    const shown = topic.length > 20 ? `of ${topic.length} bytes` : JSON.stringify(topic);

    it(`${shown} is the same behind the wire in a subscription`, () => {
      const wire = bytesOf({ by: "SUB", with: (writer) => writer.subscribe(topic, 5) });
      expect(wire).toEqual(naiveEncode({ type: "subscribe", topic, timeMicros: 5 }));
      expect(decodePieces("PUB", [wire]).frames).toEqual([
        { type: "subscribe", topic, timeMicros: 0 },
      ]);
    });

    it(`${shown} is the same behind the wire in its acknowledgement`, () => {
      const wire = bytesOf({ by: "PUB", with: (writer) => writer.subscribed(topic, 3) });
      expect(decodePieces("SUB", [wire]).frames).toEqual([
        { type: "subscribed", topic, sequence: 3 },
      ]);
    });
  }

  it("of 65,525 bytes still fits an unsubscription, whose topic field is then full", () => {
    const topic = "a".repeat(65_525);
    const wire = bytesOf({ by: "SUB", with: (writer) => writer.unsubscribe(topic, 5) });
    expect(hex(wire.subarray(0, 4))).toBe("0300ffff");
    expect(decodePieces("PUB", [wire]).frames).toEqual([
      { type: "unsubscribe", topic, timeMicros: 0 },
    ]);
  });

  it("of 65,535 bytes is received", () => {
    const topic = "b".repeat(65_535);
    const wire = naiveEncode({
      type: "message",
      topic,
      timeMicros: 1,
      sequence: 2,
      compression: 0,
      payload: ascii("x"),
    });
    const { frames } = decodePieces("SUB", [wire.subarray(0, 40_000), wire.subarray(40_000)]);
    expect(frames).toEqual(naiveDecode(wire, { role: "SUB" }).frames);
  });

  it("is read anew when it differs from the one before in its last byte only", () => {
    const topics3 = ["abc", "abd", "abd", "ab", "abc"];
    const wire = joinBytes(
      topics3.map((topic) => naiveEncode({ type: "subscribed", topic, sequence: 1 })),
    );
    expect(decodePieces("SUB", [wire]).frames).toEqual(
      topics3.map((topic) => ({ type: "subscribed", topic, sequence: 1 })),
    );
  });

  it("is read anew when the memory of the one before was used again", () => {
    const { assembler, frames } = openStream("SUB");
    const chunk = Buffer.from(naiveEncode({ type: "subscribed", topic: "a", sequence: 1 }));
    assembler.push(chunk);
    chunk.set(naiveEncode({ type: "subscribed", topic: "b", sequence: 1 }));
    assembler.push(chunk);
    expect(frames).toEqual([
      { type: "subscribed", topic: "a", sequence: 1 },
      { type: "subscribed", topic: "b", sequence: 1 },
    ]);
  });
});

describe("a timestamp", () => {
  for (const timeMicros of [0, 1, 2 ** 32 - 1, 2 ** 32, 1_700_000_000_000_000, 2 ** 53 - 1]) {
    it(`of ${timeMicros} us is the same behind the wire`, () => {
      const wire = naiveEncode({ type: "subscribe", topic: "a", timeMicros });
      expect(bytesOf({ by: "SUB", with: (writer) => writer.subscribe("a", timeMicros) })).toEqual(
        wire,
      );
      const message = naiveEncode({
        type: "message",
        topic: "a",
        timeMicros,
        sequence: 0,
        compression: 0,
        payload: ascii("x"),
      });
      expect(decodePieces("SUB", [message]).frames).toEqual([
        expect.objectContaining({ timeMicros }),
      ]);
    });
  }

  it("over 2^53 us, which none of ours sends, is read to the nearest double", () => {
    const wire = bytes("03 00 0001 61 ffffffffffffffff 00000000 00000000");
    expect(decodePieces("SUB", [wire]).frames).toEqual([
      expect.objectContaining({ timeMicros: 2 ** 64 }),
    ]);
  });
});

describe("earlier deliveries of a job", () => {
  for (let earlierDeliveries = 0; earlierDeliveries <= 15; earlierDeliveries++) {
    it(`are ${earlierDeliveries} behind the wire when they are ${earlierDeliveries}`, () => {
      const wire = bytesOf({
        by: "PUSH",
        with: (writer) => writer.job(7, earlierDeliveries, 0, ascii("x")),
      });
      expect(decodePieces("PULL", [wire]).frames).toEqual([
        { type: "job", sequence: 7, earlierDeliveries, compression: 0, payload: ascii("x") },
      ]);
    });
  }

  it("are 15 behind the wire when they are more", () => {
    for (const earlierDeliveries of [16, 17, 31, 1000]) {
      const wire = bytesOf({
        by: "PUSH",
        with: (writer) => writer.job(7, earlierDeliveries, 5, ascii("x")),
      });
      //                              15 << 3 | 5
      expect(hex(wire.subarray(0, 2))).toBe("047d");
    }
  });
});

describe("a flow frame", () => {
  for (const count of [0, 1, largest32]) {
    it(`may set a window of ${count}`, () => {
      const wire = bytesOf({ by: "PULL", with: (writer) => writer.window(count) });
      expect(decodePieces("PUSH", [wire]).frames).toEqual([{ type: "window", count }]);
    });
  }

  for (const sequence of [0, largest32]) {
    for (const count of [1, 65_536]) {
      it(`may settle ${count} from ${sequence}`, () => {
        const acknowledged = bytesOf({
          by: "PULL",
          with: (writer) => writer.acknowledge(sequence, count),
        });
        const refused = bytesOf({ by: "PULL", with: (writer) => writer.refuse(sequence, count) });
        expect(decodePieces("PUSH", [acknowledged, refused]).frames).toEqual([
          { type: "ack", sequence, count },
          { type: "nack", sequence, count },
        ]);
      });
    }
  }
});

function replyError(code: string, message: string): Uint8Array {
  return bytesOf({ by: "REP", with: (writer) => writer.replyError(1, code, message) });
}

function errorsOf(wire: Uint8Array) {
  const { assembler, errors } = openStream("REQ");
  assembler.push(wire);
  return errors;
}

describe("an error reply", () => {
  it("carries code and message, line ends in the message included", () => {
    const [error] = errorsOf(replyError("NOT_FOUND", "no such\nthing"));
    expect(error).toMatchObject({
      code: "MSG_REMOTE",
      remoteCode: "NOT_FOUND",
      message: "no such\nthing",
    });
  });

  it("is cut to 4 KiB, between two characters", () => {
    // The code and the line end take 2 bytes, so that 4094 are left: 1364 euros and 2 bytes over.
    const wire = replyError("A", "€".repeat(2000));
    const length = new DataView(wire.buffer, wire.byteOffset).getUint32(6);
    expect(length).toBe(4094);
    expect(errorsOf(wire)[0]?.message).toBe("€".repeat(1364));
  });

  it("of exactly 4 KiB is whole", () => {
    const message = "x".repeat(4094);
    expect(errorsOf(replyError("A", message))[0]?.message).toBe(message);
  });

  it("is read to 4 KiB when a peer sends more", () => {
    const payload = joinBytes([ascii("A\n"), new Uint8Array(100_000).fill(0x78)]);
    const frame = joinBytes([bytes("02 80 00000001 000186a2"), payload]);
    expect(errorsOf(frame)[0]?.message).toBe("x".repeat(4094));
  });

  it("with an empty message has its code as message", () => {
    expect(errorsOf(replyError("A", ""))[0]).toMatchObject({ remoteCode: "A", message: "A" });
  });

  it("without a line end is all code", () => {
    const [error] = errorsOf(bytes("02 80 00000001 00000003 414243"));
    expect(error).toMatchObject({ code: "MSG_REMOTE", remoteCode: "ABC" });
  });

  for (const code of ["", "lower", "9FIRST", "SPACE HERE", "X".repeat(65), "É"]) {
    it(`with the code ${JSON.stringify(code)} is a remote error with a code of ours`, () => {
      const [error] = errorsOf(replyError(code, "text"));
      expect(error).toMatchObject({ code: "MSG_REMOTE", remoteCode: "MALFORMED_CODE" });
    });
  }

  it("with a code of this library is remote all the same", () => {
    const [error] = errorsOf(replyError("MSG_CLOSED", "not yours"));
    expect(error).toMatchObject({ code: "MSG_REMOTE", remoteCode: "MSG_CLOSED" });
  });

  it("with the code MSG_NO_ANSWER is that error", () => {
    const [error] = errorsOf(replyError("MSG_NO_ANSWER", ""));
    expect(error?.code).toBe("MSG_NO_ANSWER");
    expect(error?.remoteCode).toBeUndefined();
  });

  it("with the code MSG_DRAINING is a refused request, or a goodbye under the last id", () => {
    const told: string[] = [];
    const { assembler, sink } = openStream("REQ");
    sink.onReplyRefused = (id) => told.push(`refused ${id}`);
    sink.onGoodbye = () => told.push("goodbye");
    assembler.push(replyError("MSG_DRAINING", "later"));
    const goodbye = bytesOf({ by: "REP", with: (writer) => writer.goodbye() });
    assembler.push(goodbye);
    expect(told).toEqual(["refused 1", "goodbye"]);
  });
});

describe("the oracle", () => {
  it("tells the same as the decoder of frames with every compression id", () => {
    for (let compression = 0; compression <= 7; compression++) {
      const wire = bytesOf({
        by: "REQ",
        with: (writer) => writer.request(1, compression, ascii("x")),
      });
      const expected = asTold(naiveDecode(wire, { role: "REP" }));
      expect(decodePieces("REP", [wire]).frames).toEqual(expected.frames);
    }
  });
});
