import type { NaiveDecoded, NaiveFrame } from "@msg-ts/testing";
import { FrameAssembler } from "../../src/connection/frame-assembler.ts";
import type {
  Backlog,
  Pulse,
  SocketType,
  WireContext,
  WireGate,
} from "../../src/contracts/protocol.ts";
import { MsgError } from "../../src/errors.ts";
import { Compression } from "../../src/wire/compression.ts";
import { msg } from "../../src/wire/msg/protocol.ts";
import { GrowingBuffer } from "./growing-buffer.ts";
import type { Write } from "./golden-vectors.ts";
import { recordingSink } from "./recording-sink.ts";

/** For wires that say nothing by themselves. */
export const noPulse: Pulse = { now: () => 0, receivedBytes: 0, unsentBytes: 0, every() {} };

/** A gate that a test opens and closes. */
export class TestGate implements WireGate {
  holds = 0;
  readonly slab: number = 0;
  readonly slabBytes: number = 0;
  readonly isLent: boolean = false;
  backlog: Backlog | undefined;

  get isOpen(): boolean {
    return this.holds === 0;
  }

  hold(): void {
    this.holds++;
  }

  release(): void {
    this.holds--;
  }

  setBacklog(backlog: Backlog | undefined): void {
    this.backlog = backlog;
  }
}

/** How {@link openStream} decodes. */
export interface StreamOptions {
  /** @defaultValue 64 MiB */
  readonly maxMessageBytes?: number;
  /** @defaultValue none is known */
  readonly compression?: Compression;
}

/** What a stream gave, comparable with the oracle. */
export interface StreamResult {
  readonly frames: readonly NaiveFrame[];
  readonly error?: MsgError;
}

/** One connection's input: core's assembler and decoder, with a recording sink behind them. */
export function openStream<Type extends SocketType>(type: Type, options: StreamOptions = {}) {
  const { maxMessageBytes = 64 * 1024 * 1024 } = options;
  const compression = options.compression ?? new Compression(undefined, 0, []);
  const gate = new TestGate();
  const out = new GrowingBuffer();
  const recording = recordingSink(type);
  const context: WireContext = {
    maxMessageBytes,
    gate,
    decompress: (id, payload, maxBytes) => compression.decompress(id, payload, maxBytes),
    fail: rethrow,
    pulse: noPulse,
  };
  const wire = msg().open(type, out, recording.sink, context);
  const assembler = new FrameAssembler(wire.decoder);
  return { ...recording, gate, out, assembler, wire };
}

/** Decodes pieces one by one until they end or the decoder refuses. */
export function decodePieces(
  type: SocketType,
  pieces: Iterable<Uint8Array>,
  options: StreamOptions = {},
): StreamResult {
  const { assembler, frames } = openStream(type, options);
  try {
    for (const piece of pieces) assembler.push(piece);
  } catch (error) {
    if (MsgError.is(error)) return { frames, error };
    throw error;
  }
  return { frames };
}

/** `bytes` in pieces of `length`. */
export function* piecesOf(bytes: Uint8Array, length: number): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += length) {
    yield bytes.subarray(start, start + length);
  }
}

/** The oracle's answer in the form in which core tells: no flags, no time on subscriptions. */
export function asTold(decoded: NaiveDecoded): { frames: NaiveFrame[]; code: string | undefined } {
  return { frames: decoded.frames.map(told), code: decoded.error };
}

function told(frame: NaiveFrame): NaiveFrame {
  switch (frame.type) {
    case "subscribe":
    case "unsubscribe":
      return { ...frame, timeMicros: 0 };
    case "request":
      return frame.compression === 0 ? frame : { type: "unreadable", number: frame.id };
    case "reply":
      return frame.compression === 0 ? frame : { type: "unreadable", number: frame.id };
    case "job":
    case "message":
      return frame.compression === 0 ? frame : { type: "unreadable", number: frame.sequence };
    case "error reply":
      return toldError(frame);
    default:
      return frame;
  }
}

function toldError(frame: NaiveFrame & { type: "error reply" }): NaiveFrame {
  if (frame.code === "MSG_DRAINING") return { ...frame, message: "" };
  if (frame.code === "MSG_NO_ANSWER") return { type: "unreadable", number: frame.id };
  const code = /^[A-Z][A-Z0-9_]{0,63}$/.test(frame.code) ? frame.code : "MALFORMED_CODE";
  return { ...frame, code, message: frame.message === "" ? code : frame.message };
}

/** The bytes that a writer gives. */
export function bytesOf(write: Write): Uint8Array {
  const { wire, out } = openStream(write.by);
  // `by` says which writer `with` takes; the two are one record.
  (write.with as (writer: unknown) => void)(wire.writer);
  return out.written;
}

function rethrow(error: unknown): never {
  throw error;
}
