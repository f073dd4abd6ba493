import { isUtf8 } from "node:buffer";
import { joinBytes } from "./hex.ts";
import type { NaiveFrame, NaiveRole } from "./naive-frame.ts";

// The oracle: docs/wire-protocol.md once more, written to be read beside it and not to be fast. It
// shares nothing with the codec in core, so that a mistake would have to be made twice.

const mebibyte = 1024 * 1024;

/** The number in `length` bytes, most significant first. */
function unsigned(value: number, length: number): Uint8Array {
  const result = new Uint8Array(length);
  let rest = BigInt(value);
  for (let i = length - 1; i >= 0; i--) {
    result[i] = Number(rest % 256n);
    rest /= 256n;
  }
  return result;
}

function text(value: string): Uint8Array {
  return new Uint8Array(Buffer.from(value, "utf8"));
}

function frame02(flags: number, id: number, payload: Uint8Array): Uint8Array {
  const header = [unsigned(0x02, 1), unsigned(flags, 1), unsigned(id, 4)];
  return joinBytes([...header, unsigned(payload.length, 4), payload]);
}

interface Frame03 {
  readonly flags?: number;
  readonly topic: string;
  readonly timeMicros?: number;
  readonly sequence?: number;
  readonly payload?: Uint8Array;
}

function frame03(frame: Frame03): Uint8Array {
  const { flags = 0, timeMicros = 0, sequence = 0, payload = new Uint8Array(0) } = frame;
  const topic = text(frame.topic);
  return joinBytes([
    unsigned(0x03, 1),
    unsigned(flags, 1),
    unsigned(topic.length, 2),
    topic,
    unsigned(timeMicros, 8),
    unsigned(sequence, 4),
    unsigned(payload.length, 4),
    payload,
  ]);
}

function flow(op: number, sequence: number, count: number): Uint8Array {
  return joinBytes([unsigned(0x04, 1), unsigned(op, 1), unsigned(sequence, 4), unsigned(count, 4)]);
}

/** The bytes of one frame. */
export function naiveEncode(frame: NaiveFrame): Uint8Array {
  switch (frame.type) {
    case "hello": {
      const name = text(frame.name);
      const fields = [unsigned(0x00, 1), unsigned(1, 1), unsigned(frame.socketType, 1)];
      return joinBytes([...fields, unsigned(name.length, 2), name]);
    }
    case "hello refused":
      return joinBytes([unsigned(0x00, 1), unsigned(0, 1), unsigned(frame.reason, 1)]);
    case "auth":
      return joinBytes([unsigned(0x01, 1), unsigned(frame.token.length, 4), frame.token]);
    case "auth answer":
      return joinBytes([unsigned(0x01, 1), unsigned(frame.isAccepted ? 1 : 0, 1)]);
    case "request":
    case "reply":
      return frame02(frame.compression, frame.id, frame.payload);
    case "error reply":
      return frame02(0x80, frame.id, text(`${frame.code}\n${frame.message}`));
    case "message":
      return frame03({ ...frame, flags: frame.compression });
    case "subscribe":
      return frame03({ topic: `MSG.SUB.${frame.topic}`, timeMicros: frame.timeMicros });
    case "unsubscribe":
      return frame03({ topic: `MSG.UNSUB.${frame.topic}`, timeMicros: frame.timeMicros });
    case "extensions":
      return frame03({ topic: "MSG.EXT.1" });
    case "mark":
      return frame03({ topic: "MSG.MARK", sequence: frame.sequence });
    case "publisher drains":
      return frame03({ topic: "MSG.BYE", sequence: frame.sequence });
    case "subscribed":
      return frame03({ topic: `MSG.ACK.${frame.topic}`, sequence: frame.sequence });
    case "denied":
      return frame03({ topic: `MSG.DENY.${frame.topic}`, sequence: frame.sequence });
    case "job": {
      const flags = frame.earlierDeliveries * 8 + frame.compression;
      const header = [unsigned(0x04, 1), unsigned(flags, 1), unsigned(frame.sequence, 4)];
      return joinBytes([...header, unsigned(frame.payload.length, 4), frame.payload]);
    }
    case "window":
      return flow(0, 0, frame.count);
    case "ack":
      return flow(1, frame.sequence, frame.count);
    case "nack":
      return flow(2, frame.sequence, frame.count);
    case "pull drains":
      return flow(3, 0, 0);
    default:
      throw new Error(`a frame is never written as "${frame.type}"`);
  }
}

/** What is exchanged before the first frame, as its reader sees it. */
export type NaivePreamble = "hello" | "auth" | "auth answer";

