import { decodeText, encodeText, viewOf } from "../../bytes.ts";
import type {
  FrameBuffer,
  RepSink,
  RepWriter,
  ReqSink,
  ReqWriter,
  WireContext,
} from "../../contracts/protocol.ts";
import { MsgError } from "../../errors.ts";
import {
  drainingCode,
  errorReplyFlags,
  frameKind,
  goodbyeId,
  maxErrorReplyBytes,
} from "./header.ts";
import type { PayloadReceiver } from "./payload-reader.ts";
import { PayloadReader } from "./payload-reader.ts";
import type { ShortFrameReceiver } from "./short-frame.ts";
import { writeShortFrame } from "./short-frame.ts";

/** All but the compression id; bit 7 alone is an error reply and is seen before. */
const reservedBits = 0xf8;

interface RequestHeader {
  readonly id: number;
  readonly wasCompressed: boolean;
}

/** Reads 0x02 frames as requests, for a REP. */
export class RequestReceiver implements ShortFrameReceiver, PayloadReceiver<RequestHeader> {
  readonly #sink: RepSink;
  readonly #context: WireContext;
  /** Made for the first payload that is compressed: idle connections are to cost little. */
  #reader: PayloadReader<RequestHeader> | undefined;

  constructor(sink: RepSink, context: WireContext) {
    this.#sink = sink;
    this.#context = context;
  }

  onFrame(id: number, flags: number, payload: Uint8Array): void {
    const reader = this.#reader;
    if (flags === 0 && (reader === undefined || !reader.mustQueue)) {
      this.#sink.onRequest(id, payload, false);
      return;
    }
    this.#reader ??= new PayloadReader(this.#context, this, "arrival");
    this.#reader.read({ id, wasCompressed: flags !== 0 }, flags, reservedBits, payload);
  }

  onPlain({ id, wasCompressed }: RequestHeader, payload: Uint8Array): void {
    this.#sink.onRequest(id, payload, wasCompressed);
  }

  onUnreadable({ id }: RequestHeader, error: MsgError): void {
    this.#sink.onBadRequest(id, error);
  }
}

/** Reads 0x02 frames as replies, for a REQ: each is told as soon as it can be, they have ids. */
export class ReplyReceiver implements ShortFrameReceiver, PayloadReceiver<number> {
  readonly #sink: ReqSink;
  readonly #context: WireContext;
  /** Made for the first payload that is compressed. */
  #reader: PayloadReader<number> | undefined;

  constructor(sink: ReqSink, context: WireContext) {
    this.#sink = sink;
    this.#context = context;
  }

  onFrame(id: number, flags: number, payload: Uint8Array): void {
    if (flags === 0) this.#sink.onReply(id, payload);
    else if (flags === errorReplyFlags) this.#onErrorReply(id, payload);
    else {
      this.#reader ??= new PayloadReader(this.#context, this, "any");
      this.#reader.read(id, flags, reservedBits, payload);
    }
  }

  onPlain(id: number, payload: Uint8Array): void {
    this.#sink.onReply(id, payload);
  }

  onUnreadable(id: number, error: MsgError): void {
    this.#sink.onReplyError(id, error);
  }

  #onErrorReply(id: number, payload: Uint8Array): void {
    const text = decodeText(viewOf(payload, 0, Math.min(payload.length, maxErrorReplyBytes)));
    const lineEnd = text.indexOf("\n");
    const code = lineEnd < 0 ? text : text.slice(0, lineEnd);
    if (code === drainingCode && id === goodbyeId) this.#sink.onGoodbye();
    else if (code === drainingCode) this.#sink.onReplyRefused(id);
    else this.#sink.onReplyError(id, remoteError(code, lineEnd < 0 ? "" : text.slice(lineEnd + 1)));
  }
}

const remoteCodePattern = /^[A-Z][A-Z0-9_]{0,63}$/;

/** The error that a REP answered with: what a REQ rejects with. */
export function remoteError(code: string, message: string): MsgError {
  if (code === "MSG_NO_ANSWER") {
    return new MsgError("MSG_NO_ANSWER", message === "" ? "nobody answered the request" : message);
  }
  const remoteCode = remoteCodePattern.test(code) ? code : "MALFORMED_CODE";
  return new MsgError("MSG_REMOTE", message === "" ? remoteCode : message, { remoteCode });
}

/** Writes 0x02 frames, for either end. */
export class RequestReplyWriter implements ReqWriter, RepWriter {
  readonly #out: FrameBuffer;

  constructor(out: FrameBuffer) {
    this.#out = out;
  }

  request(id: number, compression: number, payload: Uint8Array): void {
    this.#frame(id, compression, payload);
  }

  reply(id: number, compression: number, payload: Uint8Array): void {
    this.#frame(id, compression, payload);
  }

  replyError(id: number, code: string, message: string): void {
    this.#frame(id, errorReplyFlags, cutText(`${code}\n${message}`, maxErrorReplyBytes));
  }

  goodbye(): void {
    this.replyError(goodbyeId, drainingCode, "");
  }

  #frame(id: number, flags: number, payload: Uint8Array): void {
    writeShortFrame(this.#out, frameKind.request, flags, id, payload);
  }
}

/** UTF-8 of at most `maxBytes`, cut between characters. */
function cutText(text: string, maxBytes: number): Uint8Array {
  const bytes = encodeText(text);
  if (bytes.length <= maxBytes) return bytes;
  let end = maxBytes;
  // 10xxxxxx continues a character: go back to its first byte.
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return viewOf(bytes, 0, end);
}
