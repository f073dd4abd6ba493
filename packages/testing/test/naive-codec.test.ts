import type { NaiveFrame, NaivePreamble, NaiveRole } from "@msg-ts/testing";
import { bytes, hex, joinBytes, naiveDecode, naiveEncode } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";

interface Vector {
  readonly name: string;
  readonly literal: string;
  readonly frame: NaiveFrame;
  readonly preamble: NaivePreamble;
}

// Frames before the first frame; the others are golden tests of core.
const vectors: readonly Vector[] = [
  {
    name: 'auth "client1"',
    literal: "01 00000007 636c69656e7431",
    frame: { type: "auth", token: bytes("636c69656e7431") },
    preamble: "auth",
  },
  {
    name: "auth with an empty token",
    literal: "01 00000000",
    frame: { type: "auth", token: bytes("") },
    preamble: "auth",
  },
  {
    name: "token accepted",
    literal: "01 01",
    frame: { type: "auth answer", isAccepted: true },
    preamble: "auth answer",
  },
  {
    name: "token rejected",
    literal: "01 00",
    frame: { type: "auth answer", isAccepted: false },
    preamble: "auth answer",
  },
  {
    name: 'HELLO of a PUSH named "né"',
    literal: "00 01 05 0003 6ec3a9",
    frame: { type: "hello", socketType: 5, name: "né" },
    preamble: "hello",
  },
  {
    name: "HELLO refused for its type",
    literal: "00 00 02",
    frame: { type: "hello refused", reason: 2 },
    preamble: "hello",
  },
];

describe.each(vectors)("$name", ({ literal, frame, preamble }) => {
  it("is written as the document has it", () => {
    expect(hex(naiveEncode(frame))).toBe(hex(bytes(literal)));
  });

  it("is read from those bytes, and not before the last of them", () => {
    const whole = bytes(literal);
    const reader = { role: "REP", preamble: [preamble] } as const;
    expect(naiveDecode(whole, reader)).toEqual({ frames: [frame], unfinishedBytes: 0 });
    for (let cut = 0; cut < whole.length; cut++) {
      const unfinished = naiveDecode(whole.subarray(0, cut), reader);
      expect(unfinished).toEqual({ frames: [], unfinishedBytes: cut });
    }
  });
});

describe("the oracle", () => {
  it("reads what comes before the frames, then the frames", () => {
    const stream = joinBytes([
      bytes("01 00000000"),
      bytes("00 01 05 0000"),
      bytes("04 00 00000000 00000001 78"),
      bytes("04 00"),
    ]);
    expect(naiveDecode(stream, { role: "PULL", preamble: ["auth", "hello"] })).toEqual({
      frames: [
        { type: "auth", token: bytes("") },
        { type: "hello", socketType: 5, name: "" },
        { type: "job", sequence: 0, earlierDeliveries: 0, compression: 0, payload: bytes("78") },
      ],
      unfinishedBytes: 2,
    });
  });

  const errors: readonly (readonly [NaiveRole, string, string])[] = [
    ["REQ", "03", "MSG_PROTOCOL"],
    ["REP", "00", "MSG_WRONG_SOCKET_TYPE"],
    ["REP", "02 00 00000000 04000001", "MSG_PAYLOAD_TOO_LARGE"],
    ["PUB", "00", "MSG_WRONG_SOCKET_TYPE"],
    ["PUB", "03 00 0000 0000000000000000 00000000 00000001", "MSG_PAYLOAD_TOO_LARGE"],
    ["SUB", "ff", "MSG_PROTOCOL"],
    ["PUSH", "04 01 00000000 00000000", "MSG_PROTOCOL"],
    ["PUSH", "04 04 00000000 00000000", "MSG_PROTOCOL"],
    ["PULL", "02", "MSG_PROTOCOL"],
  ];
  for (const [role, literal, error] of errors) {
    it(`closes the connection of a ${role} with ${error} at ${literal}`, () => {
      expect(naiveDecode(bytes(literal), { role })).toMatchObject({ frames: [], error });
    });
  }

  it("closes a connection with a token over 4 KiB, or another version, or a name over 255", () => {
    for (const [preamble, literal, error] of [
      ["auth", "01 00001001", "MSG_PAYLOAD_TOO_LARGE"],
      ["auth", "02", "MSG_PROTOCOL"],
      ["hello", "00 02", "MSG_PROTOCOL"],
      ["hello", "00 01 05 0100", "MSG_PROTOCOL"],
      ["auth answer", "02", "MSG_PROTOCOL"],
    ] as const) {
      const decoded = naiveDecode(bytes(literal), { role: "PULL", preamble: [preamble] });
      expect(decoded).toMatchObject({ frames: [], error });
    }
  });

  it("has no bytes for what is only ever read", () => {
    expect(() => naiveEncode({ type: "ignored" })).toThrow("never written");
    expect(() => naiveEncode({ type: "unreadable", number: 1 })).toThrow("never written");
  });
});
