import type { NaiveFrame } from "@msg-ts/testing";
import { bytes, hex, joinBytes, naiveEncode } from "@msg-ts/testing";
import type { Decompressor } from "../../src/contracts/compressor.ts";
import type { SocketType } from "../../src/contracts/protocol.ts";
import { Compression } from "../../src/wire/compression.ts";
import type { EndOptions } from "../connection/connection-scene.ts";
import { againstRawPeer } from "../connection/connection-scene.ts";

/** The types that are told payloads. */
export type ReadingType = Extract<SocketType, "REQ" | "REP" | "SUB" | "PULL">;

/** The HELLO of a PUSH. */
const pushHello: NaiveFrame = { type: "hello", socketType: 5, name: "" };

/** A connection whose payloads are undone by `decompressors`, against a raw peer that was let in. */
export async function reading<Type extends ReadingType>(
  type: Type,
  decompressors: readonly Decompressor[],
  options: EndOptions = {},
  pieceBytes: () => number = () => Infinity,
) {
  const compression = new Compression(undefined, 0, decompressors);
  const side = type === "REQ" || type === "SUB" ? "dials" : "accepts";
  const scene = againstRawPeer(type, side, { compression, ...options }, { pieceBytes });
  scene.connection.start();
  if (type === "PULL") scene.peer.send(naiveEncode(pushHello));
  await scene.runtime.settle();
  const { runtime, peer, end } = scene;
  return {
    ...scene,
    /** Sends frames in one go and waits until nothing moves. */
    async send(...frames: readonly NaiveFrame[]): Promise<void> {
      peer.send(joinBytes(frames.map(naiveEncode)));
      await runtime.settle();
    },
    /** What the sink heard, in short. */
    get told(): string[] {
      return end.recording.frames.map(inShort);
    },
  };
}

/** `1=aabb`, `1!` when it was unreadable, else the type and its number. */
export function inShort(frame: NaiveFrame): string {
  switch (frame.type) {
    case "request":
    case "reply":
      return `${frame.id}=${hex(frame.payload)}`;
    case "message":
    case "job":
      return `${frame.sequence}=${hex(frame.payload)}`;
    case "unreadable":
      return `${frame.number}!`;
    case "mark":
    case "publisher drains":
      return `${frame.type} ${frame.sequence}`;
    case "subscribed":
    case "denied":
      return `${frame.type} ${frame.topic}`;
    case "error reply":
      return `${frame.code} ${frame.id}`;
    default:
      return frame.type;
  }
}

/** A frame with a payload, given as hex, for the type that reads it. */
export function frameFor(
  type: ReadingType,
  number: number,
  payload: string | Uint8Array,
  compression = 0,
): NaiveFrame {
  const data = typeof payload === "string" ? bytes(payload) : payload;
  const rest = { compression, payload: data };
  switch (type) {
    case "REQ":
      return { type: "reply", id: number, ...rest };
    case "REP":
      return { type: "request", id: number, ...rest };
    case "SUB":
      return { type: "message", topic: "t", timeMicros: 0, sequence: number, ...rest };
    case "PULL":
      return { type: "job", sequence: number, earlierDeliveries: 0, ...rest };
  }
}
