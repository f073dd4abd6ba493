import type {
  FrameBuffer,
  FrameDecoder,
  PullSink,
  PullWriter,
  PushSink,
  PushWriter,
  WireContext,
} from "../../contracts/protocol.ts";
import { MsgError } from "../../errors.ts";
import {
  compressionMask,
  deliveriesShift,
  flowOp,
  frameKind,
  illegalKind,
  maxEarlierDeliveries,
  maxSettledRange,
  shortHeaderBytes,
} from "./header.ts";
import type { PayloadReceiver } from "./payload-reader.ts";
import { PayloadReader } from "./payload-reader.ts";
import type { ShortFrameReceiver } from "./short-frame.ts";
import { writeShortFrame, writeShortHeader } from "./short-frame.ts";

const reservedBits = 0x80;

interface JobHeader {
  readonly sequence: number;
  readonly earlierDeliveries: number;
}

/** Reads 0x04 frames as jobs: the flags hold the compression id and, in bits 3-6, earlier deliveries. */
export class JobReceiver implements ShortFrameReceiver, PayloadReceiver<JobHeader> {
  readonly #sink: PullSink;
  readonly #context: WireContext;
  /** Made for the first payload that is compressed: idle connections are to cost little. */
  #reader: PayloadReader<JobHeader> | undefined;

  constructor(sink: PullSink, context: WireContext) {
    this.#sink = sink;
    this.#context = context;
  }

  onFrame(sequence: number, flags: number, payload: Uint8Array): void {
    const reader = this.#reader;
    const earlierDeliveries = (flags >> deliveriesShift) & maxEarlierDeliveries;
    const isPlain = (flags & (reservedBits | compressionMask)) === 0;
    if (isPlain && (reader === undefined || !reader.mustQueue)) {
      this.#sink.onJob(sequence, earlierDeliveries, payload);
      return;
    }
    this.#reader ??= new PayloadReader(this.#context, this, "arrival");
    this.#reader.read({ sequence, earlierDeliveries }, flags, reservedBits, payload);
  }

  onPlain({ sequence, earlierDeliveries }: JobHeader, payload: Uint8Array): void {
    this.#sink.onJob(sequence, earlierDeliveries, payload);
  }

  onUnreadable({ sequence }: JobHeader, error: MsgError): void {
    this.#sink.onBadJob(sequence, error);
  }
}

/**
 * Flow, PULL to PUSH: ten bytes, no payload.
 *
 *   offset  size  field
 *   0       1     0x04
 *   1       1     op        0 window, 1 acknowledge, 2 refuse, 3 bye
 *   2       4     sequence  first of the range
 *   6       4     count     length of the range, or the window
 */
export class FlowDecoder implements FrameDecoder {
  readonly neededBytes: number = shortHeaderBytes;
  readonly #context: WireContext;
  readonly #sink: PushSink;

  constructor(sink: PushSink, context: WireContext) {
    this.#context = context;
    this.#sink = sink;
  }

  decode(bytes: Uint8Array, start: number, end: number): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const { gate } = this.#context;
    let offset = start;
    while (gate.isOpen && offset < end) {
      const kind = view.getUint8(offset);
      if (kind !== frameKind.job) throw illegalKind(kind, frameKind.job);
      if (end - offset < shortHeaderBytes) break;
      const sequence = view.getUint32(offset + 2);
      this.#onFlow(view.getUint8(offset + 1), sequence, view.getUint32(offset + 6));
      offset += shortHeaderBytes;
    }
    return offset;
  }

  #onFlow(op: number, sequence: number, count: number): void {
    switch (op) {
      case flowOp.window:
        if (sequence !== 0) throw malformedFlow("window", sequence, count);
        this.#sink.onWindow(count);
        return;
      case flowOp.acknowledge:
        checkRange("acknowledge", sequence, count);
        this.#sink.onAcknowledged(sequence, count);
        return;
      case flowOp.refuse:
        checkRange("refuse", sequence, count);
        this.#sink.onRefused(sequence, count);
        return;
      case flowOp.bye:
        if (sequence !== 0 || count !== 0) throw malformedFlow("bye", sequence, count);
        this.#sink.onBye();
        return;
      default:
        throw new MsgError("MSG_PROTOCOL", `peer sent flow op ${op}, known are 0 to 3`);
    }
  }
}

function checkRange(op: string, sequence: number, count: number): void {
  if (count < 1 || count > maxSettledRange) throw malformedFlow(op, sequence, count);
}

function malformedFlow(op: string, sequence: number, count: number): MsgError {
  return new MsgError("MSG_PROTOCOL", `peer sent ${op} with seq ${sequence}, count ${count}`);
}

/** Writes jobs. */
export class JobWriter implements PushWriter {
  readonly #out: FrameBuffer;

  constructor(out: FrameBuffer) {
    this.#out = out;
  }

  job(sequence: number, earlierDeliveries: number, compression: number, payload: Uint8Array): void {
    const deliveries = Math.min(earlierDeliveries, maxEarlierDeliveries);
    const flags = (deliveries << deliveriesShift) | compression;
    writeShortFrame(this.#out, frameKind.job, flags, sequence, payload);
  }
}

/** Writes flow frames. */
export class FlowWriter implements PullWriter {
  readonly #out: FrameBuffer;

  constructor(out: FrameBuffer) {
    this.#out = out;
  }

  window(count: number): void {
    this.#flow(flowOp.window, 0, count);
  }

  acknowledge(sequence: number, count: number): void {
    this.#flow(flowOp.acknowledge, sequence, count);
  }

  refuse(sequence: number, count: number): void {
    this.#flow(flowOp.refuse, sequence, count);
  }

  bye(): void {
    this.#flow(flowOp.bye, 0, 0);
  }

  #flow(op: number, sequence: number, count: number): void {
    writeShortHeader(this.#out, frameKind.job, op, sequence, count);
  }
}
