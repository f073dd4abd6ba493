import { copyOf, describe, emptyBytes } from "../../bytes.ts";
import type { Backlog, WireContext } from "../../contracts/protocol.ts";
import { MsgError } from "../../errors.ts";
import { compressionMask } from "./header.ts";

/**
 * The most payloads of a connection that are decompressed at once: small ones cost a thread less than
 * a turn of a busy event loop takes, and the threads are to have work until the next.
 */
export const maxDecompressions = 64;

/** As many when they are large, beside the first: libuv has four threads. */
const mostLarge = 3;

/** The share of a large payload, and of a small one, of `maxMessageBytes`: one part of so many. */
const [largeParts, smallParts] = [4, 1_024];

/** A payload is taken for small when it fits in its share although it grows to so many times its size. */
const likelyGrowth = 16;

/** The most frames of a connection that wait for a payload before them. */
export const maxBacklogFrames = 1_024;

/** Whether frames are told in the order in which they came, or each as soon as it is readable. */
export type TellingOrder = "arrival" | "any";

/** What becomes of a payload that was read: one of the two is called, once. */
export interface PayloadReceiver<Header> {
  onPlain(header: Header, payload: Uint8Array): void;
  onUnreadable(header: Header, error: MsgError): void;
}

/** What decompression gave. */
type Outcome = Uint8Array | MsgError;

/** A frame that was read and not told. */
class WaitingFrame<Header> {
  readonly header: Header;
  readonly compression: number;
  readonly #headerBytes: number;
  /** As it came; empty once there is an outcome. */
  payload: Uint8Array;
  /** Absent while it is decompressed. */
  outcome: Outcome | undefined;
  /** What it may become, or would need more than; 0 when it may become the limit, or is there. */
  sharedBytes = 0;
  /** Its share of the limit was too little for it. */
  needsMore = false;

  constructor(header: Header, compression: number, payload: Uint8Array, headerBytes: number) {
    this.header = header;
    this.compression = compression;
    this.payload = payload;
    this.#headerBytes = headerBytes;
  }

  /** What it keeps in memory, as far as that can be told. */
  get bytes(): number {
    const plainBytes = this.outcome instanceof Uint8Array ? this.outcome.length : 0;
    return this.#headerBytes + this.payload.length + plainBytes;
  }
}

/**
 * Undoes compression on the way in, several payloads of a connection at once, and tells the sink in
 * the order in which the frames came.
 *
 * - While nothing is decompressed it holds nothing: whoever has a plain payload looks at
 *   {@link mustQueue} and tells the sink itself.
 * - The first may become `maxMessageBytes` large. Each of the others has a share of that, a quarter or,
 *   when it is small as it comes, a thousandth; one that needs more starts again when it is the first.
 * - The gate is held while their shares come to over two quarters, so that another one fits in three;
 *   while {@link maxDecompressions} payloads are not there yet; and while what waits has a quarter of
 *   `maxMessageBytes`, or is {@link maxBacklogFrames} frames. So all that is decompressed for one
 *   connection stays under twice `maxMessageBytes`.
 */
export class PayloadReader<Header> implements Backlog {
  readonly #context: WireContext;
  readonly #receiver: PayloadReceiver<Header>;
  readonly #isOrdered: boolean;
  readonly #quarterBytes: number;
  readonly #smallBytes: number;
  #frames: WaitingFrame<Header>[] = [];
  #bytes = 0;
  /** Frames without an outcome. */
  #unsettled = 0;
  /** The sum of what frames have of {@link WaitingFrame.sharedBytes}. */
  #sharedBytes = 0;
  #isBacklog = false;
  #isHolding = false;
  /** True while every frame has to wait its turn, whatever is in it: {@link read} it. */
  mustQueue = false;

  constructor(context: WireContext, receiver: PayloadReceiver<Header>, order: TellingOrder) {
    this.#context = context;
    this.#receiver = receiver;
    this.#isOrdered = order === "arrival";
    this.#quarterBytes = Math.floor(context.maxMessageBytes / largeParts);
    this.#smallBytes = Math.floor(context.maxMessageBytes / smallParts);
  }

