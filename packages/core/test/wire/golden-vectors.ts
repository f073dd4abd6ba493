import type { NaiveFrame } from "@msg-ts/testing";
import { bytes } from "@msg-ts/testing";
import type { SocketType, WriterByType } from "../../src/contracts/protocol.ts";

/** One line of docs/wire-protocol.md, "Golden bytes". */
export interface GoldenVector {
  readonly name: string;
  readonly literal: string;
  readonly frame: NaiveFrame;
  /** Who reads it. */
  readonly reader: SocketType;
  /** Who writes it, and how. */
  readonly write: Write;
}

/** Writes with the writer of one socket type. */
export type Write = {
  readonly [Type in SocketType]: { readonly by: Type; with(writer: WriterByType[Type]): void };
}[SocketType];

/** The time in all of them. */
const goldenMicros = 1_700_000_000_000_000;

/** ASCII as bytes. */
export function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.codePointAt(0) ?? 0);
}

function request(id: number, payload: string): Pick<GoldenVector, "frame" | "reader" | "write"> {
  return {
    reader: "REP",
    frame: { type: "request", id, compression: 0, payload: ascii(payload) },
    write: { by: "REQ", with: (writer) => writer.request(id, 0, ascii(payload)) },
  };
}

function reply(
  id: number,
  compression: number,
  payload: Uint8Array,
): Pick<GoldenVector, "frame" | "reader" | "write"> {
  return {
    reader: "REQ",
    frame: { type: "reply", id, compression, payload },
    write: { by: "REP", with: (writer) => writer.reply(id, compression, payload) },
  };
}

function message(
  topic: string,
  sequence: number,
  compression: number,
  payload: Uint8Array,
): Pick<GoldenVector, "frame" | "reader" | "write"> {
  const timeMicros = goldenMicros;
  return {
    reader: "SUB",
    frame: { type: "message", topic, timeMicros, sequence, compression, payload },
    write: {
      by: "PUB",
      with: (writer) =>
        writer.publish(
          {
            topic,
            topicBytes: Buffer.from(topic),
            timestampMicros: timeMicros,
            compression,
            payload,
          },
          sequence,
        ),
    },
  };
}

/** Every frame of the document that has no state before it; AUTH and HELLO are handshake tests. */
export const goldenVectors: readonly GoldenVector[] = [
  {
    name: 'request id 0 "hello"',
    //        kind fl id       length   payload
    literal: "02   00 00000000 00000005 68656c6c6f",
    ...request(0, "hello"),
  },
  {
    name: 'reply id deadbeef "world"',
    literal: "02   00 deadbeef 00000005 776f726c64",
    ...reply(0xdead_beef, 0, ascii("world")),
  },
  {
    name: "empty reply id 1",
    literal: "02   00 00000001 00000000",
    ...reply(1, 0, ascii("")),
  },
  {
    name: 'last id before the wrap, "ok"',
    literal: "02   00 ffffffff 00000002 6f6b",
    ...request(0xffff_ffff, "ok"),
  },
  {
    name: "probe",
    literal: "02   00 00000000 00000004 50494e47",
    ...request(0, "PING"),
  },
  {
    name: "answer to a probe",
    literal: "02   00 00000000 00000004 504f4e47",
    ...reply(0, 0, ascii("PONG")),
  },
  {
    name: 'gzip reply id 6 "hi"',
    literal: "02   01 00000006 00000016 1f8b08000000000000ffcbc80400ac2a93d802000000",
    ...reply(6, 1, bytes("1f8b08000000000000ffcbc80400ac2a93d802000000")),
  },
  {
    name: 'snappy request id 1 "hello"',
    literal: "02   03 00000001 00000007 05 10 68656c6c6f",
    reader: "REP",
    frame: { type: "request", id: 1, compression: 3, payload: bytes("051068656c6c6f") },
    write: { by: "REQ", with: (writer) => writer.request(1, 3, bytes("051068656c6c6f")) },
  },
  {
    name: 'lz4 request id 2 "hello"',
    literal: "02   04 00000002 0000000a 05000000 50 68656c6c6f",
    reader: "REP",
    frame: { type: "request", id: 2, compression: 4, payload: bytes("050000005068656c6c6f") },
    write: { by: "REQ", with: (writer) => writer.request(2, 4, bytes("050000005068656c6c6f")) },
  },
  {
    name: "subscribe prices.eth",
    //        kind fl T    topic                                time             sequence length
    literal: "03   00 0012 4d53472e5355422e7072696365732e657468 00060a24181e4000 00000000 00000000",
    reader: "PUB",
    frame: { type: "subscribe", topic: "prices.eth", timeMicros: goldenMicros },
    write: { by: "SUB", with: (writer) => writer.subscribe("prices.eth", goldenMicros) },
  },
  {
    name: "unsubscribe prices.eth",
    literal:
      "03 00 0014 4d53472e554e5355422e7072696365732e657468 00060a24181e4000 00000000 00000000",
    reader: "PUB",
    frame: { type: "unsubscribe", topic: "prices.eth", timeMicros: goldenMicros },
    write: { by: "SUB", with: (writer) => writer.unsubscribe("prices.eth", goldenMicros) },
  },
  {
    name: 'prices.eth seq 0 "1900.5"',
    literal: "03 00 000a 7072696365732e657468 00060a24181e4000 00000000 00000006 313930302e35",
    ...message("prices.eth", 0, 0, ascii("1900.5")),
  },
  {
    name: 'T seq 3, zstd "hello"',
    literal: "03 02 0001 54 00060a24181e4000 00000003 0000000e 28b52ffd 00 58 290000 68656c6c6f",
    ...message("T", 3, 2, bytes("28b52ffd005829000068656c6c6f")),
  },
  {
    name: 'empty topic seq 1 "x"',
    literal: "03 00 0000 00060a24181e4000 00000001 00000001 78",
    ...message("", 1, 0, ascii("x")),
  },
];

