import { allocate, copyInto, viewOf } from "../bytes.ts";
import type { FrameBuffer } from "../contracts/protocol.ts";
import type { Link } from "../contracts/transport.ts";
import type { Runtime } from "../runtime.ts";

/** Bytes of a pooled chunk: smaller costs system calls, larger gains nothing (docs/performance.md). */
export const chunkBytes: number = 64 * 1024;

/** Payloads up to this are copied into the chunk, larger ones go by reference. */
const copiedBytes = 16 * 1024;

/** How much goes by reference before the batch is handed on. */
const batchBytes = 256 * 1024;

interface Chunk {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** Chunks that wait for their next use, shared by the connections of one socket. */
export class ChunkPool {
  readonly #free: Chunk[] = [];

  take(length: number): Chunk {
    const pooled = length <= chunkBytes ? this.#free.pop() : undefined;
    if (pooled !== undefined) return pooled;
    const bytes = allocate(Math.max(length, chunkBytes));
    return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
  }

  give(chunk: Chunk): void {
    if (this.#free.length < 16 && chunk.bytes.length === chunkBytes) this.#free.push(chunk);
  }
}

const noChunk: Chunk = { bytes: new Uint8Array(0), view: new DataView(new ArrayBuffer(0)) };

/** Whose bytes an {@link Outbox} gathers. */
export interface OutboxOwner {
  /** May append frames that wait for the end of a tick, such as merged acknowledgements. */
  onBeforeFlush(): void;
  /** There is room again, after {@link Outbox.isFull} was seen true. */
  onRoom(): void;
  /** The transport took all of {@link Outbox.sentBytes}. */
  onTaken(): void;
}

/**
 * Gathers the frames of a tick and hands them to the link in one write.
 *
 * - Frames are encoded straight into a pooled chunk, flushed when it is full and at the end of the
 *   tick, never by a timer.
 * - A chunk is used again only when the link has taken it; an idle outbox holds none.
 * - It never refuses bytes: whoever writes looks at {@link isFull} first.
 */
export class Outbox implements FrameBuffer {
  readonly copiesUpTo: number = copiedBytes;
  readonly #link: Link;
  readonly #pool: ChunkPool;
  readonly #runtime: Runtime;
  readonly #highWaterBytes: number;
  readonly #owner: OutboxOwner;
  readonly #flushAtEndOfTick: () => void = () => {
    this.flush();
    this.#tellRoom();
  };

  #chunk: Chunk = noChunk;
  /** Where the part of the chunk begins that is not in `#batch` yet. */
  #start = 0;
  #end = 0;
  /** What the next write to the link carries before the rest of the chunk. */
  #batch: Uint8Array[] = [];
  #batchedBytes = 0;
  /** Chunks with parts that the link may still hold. */
  #lent: Chunk[] = [];
  #isScheduled = false;
  #isClosed = false;
  /** Somebody saw it full and waits for room. */
  #isAwaited = false;
  /** The link has bytes that it did not hand on. */
  #isLinkBusy = false;
  /** All bytes ever handed to the link. */
  sentBytes = 0;

  constructor(
    link: Link,
    pool: ChunkPool,
    runtime: Runtime,
    highWaterBytes: number,
    owner: OutboxOwner,
  ) {
    this.#link = link;
    this.#pool = pool;
    this.#runtime = runtime;
    this.#highWaterBytes = highWaterBytes;
    this.#owner = owner;
  }

  get bytes(): Uint8Array {
    return this.#chunk.bytes;
  }

  get view(): DataView {
    return this.#chunk.view;
  }

  /** All bytes ever appended: what lies beyond {@link sentBytes} never reached the link. */
  get appendedBytes(): number {
    return this.sentBytes + this.#end - this.#start + this.#batchedBytes;
  }

  /** Bytes that the transport has not taken yet. */
  get bufferedBytes(): number {
    const ownBytes = this.#end - this.#start + this.#batchedBytes;
    return this.#isLinkBusy ? ownBytes + this.#link.bufferedBytes : ownBytes;
  }

  /** True when no more should be written. Who saw it true is told of room by its owner. */
  get isFull(): boolean {
    const isFull = this.bufferedBytes >= this.#highWaterBytes;
    if (isFull) this.#isAwaited = true;
    return isFull;
  }

  reserve(length: number): number {
    if (this.#end + length > this.#chunk.bytes.length) this.#nextChunk(length);
    const offset = this.#end;
    this.#end = offset + length;
    this.schedule();
    return offset;
  }

  append(payload: Uint8Array): void {
    const length = payload.length;
    if (length > copiedBytes) {
      this.#appendReference(payload);
      return;
    }
    const offset = this.reserve(length);
    copyInto(this.#chunk.bytes, offset, payload);
  }

  /** Sees to it that a flush, and what waits for it, comes at the end of this tick. */
  schedule(): void {
    if (this.#isScheduled || this.#isClosed) return;
    this.#isScheduled = true;
    this.#runtime.endOfTick(this.#flushAtEndOfTick);
  }

  /** Hands everything to the link. */
  flush(): void {
    if (this.#isClosed) return;
    this.#owner.onBeforeFlush();
    this.#isScheduled = false;
    this.#handOver();
    // Here, not in #handOver: that may be in the middle of a frame, and whoever is told writes more.
    if (!this.#isLinkBusy) this.#owner.onTaken();
  }

  /** The link took everything: its chunks are free. */
  onDrain(): void {
    this.#isLinkBusy = false;
    for (const chunk of this.#lent) this.#pool.give(chunk);
    this.#lent = [];
    this.#owner.onTaken();
    this.#tellRoom();
  }

  /** Drops what was not handed over; nothing is written any more. */
  destroy(): void {
    this.#isClosed = true;
    this.#chunk = noChunk;
    this.#start = this.#end = this.#batchedBytes = 0;
    this.#batch = [];
    this.#lent = [];
  }

  #tellRoom(): void {
    if (!this.#isAwaited || this.#isClosed || this.bufferedBytes >= this.#highWaterBytes) return;
    this.#isAwaited = false;
    this.#owner.onRoom();
  }

  #appendReference(payload: Uint8Array): void {
    this.#sealPart();
    this.#batch.push(payload);
    this.#batchedBytes += payload.length;
    if (this.#batchedBytes >= batchBytes) this.#handOver();
    else this.schedule();
  }

  /** Moves what the chunk holds into the batch; the chunk goes on being filled behind it. */
  #sealPart(): void {
    const length = this.#end - this.#start;
    if (length === 0) return;
    this.#batch.push(viewOf(this.#chunk.bytes, this.#start, length));
    this.#batchedBytes += length;
    this.#start = this.#end;
  }

  #nextChunk(length: number): void {
    this.#handOver();
    if (this.#end + length > this.#chunk.bytes.length) {
      this.#retireChunk();
      this.#chunk = this.#pool.take(length);
    }
  }

  #handOver(): void {
    if (this.#isClosed) return this.destroy();
    this.#sealPart();
    if (this.#batch.length === 0) return;
    const batch = this.#batch;
    this.sentBytes += this.#batchedBytes;
    this.#batch = [];
    this.#batchedBytes = 0;
    const isTaken = this.#link.write(batch);
    this.#isLinkBusy = !isTaken;
    if (isTaken && this.#lent.length === 0) {
      this.#pool.give(this.#chunk);
      this.#chunk = noChunk;
    } else this.#retireChunk();
    this.#start = this.#end = 0;
  }

  #retireChunk(): void {
    if (this.#chunk !== noChunk) this.#lent.push(this.#chunk);
    this.#chunk = noChunk;
    this.#start = this.#end = 0;
  }
}
