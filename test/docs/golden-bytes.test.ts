import type { NaiveFrame, NaivePreamble, NaiveReader, NaiveRole } from "@msg-ts/testing";
import { bytes, hex, naiveDecode, naiveEncode } from "@msg-ts/testing";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type {
  HandshakeContext,
  SocketType,
  Welcome,
} from "../../packages/core/src/contracts/protocol.ts";
import { MsgError } from "../../packages/core/src/errors.ts";
import { msg } from "../../packages/core/src/wire/msg/protocol.ts";
import { asTold, decodePieces } from "../../packages/core/test/wire/decode-stream.ts";
import { goldenVectors, specifiedVectors } from "../../packages/core/test/wire/golden-vectors.ts";
import type { DocumentedVector } from "./golden-bytes.ts";
import { documentedVectors } from "./golden-bytes.ts";
import { document } from "./markdown.ts";

const vectors = documentedVectors();
const handshakes = vectors.filter(({ reader }) => reader === "acceptor" || reader === "dialer");
const refused = vectors.filter(({ type }) => type === "closed");
const frames = vectors.filter(
  (vector) => !handshakes.includes(vector) && !refused.includes(vector),
);

/** The record that the oracle has of what the document says. */
function frameOf({ type, fields }: DocumentedVector): NaiveFrame {
  return { type, ...fields } as NaiveFrame;
}

function readerOf({ reader, type }: DocumentedVector): NaiveReader {
  if (reader !== "acceptor" && reader !== "dialer") return { role: reader as NaiveRole };
  const preamble = type.replace(" refused", "") as NaivePreamble;
  return { role: "PULL", preamble: [preamble] };
}

describe("the golden bytes of docs/wire-protocol.md", () => {
  it("have at least one vector of every frame there is", () => {
    const types = new Set(vectors.map(({ type }) => type));
    expect([...types]).toEqual(
      expect.arrayContaining(["hello", "auth", "request", "error reply", "message", "job", "ack"]),
    );
  });

  it("have every vector that the tests of the codec have", () => {
    const documented = new Set(vectors.map((vector) => hex(vector.bytes)));
    const missing = [...goldenVectors, ...specifiedVectors].filter(
      ({ literal }) => !documented.has(hex(bytes(literal))),
    );
    expect(missing.map(({ name }) => name)).toEqual([]);
  });

  it("decompress to what they say, where Node.js has the algorithm", () => {
    const zipped = vectors.find(({ name }) => name.startsWith("gzip"))?.fields["payload"];
    expect(gunzipSync(zipped as Uint8Array).toString()).toBe("hi");
  });
});

describe("the oracle", () => {
  for (const vector of refused) {
    it(`refuses as the document says: ${vector.name}`, () => {
      const { frames: read, error } = naiveDecode(vector.bytes, readerOf(vector));
      expect(read).toEqual([]);
      expect(error).toBe(vector.fields["code"]);
    });
  }

  for (const vector of [...handshakes, ...frames]) {
    it(`reads as the document says: ${vector.name}`, () => {
      const decoded = naiveDecode(vector.bytes, readerOf(vector));
      expect(decoded).toEqual({ frames: [frameOf(vector)], unfinishedBytes: 0 });
    });
  }

  for (const vector of [...handshakes, ...frames].filter(({ type }) => type !== "unreadable")) {
    it(`writes the bytes of the document: ${vector.name}`, () => {
      expect(hex(naiveEncode(frameOf(vector)))).toBe(hex(vector.bytes));
    });
  }
});

describe("the codec of core", () => {
  for (const vector of refused) {
    it(`refuses as the document says: ${vector.name}`, () => {
      const result = decodePieces(vector.reader as SocketType, [vector.bytes]);
      expect(result.error?.code).toBe(vector.fields["code"]);
    });
  }

  for (const vector of frames) {
    it(`reads as the document says: ${vector.name}`, () => {
      const told = asTold({ frames: [frameOf(vector)], unfinishedBytes: 0 });
      const result = decodePieces(vector.reader as SocketType, [vector.bytes]);
      expect(result).toEqual({ frames: told.frames });
    });
  }
});

