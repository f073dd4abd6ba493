import { isDeepStrictEqual } from "node:util";
import type { Backlog, WireContext } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import { joinBytes } from "@msg-ts/testing";
import { FrameAssembler } from "../../packages/core/src/connection/frame-assembler.ts";
import { FrameReader, maxCommandBytes } from "../../packages/zmtp/src/wire/frame-reader.ts";
import { decodeMetadata, encodeMetadata } from "../../packages/zmtp/src/wire/metadata.ts";
import type { Case, Target } from "./case.ts";
import { fixedInteger } from "./mutations.ts";
import type { Random } from "./random.ts";
import { cut, editStream, maxMessageBytes } from "./stream-inputs.ts";
import { difference, streamInput } from "./wire-target.ts";

const maxParts = 8;

/** What a stream of ZMTP frames says: each message as its parts in hex, each command by its name. */
interface Told {
  readonly heard: readonly string[];
  readonly code: string | undefined;
}

/** The frames behind a handshake of ZMTP, and the properties that a peer says of itself. */
export const zmtpTargets: readonly Target[] = [
  {
    name: "zmtp frames",
    refusals: ["MSG_PROTOCOL", "MSG_PAYLOAD_TOO_LARGE"],
    open: async () => ({
      makeCase: (random: Random) => {
        const { input, how } = streamInput(random, () => anyFrames(random));
        return { ...framesCase(input), how };
      },
      caseOf: framesCase,
      editLength: editStream,
    }),
  },
  {
    name: "zmtp metadata",
    refusals: ["MSG_PROTOCOL"],
    open: async () => ({
      makeCase: (random: Random) => {
        const { input, how } = streamInput(random, () => anyMetadata(random));
        return { ...metadataCase(input.subarray(1)), how };
      },
      caseOf: metadataCase,
      editLength: editStream,
    }),
  },
];

function framesCase(input: Uint8Array): Case {
  const stream = input.subarray(1);
  let told: Told | undefined;
  const judge = (): string | undefined => {
    const expected = naiveFrames(stream);
    return isDeepStrictEqual(told, expected) ? undefined : difference(told, expected);
  };
  return {
    how: "given",
    input,
    take: () => {
      const { heard, error } = readFrames(cut(stream, input[0] ?? 0));
      told = { heard, code: error?.code };
      if (error !== undefined) throw error;
      return told;
    },
    wrongResult: judge,
    wrongRefusal: judge,
  };
}

function readFrames(pieces: Iterable<Uint8Array>): { heard: string[]; error?: MsgError } {
  const heard: string[] = [];
  const receiver = {
    onMessage: (first: Uint8Array, parts: readonly Uint8Array[] | undefined) => {
      heard.push((parts ?? [first]).map(hexOf).join(" "));
    },
    onCommand: ({ name, data }: { readonly name: string; readonly data: Uint8Array }) => {
      heard.push(`${name}: ${hexOf(data)}`);
    },
  };
  const assembler = new FrameAssembler(new FrameReader(receiver, context, maxParts, undefined));
  try {
    for (const piece of pieces) assembler.push(piece);
  } catch (error) {
    if (MsgError.is(error)) return { heard, error };
    throw error;
  }
  return { heard };
}

/** Of a connection that is always read. */
const context: WireContext = {
  maxMessageBytes,
  gate: {
    isOpen: true,
    slab: 0,
    slabBytes: 0,
    isLent: false,
    hold: () => {},
    release: () => {},
    setBacklog: (_backlog: Backlog | undefined) => {},
  },
  pulse: { now: () => 0, receivedBytes: 0, unsentBytes: 0, every: () => {} },
  decompress: (_id, payload) => payload,
  fail: (error) => {
    throw error;
  },
};

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** RFC 37 once more, to be read beside it. */
function naiveFrames(stream: Uint8Array): Told {
  const heard: string[] = [];
  const bytes = Buffer.from(stream);
  let parts: Buffer[] = [];
  for (let at = 0; ;) {
    const flags = bytes[at] ?? 0;
    const headerBytes = (flags & 2) === 0 ? 2 : 9;
    if (bytes.length - at < headerBytes) return { heard, code: undefined };
    const length =
      headerBytes === 2 ? bytes.readUInt8(at + 1) : Number(bytes.readBigUInt64BE(at + 1));
    const isCommand = (flags & 4) !== 0;
    const held = parts.reduce((sum, part) => sum + part.length, 0);
    const isTooLong = isCommand ? length > maxCommandBytes : held + length > maxMessageBytes;
    if (isTooLong) return { heard, code: "MSG_PAYLOAD_TOO_LARGE" };
    if (bytes.length - at < headerBytes + length) return { heard, code: undefined };
    const body = bytes.subarray(at + headerBytes, at + headerBytes + length);
    at += headerBytes + length;
    if (isCommand) {
      const command = naiveCommand(body);
      if (command === undefined) return { heard, code: "MSG_PROTOCOL" };
      if (!command.startsWith("ERROR: ")) heard.push(command);
      continue;
    }
    const isMore = (flags & 1) !== 0;
    if (parts.length > 0 || isMore) {
      if (parts.length >= maxParts) return { heard, code: "MSG_PAYLOAD_TOO_LARGE" };
    }
    parts = [...parts, body];
    if (isMore) continue;
    heard.push(parts.map(hexOf).join(" "));
    parts = [];
  }
}

