import { copyInto, emptyBytes, partsOf, remoteError, viewOf } from "@msg-ts/core/building";
import type { ReqSink, ReqWriter, Wire } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import { frameFlag, headerBytesOf, setFrameHeader } from "../wire/frame.ts";
import { readError } from "./error-reply.ts";
import type { WireParts } from "./wire-parts.ts";
import { openReader } from "./wire-parts.ts";

/** A frame with a request's number: header (2), number (4). */
const idFrameBytes = 6;

/** An empty frame with more behind it. */
const delimiterBytes = 2;

/** REQ (RFC 28): what it says, and how it knows which request an answer is for. */
export function openReq(parts: WireParts, sink: ReqSink): Wire<"REQ"> {
  if (parts.options.probeRouter) parts.writer.part(emptyBytes, false);
  const writer = parts.options.correlate ? new NumberedWriter(parts) : new TurnWriter(parts);
  const decoder = openReader(parts, {
    onMessage: (first, all) => onReply(sink, writer, all ?? [first]),
  });
  return { decoder, writer };
}

/** A writer that also knows which request an answer is for. */
interface ReplyMatcher {
  /** The number of the request; 0 when it is none. @param envelope - the parts before the delimiter. */
  take(envelope: readonly Uint8Array[]): number;
}

function onReply(sink: ReqSink, matcher: ReplyMatcher, parts: readonly Uint8Array[]): void {
  const delimiter = parts.findIndex(({ length }) => length === 0);
  const id = delimiter < 0 ? 0 : matcher.take(parts.slice(0, delimiter));
  const body = delimiter < 0 ? parts : parts.slice(delimiter + 1);
  const [first = emptyBytes] = body;
  const error = id === 0 ? undefined : readError(body);
  if (error === undefined) sink.onReply(id, first, body.length > 1 ? body : undefined);
  else if (error.code === "MSG_DRAINING") sink.onReplyRefused(id);
  else sink.onReplyError(id, remoteError(error.code, error.message));
}

/** Puts a number before each request, which comes back with its answer. */
class NumberedWriter implements ReqWriter, ReplyMatcher {
  readonly #parts: WireParts;
  readonly #idBytes: Uint8Array = new Uint8Array(4);

  constructor(parts: WireParts) {
    this.#parts = parts;
  }

  request(id: number, _compression: number, payload: Uint8Array): void {
    const { writer } = this.#parts;
    const { out } = writer;
    const { length } = payload;
    if (!writer.isPlain || length > out.copiesUpTo || partsOf(payload) !== undefined) {
      this.#requestInParts(id, payload);
      return;
    }
    const headerBytes = headerBytesOf(length);
    const offset = out.reserve(idFrameBytes + delimiterBytes + headerBytes + length);
    const { view } = out;
    view.setUint16(offset, (frameFlag.more << 8) | 4);
    view.setUint32(offset + 2, id);
    view.setUint16(offset + idFrameBytes, frameFlag.more << 8);
    const body = setFrameHeader(view, offset + idFrameBytes + delimiterBytes, 0, length);
    copyInto(out.bytes, body, payload);
  }

  take(envelope: readonly Uint8Array[]): number {
    const [id] = envelope;
    if (envelope.length !== 1 || id?.length !== 4) return 0;
    return new DataView(id.buffer, id.byteOffset).getUint32(0);
  }

  #requestInParts(id: number, payload: Uint8Array): void {
    const { writer } = this.#parts;
    const idBytes = viewOf(this.#idBytes, 0, 4);
    new DataView(idBytes.buffer, idBytes.byteOffset).setUint32(0, id);
    writer.part(idBytes, true);
    writer.part(emptyBytes, true);
    writer.payload(payload);
  }
}

/** One request at a time: the next answer is for it. */
class TurnWriter implements ReqWriter, ReplyMatcher {
  readonly maxInFlight: number = 1;
  readonly #parts: WireParts;
  #id = 0;

  constructor(parts: WireParts) {
    this.#parts = parts;
  }

  request(id: number, _compression: number, payload: Uint8Array): void {
    const { writer } = this.#parts;
    this.#id = id;
    writer.part(emptyBytes, true);
    writer.payload(payload);
  }

  take(envelope: readonly Uint8Array[]): number {
    if (envelope.length > 0) return 0;
    const id = this.#id;
    this.#id = 0;
    return id;
  }

  /** Its answer may still come, and would be taken for that of the next one. */
  abandon(id: number): void {
    if (id !== this.#id) return;
    const text =
      "a request was given up, and correlate is off: no later answer could be told apart";
    this.#parts.context.fail(new MsgError("MSG_PEER_LOST", text));
  }
}