/** What a handshake of core's makes of bytes: its welcome or error, and what the authenticator saw. */
async function perform(
  context: Partial<HandshakeContext> & Pick<HandshakeContext, "socketType" | "isDialer">,
  input: Uint8Array,
): Promise<{ welcome?: Welcome; error?: MsgError; tokens: string[] }> {
  const tokens: string[] = [];
  const authenticator: HandshakeContext["authenticator"] = ({ token }) => {
    tokens.push(hex(token));
    return true;
  };
  const takesToken = context.socketType === "REP" ? { authenticator } : {};
  const handshake = msg().handshake({ name: "", ...takesToken, ...context });
  let offset = 0;
  const peek = async (length: number): Promise<Uint8Array> => {
    if (offset + length > input.length) throw new MsgError("MSG_PEER_LOST", "no more bytes");
    return input.subarray(offset, offset + length);
  };
  const link = {
    peer: { address: "document", transport: "memory" },
    isDialer: context.isDialer,
    signal: new AbortController().signal,
    peek,
    read: async (length: number) => {
      const taken = await peek(length);
      offset += length;
      return taken;
    },
    write: () => {},
  };
  try {
    const welcome = await handshake?.(link);
    return welcome === undefined ? { tokens } : { welcome, tokens };
  } catch (error) {
    return { error: error as MsgError, tokens };
  }
}

const types: readonly SocketType[] = ["REQ", "REP", "PUB", "SUB", "PUSH", "PULL"];

function handshakesOf(type: string): DocumentedVector[] {
  return handshakes.filter((vector) => vector.type === type);
}

describe("the handshake of core", () => {
  for (const vector of handshakesOf("auth")) {
    it(`gives the authenticator the token of: ${vector.name}`, async () => {
      const { tokens } = await perform({ socketType: "REP", isDialer: false }, vector.bytes);
      expect(tokens).toEqual([hex(vector.fields["token"] as Uint8Array)]);
    });
  }

  for (const vector of handshakesOf("auth answer")) {
    it(`takes the answer: ${vector.name}`, async () => {
      const dialer = { socketType: "REQ", isDialer: true, authToken: "" } as const;
      const { error } = await perform(dialer, vector.bytes);
      const isAccepted = vector.fields["isAccepted"] === true;
      expect(error?.code).toBe(isAccepted ? undefined : "MSG_AUTH_REJECTED");
    });
  }

  for (const vector of handshakesOf("hello")) {
    it(`takes the name from: ${vector.name}`, async () => {
      const peer = types[Number(vector.fields["socketType"]) - 1];
      const socketType = peer === "PULL" ? "PUSH" : "PULL";
      const isDialer = vector.reader === "dialer";
      const { welcome } = await perform({ socketType, isDialer }, vector.bytes);
      expect(welcome?.name).toBe(vector.fields["name"]);
    });
  }

  for (const vector of handshakesOf("hello refused")) {
    it(`rejects for: ${vector.name}`, async () => {
      const { error } = await perform({ socketType: "PUSH", isDialer: true }, vector.bytes);
      const isWrongType = vector.fields["reason"] === 2;
      expect(error?.code).toBe(isWrongType ? "MSG_WRONG_SOCKET_TYPE" : "MSG_PROTOCOL");
    });
  }
});

describe("the registry of frame kinds", () => {
  it("names every byte once, in order", () => {
    const cells = document("docs/wire-protocol.md")
      .text.split("\n")
      .flatMap((line) => /^\| (`0x[\da-f]{2}`(?: to `0x[\da-f]{2}`)?) \|/.exec(line)?.[1] ?? []);
    const ranges = cells.map((cell) => cell.match(/0x[\da-f]{2}/g)?.map(Number) ?? []);
    const bytesNamed = ranges.flatMap(([from = 0, to = from]) =>
      Array.from({ length: to - from + 1 }, (_, index) => from + index),
    );
    expect(bytesNamed).toEqual(Array.from({ length: 256 }, (_, byte) => byte));
  });
});