/** Frames of the same document whose bytes it gives only as a table: extensions, errors, jobs, flow. */
export const specifiedVectors: readonly GoldenVector[] = [
  {
    name: "error reply id 2",
    //        kind fl id       length   N O T _ F O U N D \n n o
    literal: "02   80 00000002 0000000c 4e4f545f464f554e44 0a 6e6f",
    reader: "REQ",
    frame: { type: "error reply", id: 2, code: "NOT_FOUND", message: "no" },
    write: { by: "REP", with: (writer) => writer.replyError(2, "NOT_FOUND", "no") },
  },
  {
    name: "goodbye",
    //        kind fl id       length   M S G _ D R A I N I N G \n
    literal: "02   80 ffffffff 0000000d 4d53475f445241494e494e47 0a",
    reader: "REQ",
    frame: { type: "error reply", id: 0xffff_ffff, code: "MSG_DRAINING", message: "" },
    write: { by: "REP", with: (writer) => writer.goodbye() },
  },
  {
    name: "extensions of a SUB",
    //        kind fl T    M S G . E X T . 1  time             sequence length
    literal: "03   00 0009 4d53472e4558542e31 0000000000000000 00000000 00000000",
    reader: "PUB",
    frame: { type: "extensions" },
    write: { by: "SUB", with: (writer) => writer.extensions() },
  },
  {
    name: "mark before 7",
    literal: "03   00 0008 4d53472e4d41524b 0000000000000000 00000007 00000000",
    reader: "SUB",
    frame: { type: "mark", sequence: 7 },
    write: { by: "PUB", with: (writer) => writer.mark(7) },
  },
  {
    name: "subscription to a active from 9",
    literal: "03   00 0009 4d53472e41434b2e61 0000000000000000 00000009 00000000",
    reader: "SUB",
    frame: { type: "subscribed", topic: "a", sequence: 9 },
    write: { by: "PUB", with: (writer) => writer.subscribed("a", 9) },
  },
  {
    name: "subscription to a refused at 9",
    literal: "03   00 000a 4d53472e44454e592e61 0000000000000000 00000009 00000000",
    reader: "SUB",
    frame: { type: "denied", topic: "a", sequence: 9 },
    write: { by: "PUB", with: (writer) => writer.denied?.("a", 9) },
  },
  {
    name: "bye of a PUB",
    literal: "03   00 0007 4d53472e425945 0000000000000000 ffffffff 00000000",
    reader: "SUB",
    frame: { type: "publisher drains", sequence: 0xffff_ffff },
    write: { by: "PUB", with: (writer) => writer.bye(0xffff_ffff) },
  },
  {
    name: "job 5, delivered twice before",
    //        kind fl seq      length   payload
    literal: "04   10 00000005 00000002 6869",
    reader: "PULL",
    frame: {
      type: "job",
      sequence: 5,
      earlierDeliveries: 2,
      compression: 0,
      payload: ascii("hi"),
    },
    write: { by: "PUSH", with: (writer) => writer.job(5, 2, 0, ascii("hi")) },
  },
  {
    name: "window of 100",
    //        kind op seq      count
    literal: "04   00 00000000 00000064",
    reader: "PUSH",
    frame: { type: "window", count: 100 },
    write: { by: "PULL", with: (writer) => writer.window(100) },
  },
  {
    name: "acknowledgement of 3 from 4294967295",
    literal: "04   01 ffffffff 00000003",
    reader: "PUSH",
    frame: { type: "ack", sequence: 0xffff_ffff, count: 3 },
    write: { by: "PULL", with: (writer) => writer.acknowledge(0xffff_ffff, 3) },
  },
  {
    name: "refusal of 65536 from 0",
    literal: "04   02 00000000 00010000",
    reader: "PUSH",
    frame: { type: "nack", sequence: 0, count: 65_536 },
    write: { by: "PULL", with: (writer) => writer.refuse(0, 65_536) },
  },
  {
    name: "bye of a PULL",
    literal: "04   03 00000000 00000000",
    reader: "PUSH",
    frame: { type: "pull drains" },
    write: { by: "PULL", with: (writer) => writer.bye() },
  },
];
