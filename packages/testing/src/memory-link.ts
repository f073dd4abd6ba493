import type { Link, LinkHandlers, Runtime } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import { joinBytes } from "./hex.ts";

/** How a pair of links behaves. */
export interface MemoryLinkOptions {
  /** Handlers run in its `nextTurn`. */
  readonly runtime: Runtime;
  /** The most bytes of one `onData`. @defaultValue Infinity */
  readonly pieceBytes?: number | (() => number);
  /**
   * What a direction takes by itself before its reader read it, as a kernel does; behind it `write`
   * says false.
   *
   * @defaultValue 65_536
   */
  readonly capacityBytes?: number;
  /**
   * Whether bytes are put where `nextBuffer` says, and whatever that offers is overwritten at once,
   * as other links may do that are offered the same memory.
   *
   * @defaultValue true
   */
  readonly placesReads?: boolean;
  /** Whether {@link MemoryLink.writes} has what was written. @defaultValue true */
  readonly keepsWrites?: boolean;
  /** What `remoteAddress` begins with at both ends. @defaultValue "memory" */
  readonly name?: string;
}

/** Two ends of one stream. */
export interface MemoryLinkPair {
  readonly dialed: MemoryLink;
  readonly accepted: MemoryLink;
}

/** Makes both ends of a stream in memory. */
export function memoryLinks(options: MemoryLinkOptions): MemoryLinkPair {
  const { name = "memory" } = options;
  const dialed = new MemoryLink(options, `${name}:dialed`);
  const accepted = new MemoryLink(options, `${name}:accepted`);
  dialed.pairWith(accepted);
  accepted.pairWith(dialed);
  return { dialed, accepted };
}

/**
 * One end of a stream in memory.
 *
 * It is as awkward as the contract allows: bytes given to `write` are read only when there is room
 * for them, `onEnd` comes also while reading is stopped, and memory that is
 * offered for the next bytes is spoilt.
 */
export class MemoryLink implements Link {
  readonly remoteAddress: string;
  /** Copies of what was given to each `write` that counted. */
  readonly writes: Uint8Array[][] = [];
  /** Calls of `setReading` so far, in order. */
  readonly readingChanges: boolean[] = [];
  readonly #runtime: Runtime;
  readonly #placesReads: boolean;
  readonly #keepsWrites: boolean;
  readonly #capacityBytes: number;
  readonly #pieceBytes: () => number;
  #peer: MemoryLink | undefined;
  #handlers: LinkHandlers | undefined;
  #isReading = true;
  #isHeld = false;
  #isDropping = false;
  #phase: "open" | "ended" | "closed" = "open";
  /** Given to `write`, not taken: the writer's memory. */
  #outgoing: Uint8Array[] = [];
  /** Taken, not delivered to this end yet: memory of its own. */
  #incoming: Uint8Array[] = [];
  #incomingBytes = 0;
  #isDrainOwed = false;
  #isEndTold = false;
  #isScheduled = false;
  #closing: { readonly reason: MsgError | undefined } | undefined;

  constructor(options: MemoryLinkOptions, remoteAddress: string) {
    const { pieceBytes = Infinity } = options;
    this.remoteAddress = remoteAddress;
    this.#placesReads = options.placesReads ?? true;
    this.#keepsWrites = options.keepsWrites ?? true;
    this.#runtime = options.runtime;
    this.#capacityBytes = options.capacityBytes ?? 65_536;
    this.#pieceBytes = typeof pieceBytes === "function" ? pieceBytes : () => pieceBytes;
  }

  /** Call once. {@link memoryLinks} does. */
  pairWith(peer: MemoryLink): void {
    this.#peer = peer;
  }