function naiveCommand(body: Buffer): string | undefined {
  // As a libzmq server of PLAIN spells it.
  if (body.subarray(0, 5).toString("latin1") === "^RROR") return "ERROR: ";
  const [length = 0] = body;
  if (length === 0 || body.length < 1 + length) return undefined;
  return `${body.toString("utf8", 1, 1 + length)}: ${hexOf(body.subarray(1 + length))}`;
}

const commands = ["READY", "ERROR", "PING", "PONG", "SUBSCRIBE", "CANCEL", "^RROR", "", "X"];

function anyFrames(random: Random): Uint8Array {
  const frames = Array.from({ length: random.small(12) }, () => {
    const isCommand = random.oneIn(4);
    const data = random.bytes(random.oneIn(20) ? random.small(3_000) : random.small(40));
    const name = Buffer.from(random.pick(commands));
    const body = isCommand ? joinBytes([Uint8Array.of(name.length), name, data]) : data;
    const isLong = body.length > 255 || random.oneIn(8);
    const flags = (isCommand ? 4 : random.below(2)) | (isLong ? 2 : 0) | (random.oneIn(16) ? 8 : 0);
    const length = fixedInteger(body.length, isLong ? 8 : 1, false);
    return joinBytes([Uint8Array.of(flags), length, body]);
  });
  return joinBytes(frames);
}

const names = ["Socket-Type", "Identity", "X-a", "resource", "socket-type"];

function anyMetadata(random: Random): Uint8Array {
  const properties = Array.from({ length: random.small(8) }, () => {
    return [random.pick(names), random.bytes(random.small(30))] as const;
  });
  return encodeMetadata(properties);
}

/** What is read is written and read again, and is the same; a name in any case is the same name. */
function metadataCase(input: Uint8Array): Case {
  return {
    how: "given",
    input,
    take: () => decodeMetadata(input),
    wrongResult: (result) => {
      const read = result as ReturnType<typeof decodeMetadata>;
      const again = decodeMetadata(encodeMetadata([...read]));
      const expected = naiveMetadata(input);
      if (!isDeepStrictEqual(again, read)) return "read something else when it was written again";
      const actual = [...read].map(([name, value]) => `${name}=${hexOf(value)}`);
      return isDeepStrictEqual(actual, expected) ? undefined : difference(actual, expected);
    },
    wrongRefusal: () => (naiveMetadata(input) === undefined ? undefined : "refused what is well"),
  };
}

function naiveMetadata(input: Uint8Array): string[] | undefined {
  const found = new Map<string, string>();
  const bytes = Buffer.from(input);
  for (let at = 0; at < bytes.length;) {
    const nameEnd = at + 1 + bytes.readUInt8(at);
    if (nameEnd + 4 > bytes.length) return undefined;
    const name = bytes.toString("latin1", at + 1, nameEnd);
    const valueEnd = nameEnd + 4 + bytes.readUInt32BE(nameEnd);
    if (!/^[\w.+-]+$/.test(name) || valueEnd > bytes.length) return undefined;
    found.set(name.toLowerCase(), hexOf(bytes.subarray(nameEnd + 4, valueEnd)));
    at = valueEnd;
  }
  return [...found].map(([name, value]) => `${name}=${value}`);
}
