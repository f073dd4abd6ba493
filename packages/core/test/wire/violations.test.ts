import { bytes, hex, joinBytes } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import type { SocketType } from "../../src/contracts/protocol.ts";
import { decodePieces, openStream, piecesOf } from "./decode-stream.ts";

const legalKinds: Readonly<Record<SocketType, number>> = {
  REQ: 0x02,
  REP: 0x02,
  PUB: 0x03,
  SUB: 0x03,
  PUSH: 0x04,
  PULL: 0x04,
};
const roles = Object.keys(legalKinds) as SocketType[];

function byteHex(value: number): string {
  return value.toString(16).padStart(2, "0");
}

for (const role of roles) {
  const legal = legalKinds[role];
  const refusesHello = role === "REP" || role === "PUB";

  describe(`the first byte of a frame for a ${role}`, () => {
    it("closes the connection when it is any other kind, before the next byte, naming both", () => {
      for (let kind = 0; kind < 256; kind++) {
        if (kind === legal || (kind === 0 && refusesHello)) continue;
        const { error } = decodePieces(role, [Uint8Array.of(kind)]);
        expect(error?.code).toBe("MSG_PROTOCOL");
        expect(error?.message).toBe(
          `peer sent frame kind 0x${byteHex(kind)}, expected 0x${byteHex(legal)}`,
        );
      }
    });

    it(`waits for more when it is 0x${byteHex(legal)}`, () => {
      expect(decodePieces(role, [Uint8Array.of(legal)])).toEqual({ frames: [] });
    });
  });
}

const request = "02 00 00000001 00000000";
const subscription = "03 00 0009 4d53472e5355422e61 0000000000000000 00000000 00000000";

for (const role of ["REP", "PUB"] as const) {
  describe(`a HELLO for a ${role}`, () => {
    it("is answered with reason 2 before the connection is closed", () => {
      const { assembler, out } = openStream(role);
      const hello = bytes("00 01 05 0000");
      expect(() => assembler.push(hello)).toThrow(
        expect.objectContaining({ code: "MSG_WRONG_SOCKET_TYPE" }),
      );
      expect(hex(out.written)).toBe("000002");
    });

    it("is answered from its first byte", () => {
      const { assembler, out } = openStream(role);
      expect(() => assembler.push(Uint8Array.of(0))).toThrow(
        expect.objectContaining({ code: "MSG_WRONG_SOCKET_TYPE" }),
      );
      expect(hex(out.written)).toBe("000002");
    });

    it("behind a frame is only an unknown kind, also at the start of a chunk", () => {
      const { assembler, out, frames } = openStream(role);
      const frame = role === "REP" ? request : subscription;
      assembler.push(bytes(frame));
      expect(() => assembler.push(bytes("00 01 05 0000"))).toThrow(
        expect.objectContaining({ code: "MSG_PROTOCOL" }),
      );
      expect(frames.length).toBe(1);
      expect(hex(out.written)).toBe("");
    });
  });

  describe(`an AUTH for a ${role} without authenticator`, () => {
    it("closes the connection", () => {
      const { error } = decodePieces(role, [bytes("01 00000007 636c69656e7431")]);
      expect(error?.code).toBe("MSG_PROTOCOL");
      expect(error?.message).toContain("0x01");
    });
  });
}

/** Headers up to the length, which follows. */
const headers: readonly { readonly role: SocketType; readonly header: string }[] = [
  { role: "REQ", header: "02 00 00000001" },
  { role: "REP", header: "02 00 00000001" },
  { role: "PULL", header: "04 00 00000001" },
  { role: "SUB", header: "03 00 0001 61 0000000000000000 00000000" },
];