/** Who reads a stream of bytes. */
export interface NaiveReader {
  readonly role: NaiveRole;
  /** What comes before the frames, in this order. @defaultValue nothing */
  readonly preamble?: readonly NaivePreamble[];
  /** @defaultValue 64 MiB */
  readonly maxMessageBytes?: number;
}

/** Why a connection is closed. */
export type NaiveErrorCode = "MSG_PROTOCOL" | "MSG_PAYLOAD_TOO_LARGE" | "MSG_WRONG_SOCKET_TYPE";

/** What lies in a stream. */
export interface NaiveDecoded {
  readonly frames: readonly NaiveFrame[];
  /** Bytes behind the last whole frame. */
  readonly unfinishedBytes: number;
  /** Why the reader closes the connection behind those frames; absent when it does not. */
  readonly error?: NaiveErrorCode;
}

/** Everything in a stream from its first byte on. */
export function naiveDecode(bytes: Uint8Array, reader: NaiveReader): NaiveDecoded {
  const cursor = new Cursor(bytes);
  const frames: NaiveFrame[] = [];
  const preamble = [...(reader.preamble ?? [])];
  let start = 0;
  try {
    while (cursor.offset < bytes.length) {
      if (frames.length === (reader.preamble ?? []).length) refuseHello(bytes, cursor, reader);
      frames.push(...readNext(cursor, preamble.shift(), reader));
      start = cursor.offset;
    }
  } catch (error) {
    if (error instanceof Violation) {
      return { frames, unfinishedBytes: bytes.length - start, error: error.code };
    }
    if (!(error instanceof Unfinished)) throw error;
  }
  return { frames, unfinishedBytes: bytes.length - start };
}

/** Those who dial a REP or PUB say no HELLO: one that does pairs with something else. */
function refuseHello(bytes: Uint8Array, cursor: Cursor, reader: NaiveReader): void {
  if (reader.role !== "REP" && reader.role !== "PUB") return;
  if (bytes[cursor.offset] === 0x00) throw new Violation("MSG_WRONG_SOCKET_TYPE");
}

class Unfinished extends Error {}

class Violation extends Error {
  readonly code: NaiveErrorCode;

  constructor(code: NaiveErrorCode) {
    super(code);
    this.code = code;
  }
}

