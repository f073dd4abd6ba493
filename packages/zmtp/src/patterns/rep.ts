import { copyOf, emptyBytes } from "@msg-ts/core/building";
import type { RepSink, RepWriter, Wire } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import type { FrameWriter } from "../wire/frame-writer.ts";
import { errorParts } from "./error-reply.ts";
import type { WireParts } from "./wire-parts.ts";
import { openReader } from "./wire-parts.ts";

/** What may stand before the delimiter: the way back, a part for each ROUTER on it. */
const maxEnvelopeParts = 64;
const maxEnvelopeBytes = 8 * 1024;

const noEnvelope: readonly Uint8Array[] = [];

/** REP (RFC 28): keeps what stands before a request, and puts it before its answer. */
export function openRep(parts: WireParts, sink: RepSink): Wire<"REP"> {
  const writer = new ReplyWriter(parts.writer);
  const decoder = openReader(parts, {
    onMessage: (first, all) => {
      if (all === undefined) refuse(sink);
      else onRequest(sink, writer, all);
    },
  });
  return { decoder, writer };
}

function onRequest(sink: RepSink, writer: ReplyWriter, parts: readonly Uint8Array[]): void {
  const delimiter = parts.findIndex(({ length }) => length === 0);
  const envelope = delimiter <= 0 ? noEnvelope : parts.slice(0, delimiter);
  if (delimiter < 0 || !isLegal(envelope)) {
    refuse(sink);
    return;
  }
  const body = parts.slice(delimiter + 1);
  const id = writer.expect(envelope);
  sink.onRequest(id, body[0] ?? emptyBytes, false, body.length > 1 ? body : undefined);
}

function isLegal(envelope: readonly Uint8Array[]): boolean {
  let bytes = 0;
  for (const { length } of envelope) bytes += length;
  return envelope.length <= maxEnvelopeParts && bytes <= maxEnvelopeBytes;
}

/** There is no way back to who asked: nobody can be answered. Number 0 is no request's. */
function refuse(sink: RepSink): void {
  const text = "a request has no delimiter (an empty part) within the envelope that is taken";
  sink.onBadRequest(0, new MsgError("MSG_PROTOCOL", `${text}: it cannot be answered`));
}

/** Writes answers behind the envelopes of their requests. */
class ReplyWriter implements RepWriter {
  readonly #writer: FrameWriter;
  readonly #envelopes: Map<number, readonly Uint8Array[]> = new Map();
  #lastId = 0;

  constructor(writer: FrameWriter) {
    this.#writer = writer;
  }

  /** Keeps an envelope; gives the number of its request. */
  expect(envelope: readonly Uint8Array[]): number {
    do this.#lastId = (this.#lastId % 0xffff_fffe) + 1;
    while (this.#envelopes.has(this.#lastId));
    const kept = envelope.length === 0 ? noEnvelope : envelope.map((part) => copyOf(part));
    this.#envelopes.set(this.#lastId, kept);
    return this.#lastId;
  }

  reply(id: number, _compression: number, payload: Uint8Array): void {
    if (this.#begin(id)) this.#writer.payload(payload);
  }

  replyError(id: number, code: string, message: string): void {
    if (this.#begin(id)) this.#writer.parts(errorParts(code, message));
  }

  /** ZMTP has none: the end of the connection says it. */
  goodbye(): void {}

  #begin(id: number): boolean {
    const envelope = this.#envelopes.get(id);
    if (envelope === undefined) return false;
    this.#envelopes.delete(id);
    for (const part of envelope) this.#writer.part(part, true);
    this.#writer.part(emptyBytes, true);
    return true;
  }
}
