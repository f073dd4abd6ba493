/** A frame on the wire, as far as the models look at it: written to be read, and independent of the codec. */
export type Frame =
  | { readonly type: "handshake" }
  /** A request or its reply. */
  | {
      readonly type: "exchange";
      readonly id: number;
      readonly isError: boolean;
      readonly payload: Uint8Array;
    }
  | {
      readonly type: "message";
      readonly topic: string;
      readonly sequence: number;
      readonly payload: Uint8Array;
    }
  | {
      readonly type: "job";
      readonly earlier: number;
      readonly sequence: number;
      readonly payload: Uint8Array;
    }
  | {
      readonly type: "flow";
      readonly op: number;
      readonly sequence: number;
      readonly count: number;
    };

/** What decides how an ambiguous frame is to be read. */
export interface FrameWriter {
  readonly isDialer: boolean;
  readonly isPull: boolean;
}

/** Cuts a stream into frames, however it comes. */
export class FrameSplitter {
  readonly #writer: FrameWriter;
  readonly #onFrame: (frame: Frame) => void;
  #rest: Buffer = Buffer.alloc(0);

  constructor(writer: FrameWriter, onFrame: (frame: Frame) => void) {
    this.#writer = writer;
    this.#onFrame = onFrame;
  }

  push(chunk: Uint8Array): void {
    let bytes = this.#rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const length = frameLength(bytes, this.#writer);
      if (length === undefined || bytes.length < length) break;
      this.#onFrame(frameOf(bytes.subarray(0, length), this.#writer));
      bytes = bytes.subarray(length);
    }
    this.#rest = bytes;
  }
}

/** `undefined` when more is needed to tell. docs/wire-protocol.md, sections 4 to 8. */
function frameLength(bytes: Buffer, { isDialer, isPull }: FrameWriter): number | undefined {
  const have = bytes.length;
  switch (bytes[0]) {
    case 0:
      if (have < 2) return undefined;
      if (bytes[1] === 0) return 3;
      return have < 5 ? undefined : 5 + bytes.readUInt16BE(3);
    case 1:
      if (!isDialer) return 2;
      return have < 5 ? undefined : 5 + bytes.readUInt32BE(1);
    case 2:
      return have < 10 ? undefined : 10 + bytes.readUInt32BE(6);
    case 3: {
      if (have < 4) return undefined;
      const header = 20 + bytes.readUInt16BE(2);
      return have < header ? undefined : header + bytes.readUInt32BE(header - 4);
    }
    case 4:
      if (isPull) return 10;
      return have < 10 ? undefined : 10 + bytes.readUInt32BE(6);
    default:
      return undefined;
  }
}

function frameOf(bytes: Buffer, { isPull }: FrameWriter): Frame {
  switch (bytes[0]) {
    case 2:
      return {
        type: "exchange",
        id: bytes.readUInt32BE(2),
        isError: bytes[1] === 0x80,
        payload: bytes.subarray(10),
      };
    case 3: {
      const topicEnd = 4 + bytes.readUInt16BE(2);
      return {
        type: "message",
        topic: bytes.toString("utf8", 4, topicEnd),
        sequence: bytes.readUInt32BE(topicEnd + 8),
        payload: bytes.subarray(topicEnd + 16),
      };
    }
    case 4:
      if (isPull) {
        const [sequence, count] = [bytes.readUInt32BE(2), bytes.readUInt32BE(6)];
        return { type: "flow", op: bytes[1] ?? 0, sequence, count };
      }
      return {
        type: "job",
        earlier: ((bytes[1] ?? 0) >> 3) & 15,
        sequence: bytes.readUInt32BE(2),
        payload: bytes.subarray(10),
      };
    default:
      return { type: "handshake" };
  }
}