describe("a length over the limit", () => {
  for (const { role, header } of headers) {
    it(`closes a ${role}'s connection with the last byte of the header, naming both numbers`, () => {
      const { assembler, frames } = openStream(role, { maxMessageBytes: 1024 });
      const whole = bytes(`${header} 00000401`);
      assembler.push(whole.subarray(0, -1));
      expect(() => assembler.push(whole.subarray(-1))).toThrow(
        expect.objectContaining({
          code: "MSG_PAYLOAD_TOO_LARGE",
          message: "peer announced 1025 bytes, maxMessageBytes is 1024",
        }),
      );
      expect(frames).toEqual([]);
      expect(assembler.bufferedBytes).toBeLessThanOrEqual(whole.length);
    });

    it(`is refused by a ${role} when it comes one byte at a time`, () => {
      const whole = bytes(`${header} ffffffff`);
      const { error } = decodePieces(role, piecesOf(whole, 1), { maxMessageBytes: 1024 });
      expect(error?.code).toBe("MSG_PAYLOAD_TOO_LARGE");
    });

    it(`still lets a ${role} have the frames before it`, () => {
      const stream = bytes(`${header} 00000001 78 ${header} 00000401`);
      const { frames, error } = decodePieces(role, [stream], { maxMessageBytes: 1024 });
      expect(frames.length).toBe(1);
      expect(error?.code).toBe("MSG_PAYLOAD_TOO_LARGE");
    });

    it(`at the limit is taken by a ${role}`, () => {
      const whole = joinBytes([bytes(`${header} 00000400`), new Uint8Array(1024)]);
      const { frames } = decodePieces(role, [whole], { maxMessageBytes: 1024 });
      expect(frames).toEqual([expect.objectContaining({ payload: new Uint8Array(1024) })]);
    });
  }

  it("takes no memory: a thousand refused headers of 4 GiB leave none behind", () => {
    const before = process.memoryUsage().arrayBuffers;
    const streams = Array.from({ length: 1000 }, () => openStream("REP"));
    for (const { assembler } of streams) {
      assembler.push(bytes("02 00 00000001 ff"));
      expect(() => assembler.push(bytes("ffffff"))).toThrow("peer announced");
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024);
  });
});

describe("a subscription", () => {
  it("closes the connection when it announces a payload, before the payload comes", () => {
    const stream = bytes("03 00 0009 4d53472e5355422e61 0000000000000000 00000000 00000001");
    const { frames, error } = decodePieces("PUB", [stream]);
    expect(frames).toEqual([]);
    expect(error?.code).toBe("MSG_PAYLOAD_TOO_LARGE");
  });

  it("is ignored when its topic is not UTF-8, and the next one counts", () => {
    const stream = bytes(`
      03 00 0009 4d53472e5355422e ff 0000000000000000 00000000 00000000
      03 00 0009 4d53472e5355422e 61 0000000000000000 00000000 00000000`);
    expect(decodePieces("PUB", [stream])).toEqual({
      frames: [{ type: "ignored" }, { type: "subscribe", topic: "a", timeMicros: 0 }],
    });
  });

  it("is ignored when it is another topic of ours, or none of ours", () => {
    const stream = bytes(`
      03 00 0009 4d53472e4558542e32 0000000000000000 00000000 00000000
      03 00 0001 61                 0000000000000000 00000000 00000000`);
    const ignored = { type: "ignored" };
    expect(decodePieces("PUB", [stream])).toEqual({ frames: [ignored, ignored] });
  });

  for (const flags of [0x01, 0x07, 0x08, 0x80]) {
    it(`is ignored when its flags are 0x${byteHex(flags)}`, () => {
      const tail = "0009 4d53472e5355422e61 0000000000000000 00000000 00000000";
      expect(decodePieces("PUB", [bytes(`03 ${byteHex(flags)} ${tail} 03 00 ${tail}`)])).toEqual({
        frames: [{ type: "ignored" }, { type: "subscribe", topic: "a", timeMicros: 0 }],
      });
    });
  }
});

describe("an extension of a PUB", () => {
  it("is skipped when it is unknown", () => {
    const stream = bytes(`
      03 00 0007 4d53472e4e4557   0000000000000000 00000001 00000000
      03 00 0008 4d53472e4d41524b 0000000000000000 00000002 00000000`);
    expect(decodePieces("SUB", [stream])).toEqual({ frames: [{ type: "mark", sequence: 2 }] });
  });

  it("is skipped when a flag is set", () => {
    const stream = bytes("03 08 0008 4d53472e4d41524b 0000000000000000 00000002 00000000");
    expect(decodePieces("SUB", [stream])).toEqual({ frames: [] });
  });

  it("is a message when it has a payload", () => {
    const stream = bytes("03 00 0008 4d53472e4d41524b 0000000000000000 00000002 00000001 78");
    const { frames } = decodePieces("SUB", [stream]);
    expect(frames).toEqual([expect.objectContaining({ type: "message", topic: "MSG.MARK" })]);
  });
});