  get bufferedBytes(): number {
    return this.#outgoing.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  /** Everything written so far. */
  get writtenBytes(): Uint8Array {
    return joinBytes(this.writes.flat());
  }

  /** True between `start` and `onClose`. */
  get isStarted(): boolean {
    return this.#handlers !== undefined;
  }

  /** True once `end` was called. */
  get hasEnded(): boolean {
    return this.#phase === "ended";
  }

  /** True once `destroy` was called here or there, or the stream is cut or over. */
  get isClosed(): boolean {
    return this.#phase === "closed";
  }

  start(handlers: LinkHandlers): void {
    if (this.#handlers !== undefined) throw new Error("start was called before");
    this.#handlers = handlers;
    this.#schedule();
  }

  write(chunks: readonly Uint8Array[]): boolean {
    this.#assertStarted("write");
    if (this.#phase !== "open") return true;
    if (this.#keepsWrites) this.writes.push(chunks.map((chunk) => new Uint8Array(chunk)));
    if (this.#isDropping) return true;
    this.#outgoing.push(...chunks.filter((chunk) => chunk.length > 0));
    this.#takeOutgoing();
    this.#isDrainOwed = this.#outgoing.length > 0;
    return !this.#isDrainOwed;
  }

  setReading(reading: boolean): void {
    this.#assertStarted("setReading");
    this.readingChanges.push(reading);
    this.#isReading = reading;
    this.#schedule();
  }

  end(): void {
    this.#assertStarted("end");
    if (this.#phase !== "open") return;
    this.#phase = "ended";
    this.#other.#schedule();
  }

  destroy(): void {
    if (this.#phase === "closed") return;
    this.#close(undefined);
    this.#other.#close(new MsgError("MSG_PEER_LOST", "link was reset"));
  }

  /** Ends both sides at once; both hear `reason`. What was under way is lost. */
  cut(reason: MsgError = new MsgError("MSG_PEER_LOST", "link was cut")): void {
    this.#close(reason);
    this.#other.#close(reason);
  }

  /** Takes nothing from this end any more until {@link unhold}: its `write` says false. */
  hold(): void {
    this.#isHeld = true;
  }

  /** Ends {@link hold}. */
  unhold(): void {
    this.#isHeld = false;
    this.#takeOutgoing();
    this.#schedule();
  }

  /** From now on everything written at this end is taken and lost. */
  drop(): void {
    this.#isDropping = true;
  }

  get #other(): MemoryLink {
    if (this.#peer === undefined) throw new Error("pairWith was not called");
    return this.#peer;
  }

  #assertStarted(call: string): void {
    if (this.#handlers === undefined && this.#phase !== "closed") {
      throw new Error(`${call} was called before start`);
    }
  }

  /** Moves what fits from the writer's memory to the reader's. */
  #takeOutgoing(): void {
    const peer = this.#other;
    if (this.#isHeld) return;
    for (let room = this.#capacityBytes - peer.#incomingBytes; room > 0;) {
      const [first] = this.#outgoing;
      if (first === undefined) break;
      const taken = Math.min(room, first.length);
      peer.#incoming.push(new Uint8Array(first.subarray(0, taken)));
      peer.#incomingBytes += taken;
      room -= taken;
      if (taken === first.length) this.#outgoing.shift();
      else this.#outgoing[0] = first.subarray(taken);
    }
    peer.#schedule();
  }

  #close(reason: MsgError | undefined): void {
    if (this.#phase === "closed") return;
    this.#phase = "closed";
    this.#closing = { reason };
    this.#outgoing = [];
    this.#incoming = [];
    this.#incomingBytes = 0;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#handlers === undefined) return;
    this.#isScheduled = true;
    this.#runtime.nextTurn(() => {
      this.#isScheduled = false;
      this.#deliver();
    });
  }

  /** One turn: at most one piece, then what follows from it. */
  #deliver(): void {
    const handlers = this.#handlers;
    if (handlers === undefined) return;
    if (this.#closing !== undefined) {
      this.#handlers = undefined;
      handlers.onClose(this.#closing.reason);
      return;
    }
    if (this.#isDrainOwed && this.#outgoing.length === 0) {
      this.#isDrainOwed = false;
      handlers.onDrain();
    }
    if (this.#isReading && this.#incomingBytes > 0) {
      this.#deliverPiece(handlers);
      this.#other.#takeOutgoing();
      this.#other.#schedule();
    }
    if (this.#isPeersEndDue()) {
      this.#isEndTold = true;
      handlers.onEnd();
      this.#other.#schedule();
    }
    if (this.#phase === "ended" && this.#isEndTold && this.#other.#isEndTold) {
      this.#close(undefined);
      this.#other.#close(undefined);
    }
    if (this.#isReading && this.#incomingBytes > 0) this.#schedule();
  }

  #deliverPiece(handlers: LinkHandlers): void {
    const wanted = Math.max(1, Math.min(this.#pieceBytes(), this.#incomingBytes));
    const offered = this.#placesReads ? handlers.nextBuffer?.() : undefined;
    const length = Math.min(wanted, offered?.length ?? Infinity);
    // A Buffer with memory of its own, as links give under Node.js.
    const piece = offered?.subarray(0, length) ?? Buffer.allocUnsafeSlow(length);
    for (let filled = 0; filled < length;) {
      const [first = new Uint8Array(0)] = this.#incoming;
      const part = first.subarray(0, length - filled);
      piece.set(part, filled);
      filled += part.length;
      if (part.length === first.length) this.#incoming.shift();
      else this.#incoming[0] = first.subarray(part.length);
    }
    this.#incomingBytes -= length;
    handlers.onData(piece);
    if (offered !== undefined) handlers.nextBuffer?.().fill(0xdd);
  }

  #isPeersEndDue(): boolean {
    if (this.#isEndTold || this.#phase === "closed" || this.#incomingBytes > 0) return false;
    return this.#other.#phase === "ended" && this.#other.#outgoing.length === 0;
  }
}
