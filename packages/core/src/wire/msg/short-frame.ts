import { copyInto, viewAt } from "../../bytes.ts";
import type { FrameBuffer, FrameDecoder, WireContext } from "../../contracts/protocol.ts";
import { checkLength, illegalKind, shortHeaderBytes } from "./header.ts";

/** Where whole frames go. */
export interface ShortFrameReceiver {
  onFrame(number: number, flags: number, payload: Uint8Array): void;
}

/**
 * Reads the frame that requests, replies and jobs share.
 *
 *   offset  size  field
 *   0       1     kind
 *   1       1     flags
 *   2       4     number    request id, or sequence
 *   6       4     length    bytes of payload that follow
 */
export class ShortFrameDecoder implements FrameDecoder {
  neededBytes: number = shortHeaderBytes;
  readonly #kind: number;
  readonly #receiver: ShortFrameReceiver;
  readonly #context: WireContext;

  constructor(kind: number, receiver: ShortFrameReceiver, context: WireContext) {
    this.#kind = kind;
    this.#receiver = receiver;
    this.#context = context;
  }

  decode(bytes: Uint8Array, start: number, end: number): number {
    const { buffer, byteOffset } = bytes;
    const view = new DataView(buffer, byteOffset, bytes.byteLength);
    const { gate, maxMessageBytes } = this.#context;
    const payloadOffset = byteOffset + shortHeaderBytes;
    const receiver = this.#receiver;
    let offset = start;
    this.neededBytes = shortHeaderBytes;
    while (gate.isOpen && offset < end) {
      const kind = view.getUint8(offset);
      if (kind !== this.#kind) throw illegalKind(kind, this.#kind);
      if (end - offset < shortHeaderBytes) break;
      const length = view.getUint32(offset + 6);
      checkLength(length, maxMessageBytes);
      const frameBytes = shortHeaderBytes + length;
      if (end - offset < frameBytes) {
        this.neededBytes = frameBytes;
        break;
      }
      const payload = viewAt(buffer, payloadOffset + offset, length);
      receiver.onFrame(view.getUint32(offset + 2), view.getUint8(offset + 1), payload);
      offset += frameBytes;
    }
    return offset;
  }
}

/** Writes a frame of {@link ShortFrameDecoder}'s form. Bench scenarios: push-pull, req-rep. */
export function writeShortFrame(
  out: FrameBuffer,
  kind: number,
  flags: number,
  number: number,
  payload: Uint8Array,
): void {
  const { length } = payload;
  if (length > out.copiesUpTo) {
    writeShortHeader(out, kind, flags, number, length);
    out.append(payload);
    return;
  }
  const offset = out.reserve(shortHeaderBytes + length);
  setShortHeader(out.view, offset, kind, flags, number, length);
  copyInto(out.bytes, offset + shortHeaderBytes, payload);
}

/** Writes a header alone; `count` is the length of what follows, or a flow's count. */
export function writeShortHeader(
  out: FrameBuffer,
  kind: number,
  flags: number,
  number: number,
  count: number,
): void {
  const offset = out.reserve(shortHeaderBytes);
  setShortHeader(out.view, offset, kind, flags, number, count);
}

function setShortHeader(
  view: DataView,
  offset: number,
  kind: number,
  flags: number,
  number: number,
  count: number,
): void {
  view.setUint8(offset, kind);
  view.setUint8(offset + 1, flags);
  view.setUint32(offset + 2, number);
  view.setUint32(offset + 6, count);
}