describe("a message's topic", () => {
  it("has U+FFFD where its bytes are not UTF-8", () => {
    const stream = bytes("03 00 0003 61ff62 0000000000000000 00000000 00000000");
    const { frames } = decodePieces("SUB", [stream]);
    expect(frames).toEqual([expect.objectContaining({ type: "message", topic: "a\ufffdb" })]);
  });
});

/** Frames whose flags follow the kind, and which flags must be 0 in them. */
const flagged: readonly {
  readonly role: SocketType;
  readonly kind: string;
  readonly rest: string;
  readonly reserved: readonly number[];
}[] = [
  {
    role: "REQ",
    kind: "02",
    rest: "00000009 00000001 78",
    // 0x80 alone is an error reply.
    reserved: [0x08, 0x10, 0x20, 0x40, 0x81, 0x88, 0xff],
  },
  {
    role: "REP",
    kind: "02",
    rest: "00000009 00000001 78",
    reserved: [0x08, 0x10, 0x40, 0x80, 0xff],
  },
  {
    role: "SUB",
    kind: "03",
    rest: "0001 61 0000000000000000 00000009 00000001 78",
    reserved: [0x08, 0x10, 0x40, 0x80, 0xff],
  },
  // Bits 3-6 of a job say how often it was delivered before.
  { role: "PULL", kind: "04", rest: "00000009 00000001 78", reserved: [0x80, 0x88, 0xff] },
];

for (const { role, kind, rest, reserved } of flagged) {
  describe(`a frame for a ${role}`, () => {
    for (const flags of reserved) {
      it(`with the reserved flags 0x${byteHex(flags)} fails alone: the next one is told`, () => {
        const { assembler, frames, errors } = openStream(role);
        assembler.push(bytes(`${kind} ${byteHex(flags)} ${rest} ${kind} 00 ${rest}`));
        expect(frames[0]).toEqual({ type: "unreadable", number: 9 });
        expect(frames[1]).toEqual(expect.objectContaining({ payload: bytes("78") }));
        expect(errors.map(({ code }) => code)).toEqual(["MSG_UNKNOWN_COMPRESSION"]);
        expect(errors[0]?.message).toContain(`0x${byteHex(flags)}`);
      });
    }

    for (const id of [1, 2, 3, 4, 5, 6, 7]) {
      it(`with compression ${id}, which nobody brought, fails alone: the next one is told`, () => {
        const { assembler, frames, errors } = openStream(role);
        assembler.push(bytes(`${kind} 0${id} ${rest} ${kind} 00 ${rest}`));
        expect(frames[0]).toEqual({ type: "unreadable", number: 9 });
        expect(frames[1]).toEqual(expect.objectContaining({ payload: bytes("78") }));
        expect(errors.map(({ code }) => code)).toEqual(["MSG_UNKNOWN_COMPRESSION"]);
        expect(errors[0]?.message).toContain(`id ${id}`);
      });
    }
  });
}

describe("a flow frame", () => {
  const violations: readonly { readonly what: string; readonly literal: string }[] = [
    { what: "a window with a sequence", literal: "04 00 00000001 00000064" },
    { what: "an acknowledgement of none", literal: "04 01 00000005 00000000" },
    { what: "an acknowledgement of 65,537", literal: "04 01 00000005 00010001" },
    { what: "a refusal of none", literal: "04 02 00000005 00000000" },
    { what: "a refusal of 65,537", literal: "04 02 00000005 00010001" },
    { what: "a bye with a sequence", literal: "04 03 00000001 00000000" },
    { what: "a bye with a count", literal: "04 03 00000000 00000001" },
  ];
  for (const { what, literal } of violations) {
    it(`closes the connection when it is ${what}`, () => {
      const { frames, error } = decodePieces("PUSH", [bytes(literal)]);
      expect(frames).toEqual([]);
      expect(error?.code).toBe("MSG_PROTOCOL");
    });
  }

  it("closes the connection when its op is unknown, naming it", () => {
    for (let op = 4; op < 256; op++) {
      const { error } = decodePieces("PUSH", [bytes(`04 ${byteHex(op)} 00000000 00000000`)]);
      expect(error?.code).toBe("MSG_PROTOCOL");
      expect(error?.message).toContain(`flow op ${op}`);
    }
  });
});