  /**
   * Reads a payload, plain or compressed.
   *
   * @param reservedBits - the flag bits that must be 0 in this kind of frame.
   * @param headerBytes - what `header` keeps in memory, when that is much.
   */
  read(
    header: Header,
    flags: number,
    reservedBits: number,
    told: Uint8Array,
    headerBytes: number = 0,
  ): void {
    // It may wait, for its turn or for a thread.
    const payload = this.#context.gate.isLent ? copyOf(told) : told;
    const compression = flags & compressionMask;
    const limit = this.#limitOf(payload);
    const outcome =
      (flags & reservedBits) === 0
        ? this.#decompress(compression, payload, limit)
        : reservedBitsSet(flags);
    const isThere = !(outcome instanceof Promise || this.#isTooLittle(limit, outcome));
    if (isThere && !this.mustQueue) {
      this.#tell(header, outcome);
      return;
    }
    const frame = new WaitingFrame(header, compression, payload, headerBytes);
    this.#frames.push(frame);
    this.#bytes += frame.bytes;
    this.#unsettled++;
    this.#await(frame, outcome, limit);
    this.#update();
  }

  resume(): void {
    for (let frame = this.#nextReadable(); frame !== undefined; frame = this.#nextReadable()) {
      if (!this.#context.gate.isOpen) break;
      this.#frames.splice(this.#frames.indexOf(frame), 1);
      this.#bytes -= frame.bytes;
      this.#tellLate(frame);
    }
    this.#update();
  }

  drop(): void {
    this.#frames = [];
    this.#bytes = this.#unsettled = this.#sharedBytes = 0;
    this.#isBacklog = this.mustQueue = false;
    this.#setHolding(false);
  }

  #limitOf(payload: Uint8Array): number {
    if (this.#frames.length === 0) return this.#context.maxMessageBytes;
    return payload.length * likelyGrowth <= this.#smallBytes
      ? this.#smallBytes
      : this.#quarterBytes;
  }

  #decompress(id: number, payload: Uint8Array, limit: number): Outcome | Promise<Outcome> {
    try {
      const plain = this.#context.decompress(id, payload, limit);
      if (plain instanceof Uint8Array) return plain;
      return Promise.resolve(plain).then(outcomeOf, unreadable);
    } catch (error) {
      return unreadable(error);
    }
  }

  #await(frame: WaitingFrame<Header>, outcome: Outcome | Promise<Outcome>, limit: number): void {
    this.#setShare(frame, limit < this.#context.maxMessageBytes ? limit : 0);
    if (!(outcome instanceof Promise)) {
      this.#settle(frame, outcome, limit);
      return;
    }
    void outcome.then((later) => {
      this.#settle(frame, later, limit);
      this.resume();
    });
  }

  #settle(frame: WaitingFrame<Header>, outcome: Outcome, limit: number): void {
    if (this.#isTooLittle(limit, outcome)) {
      frame.needsMore = true;
      return;
    }
    this.#setShare(frame, 0);
    this.#unsettled--;
    this.#bytes -= frame.bytes;
    frame.outcome = outcome;
    frame.payload = emptyBytes;
    this.#bytes += frame.bytes;
  }

  #setShare(frame: WaitingFrame<Header>, bytes: number): void {
    this.#sharedBytes += bytes - frame.sharedBytes;
    frame.sharedBytes = bytes;
  }

  #isTooLittle(limit: number, outcome: Outcome): boolean {
    return limit < this.#context.maxMessageBytes && MsgError.is(outcome, "MSG_PAYLOAD_TOO_LARGE");
  }

  /** The next one to be told, if its payload is there. */
  #nextReadable(): WaitingFrame<Header> | undefined {
    const [first] = this.#frames;
    if (first?.needsMore === true) {
      first.needsMore = false;
      const limit = this.#context.maxMessageBytes;
      this.#await(first, this.#decompress(first.compression, first.payload, limit), limit);
    }
    if (!this.#isOrdered) return this.#frames.find((frame) => frame.outcome !== undefined);
    return first?.outcome === undefined ? undefined : first;
  }

  #tell(header: Header, outcome: Outcome): void {
    if (outcome instanceof Uint8Array) this.#receiver.onPlain(header, outcome);
    else this.#receiver.onUnreadable(header, outcome);
  }

  /** Nobody above catches what a sink throws. */
  #tellLate({ header, outcome }: WaitingFrame<Header>): void {
    try {
      if (outcome !== undefined) this.#tell(header, outcome);
    } catch (error) {
      this.#context.fail(error);
    }
  }

  /** Brings the gate, the backlog and {@link mustQueue} in line with what waits. */
  #update(): void {
    const isBacklog = this.#frames.length > 0;
    this.mustQueue = isBacklog && this.#isOrdered;
    // What can be told is told when the gate opens: it must not be us who keep it closed.
    this.#setHolding(this.#isFull && this.#nextReadable() === undefined);
    if (isBacklog === this.#isBacklog) return;
    this.#isBacklog = isBacklog;
    this.#context.gate.setBacklog(isBacklog ? this : undefined);
  }

  get #isFull(): boolean {
    const [first] = this.#frames;
    if (first === undefined) return false;
    // Whatever the first has now: it may need the whole limit.
    const othersBytes = this.#sharedBytes - first.sharedBytes;
    return (
      this.#unsettled >= maxDecompressions ||
      othersBytes > (mostLarge - 1) * this.#quarterBytes ||
      this.#bytes >= this.#quarterBytes ||
      this.#frames.length >= maxBacklogFrames
    );
  }

  #setHolding(isHolding: boolean): void {
    if (isHolding === this.#isHolding) return;
    this.#isHolding = isHolding;
    if (isHolding) this.#context.gate.hold();
    else this.#context.gate.release();
  }
}

/** Decompressors are brought by applications: what gives anything else must not stop what follows. */
function outcomeOf(plain: unknown): Outcome {
  if (plain instanceof Uint8Array) return plain;
  const text = `decompressor gave ${describe(plain)}, must be a Uint8Array`;
  return new MsgError("MSG_DECOMPRESS_FAILED", text);
}

function unreadable(error: unknown): MsgError {
  return MsgError.from(error, "MSG_DECOMPRESS_FAILED", "payload could not be decompressed");
}

function reservedBitsSet(flags: number): MsgError {
  const text = `peer set reserved flag bits: flags 0x${flags.toString(16).padStart(2, "0")}`;
  return new MsgError("MSG_UNKNOWN_COMPRESSION", text);
}
