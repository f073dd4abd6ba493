import type { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import type { ResolvedStreamFaults, StreamFaults } from "./stream-faults.ts";
import { resolveStreamFaults } from "./stream-faults.ts";

/** What a way of a {@link StreamPipe} does with bytes: gives them on, keeps them, or drops them. */
export type StreamWayState = "open" | "held" | "swallowing";

/** Bytes of one way, over all connections. */
export interface StreamCounts {
  receivedBytes: number;
  sentBytes: number;
  /** Taken and dropped: {@link StreamWay.state} was `swallowing`. */
  swallowedBytes: number;
  /** Writes to the receiver. */
  writes: number;
  /** Connections that `cutAfterBytes` ended. */
  cuts: number;
}

/** One way of all connections of a proxy: its faults, its state, its counters. */
export class StreamWay {
  faults: ResolvedStreamFaults = resolveStreamFaults({});
  state: StreamWayState = "open";
  readonly counts: StreamCounts = {
    receivedBytes: 0,
    sentBytes: 0,
    swallowedBytes: 0,
    writes: 0,
    cuts: 0,
  };
  readonly random: () => number;
  readonly pipes: Set<StreamPipe> = new Set();

  constructor(random: () => number) {
    this.random = random;
  }

  setFaults(faults: StreamFaults): void {
    this.faults = resolveStreamFaults(faults);
    for (const pipe of this.pipes) pipe.wake();
  }

  /** Bytes that are under way now are kept, or dropped, too. */
  enter(state: StreamWayState): void {
    this.state = state;
    for (const pipe of this.pipes) pipe.wake();
  }
}

interface Piece {
  readonly bytes: Buffer;
  readonly dueMs: number;
}

/** Under a rate, bytes go in pieces that take about so long. */
const pieceMs = 10;

/** One way of one connection: what comes from one socket goes to the other as the way's faults say. */
export class StreamPipe {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #way: StreamWay;
  readonly #onCut: () => void;
  #pieces: Piece[] = [];
  #waitingBytes = 0;
  #movedBytes = 0;
  #hasEnded = false;
  /** Once a byte is gone, none behind it may arrive: it would be another stream. */
  #isBroken = false;
  #wireFreeMs = 0;
  #lastDueMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #turn: NodeJS.Immediate | undefined;

  constructor(from: Socket, to: Socket, way: StreamWay, onCut: () => void) {
    this.#from = from;
    this.#to = to;
    this.#way = way;
    this.#onCut = onCut;
    way.pipes.add(this);
    from.on("data", (bytes) => this.#onData(bytes));
    from.on("end", () => {
      this.#hasEnded = true;
      this.wake();
    });
    to.on("drain", () => this.wake());
  }

  /** Takes what comes and gives nothing on any more, for ever. */
  break(): void {
    this.#isBroken = true;
    this.wake();
  }

  /** Stops; what is under way is dropped. */
  close(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#turn);
    this.#way.pipes.delete(this);
    this.#pieces = [];
  }

  /** Looks again at what may go: the way's faults or state are others. */
  wake(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#turn ??= setImmediate(() => {
      this.#turn = undefined;
      this.#move();
    });
  }

  #onData(bytes: Buffer): void {
    this.#way.counts.receivedBytes += bytes.length;
    this.#waitingBytes += bytes.length;
    const { bytesPerSecond, maxWriteBytes } = this.#way.faults;
    const pieceBytes = Math.max(1, Math.min(maxWriteBytes, (bytesPerSecond / 1_000) * pieceMs));
    const step = Math.min(Math.floor(pieceBytes), bytes.length);
    for (let at = 0; at < bytes.length; at += step) this.#queue(bytes.subarray(at, at + step));
    if (this.#waitingBytes > this.#way.faults.queueBytes) this.#from.pause();
    this.wake();
  }

  #queue(bytes: Buffer): void {
    const { bytesPerSecond, delayMs, jitterMs } = this.#way.faults;
    const startMs = Math.max(performance.now(), this.#wireFreeMs);
    this.#wireFreeMs = startMs + (bytes.length / bytesPerSecond) * 1_000;
    const jitter = jitterMs === 0 ? 0 : this.#way.random() * jitterMs;
    this.#lastDueMs = Math.max(this.#lastDueMs, this.#wireFreeMs + delayMs + jitter);
    this.#pieces.push({ bytes, dueMs: this.#lastDueMs });
  }

  #move(): void {
    const { state } = this.#way;
    if (this.#isBroken || state === "swallowing") this.#swallow();
    else if (state === "open") this.#sendDue();
    if (this.#waitingBytes <= this.#way.faults.queueBytes) this.#from.resume();
  }

  #swallow(): void {
    if (this.#pieces.length === 0) return;
    this.#isBroken = true;
    this.#way.counts.swallowedBytes += this.#waitingBytes;
    this.#waitingBytes = 0;
    this.#pieces = [];
  }

  #sendDue(): void {
    const isShort = this.#way.faults.maxWriteBytes !== Infinity;
    while (!this.#to.writableNeedDrain && !this.#to.destroyed) {
      const [next] = this.#pieces;
      if (next === undefined) {
        if (this.#hasEnded) this.#to.end();
        return;
      }
      const inMs = next.dueMs - performance.now();
      if (inMs > 0.5) {
        this.#timer = setTimeout(() => this.#move(), Math.max(1, Math.round(inMs)));
        return;
      }
      this.#pieces.shift();
      if (!this.#send(next.bytes)) return;
      if (isShort) {
        this.wake();
        return;
      }
    }
  }

  /** @returns false when this was the end of the connection. */
  #send(bytes: Buffer): boolean {
    const { counts, faults } = this.#way;
    const room = Math.max(0, faults.cutAfterBytes - this.#movedBytes);
    const sent = bytes.length <= room ? bytes : bytes.subarray(0, room);
    this.#movedBytes += sent.length;
    this.#waitingBytes -= bytes.length;
    counts.sentBytes += sent.length;
    counts.writes += 1;
    const isCut = this.#movedBytes >= faults.cutAfterBytes;
    if (!isCut) {
      this.#to.write(sent);
      return true;
    }
    counts.cuts += 1;
    // The last bytes arrive before the end does.
    this.#to.write(sent, () => this.#onCut());
    return false;
  }
}