/** Takes fields off the front, or throws that there are not enough bytes yet. */
class Cursor {
  readonly #bytes: Uint8Array;
  offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  take(length: number): Uint8Array {
    if (this.offset + length > this.#bytes.length) throw new Unfinished();
    const taken = new Uint8Array(this.#bytes.subarray(this.offset, this.offset + length));
    this.offset += length;
    return taken;
  }

  unsigned(length: number): number {
    let value = 0n;
    for (const byte of this.take(length)) value = value * 256n + BigInt(byte);
    return Number(value);
  }

  kind(expected: number): void {
    if (this.unsigned(1) !== expected) throw new Violation("MSG_PROTOCOL");
  }

  /** A length that is checked before the body is looked at. */
  length(lengthBytes: number, most: number): number {
    const length = this.unsigned(lengthBytes);
    if (length > most) throw new Violation("MSG_PAYLOAD_TOO_LARGE");
    return length;
  }
}

function utf8(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("utf8");
}

function readNext(
  cursor: Cursor,
  preamble: NaivePreamble | undefined,
  reader: NaiveReader,
): NaiveFrame[] {
  const most = reader.maxMessageBytes ?? 64 * mebibyte;
  if (preamble !== undefined) return [readPreamble(cursor, preamble)];
  switch (reader.role) {
    case "REQ":
      return [readReply(cursor, most)];
    case "REP":
      return [readRequest(cursor, most)];
    case "SUB":
      return readPublished(cursor, most);
    case "PUB":
      return [readSubscription(cursor)];
    case "PULL":
      return [readJob(cursor, most)];
    default:
      return [readFlow(cursor)];
  }
}

function readPreamble(cursor: Cursor, preamble: NaivePreamble): NaiveFrame {
  switch (preamble) {
    case "hello":
      return readHello(cursor);
    case "auth":
      cursor.kind(0x01);
      return { type: "auth", token: cursor.take(cursor.length(4, 4096)) };
    default:
      cursor.kind(0x01);
      return { type: "auth answer", isAccepted: cursor.unsigned(1) !== 0 };
  }
}

function readHello(cursor: Cursor): NaiveFrame {
  cursor.kind(0x00);
  const version = cursor.unsigned(1);
  if (version === 0) return { type: "hello refused", reason: cursor.unsigned(1) };
  if (version !== 1) throw new Violation("MSG_PROTOCOL");
  const socketType = cursor.unsigned(1);
  const nameLength = cursor.unsigned(2);
  if (nameLength > 255) throw new Violation("MSG_PROTOCOL");
  return { type: "hello", socketType, name: utf8(cursor.take(nameLength)) };
}

/** Kind, flags, a number, a payload: requests, replies and jobs. */
function readNumbered(
  cursor: Cursor,
  kind: number,
  most: number,
): { flags: number; number: number; payload: Uint8Array } {
  cursor.kind(kind);
  const flags = cursor.unsigned(1);
  const number = cursor.unsigned(4);
  return { flags, number, payload: cursor.take(cursor.length(4, most)) };
}

function readRequest(cursor: Cursor, most: number): NaiveFrame {
  const { flags, number, payload } = readNumbered(cursor, 0x02, most);
  if (flags > 7) return { type: "unreadable", number };
  return { type: "request", id: number, compression: flags, payload };
}

function readReply(cursor: Cursor, most: number): NaiveFrame {
  const { flags, number, payload } = readNumbered(cursor, 0x02, most);
  if (flags === 0x80) {
    const [code = "", ...lines] = utf8(payload.slice(0, 4096)).split("\n");
    return { type: "error reply", id: number, code, message: lines.join("\n") };
  }
  if (flags > 7) return { type: "unreadable", number };
  return { type: "reply", id: number, compression: flags, payload };
}

function readJob(cursor: Cursor, most: number): NaiveFrame {
  const { flags, number, payload } = readNumbered(cursor, 0x04, most);
  if (flags >= 0x80) return { type: "unreadable", number };
  const compression = flags % 8;
  const earlierDeliveries = Math.floor(flags / 8);
  return { type: "job", sequence: number, earlierDeliveries, compression, payload };
}

function readFlow(cursor: Cursor): NaiveFrame {
  cursor.kind(0x04);
  const op = cursor.unsigned(1);
  const sequence = cursor.unsigned(4);
  const count = cursor.unsigned(4);
  if (op === 0 && sequence === 0) return { type: "window", count };
  if (op === 1 && count >= 1 && count <= 65_536) return { type: "ack", sequence, count };
  if (op === 2 && count >= 1 && count <= 65_536) return { type: "nack", sequence, count };
  if (op === 3 && sequence === 0 && count === 0) return { type: "pull drains" };
  throw new Violation("MSG_PROTOCOL");
}

interface Message {
  readonly flags: number;
  readonly topicBytes: Uint8Array;
  readonly timeMicros: number;
  readonly sequence: number;
  readonly payload: Uint8Array;
}

function readMessage(cursor: Cursor, most: number): Message {
  cursor.kind(0x03);
  const flags = cursor.unsigned(1);
  const topicBytes = cursor.take(cursor.unsigned(2));
  const timeMicros = cursor.unsigned(8);
  const sequence = cursor.unsigned(4);
  return { flags, topicBytes, timeMicros, sequence, payload: cursor.take(cursor.length(4, most)) };
}

/** What a SUB reads; an extension it does not know is nothing. */
function readPublished(cursor: Cursor, most: number): NaiveFrame[] {
  const { flags, topicBytes, timeMicros, sequence, payload } = readMessage(cursor, most);
  const topic = utf8(topicBytes);
  if (topic.startsWith("MSG.") && payload.length === 0) {
    if (flags !== 0) return [];
    if (topic === "MSG.MARK") return [{ type: "mark", sequence }];
    if (topic === "MSG.BYE") return [{ type: "publisher drains", sequence }];
    if (topic.startsWith("MSG.DENY.")) return [{ type: "denied", topic: topic.slice(9), sequence }];
    if (!topic.startsWith("MSG.ACK.")) return [];
    return [{ type: "subscribed", topic: topic.slice(8), sequence }];
  }
  if (flags > 7) return [{ type: "unreadable", number: sequence }];
  return [{ type: "message", topic, timeMicros, sequence, compression: flags, payload }];
}

/** What a PUB reads. A subscription has no payload, so its limit is 0. */
function readSubscription(cursor: Cursor): NaiveFrame {
  const { flags, topicBytes, timeMicros } = readMessage(cursor, 0);
  const topic = utf8(topicBytes);
  if (flags !== 0 || !isUtf8(topicBytes)) return { type: "ignored" };
  if (topic === "MSG.EXT.1") return { type: "extensions" };
  if (topic.startsWith("MSG.SUB.")) return { type: "subscribe", topic: topic.slice(8), timeMicros };
  if (topic.startsWith("MSG.UNSUB.")) {
    return { type: "unsubscribe", topic: topic.slice(10), timeMicros };
  }
  return { type: "ignored" };
}
