import { allocate, copyOf, emptyBytes, viewOf } from "../bytes.ts";
import type { FrameDecoder } from "../contracts/protocol.ts";

/** A frame that arrives in pieces starts with at most this much memory. */
const firstPieceBytes = 64 * 1024;

/** Each further piece has this much times more. */
const growth = 4;

/** Up to this a connection that brought a frame as large is given the memory of the next one at once. */
const mostTrustedBytes = 4 * 1024 * 1024;

/** Large enough that what the system has is read in one go: of 64 KiB a job cost 1.5 times as much. */
const ownSlabBytes = 256 * 1024;

/** A read that fills less of its slab is not worth its system call. */
const leastRoomBytes = 16 * 1024;

/** Larger frames get memory of their own, which the link fills; of smaller ones a slab has several. */
const largestInSlabBytes = 80 * 1024;

/** Reads of such frames end where one of them should end, so that little has to be moved. */
const leastAlignedBytes = 8 * 1024;

/** Enough for the header of a large frame; the rest goes where it stays. */
const probeBytes = 4 * 1024;

/**
 * Memory that every connection of this thread reads into as long as little comes: an idle connection
 * has none of its own. What stays is copied out of it before anything else is read.
 */
export const sharedReadBuffer: Uint8Array = allocate(64 * 1024);

/**
 * What is read at a time from a peer that is not let in: a handshake may have to keep all of it beside
 * what waits already, and no such peer is to cost more than 64 KiB. Less than {@link leastRoomBytes}: so
 * the first bytes behind a handshake do not look like much, and get no slab.
 */
export const handshakeReadBuffer: Uint8Array = viewOf(sharedReadBuffer, 0, 8 * 1024);

/**
 * How many connections of a thread may have a slab: it stays with one that falls silent behind much,
 * and more than these would not stay in the processor's caches anyway.
 */
const mostSlabs = 16;
let slabs = 0;

/** The first frame of this size in a thread is what {@link keepFreedMemory} is for. */
const mappedBytes = 128 * 1024;
const largestBlockBytes = 31 * 1024 * 1024;
let keepsFreedMemory = false;

/**
 * Has the allocator keep large blocks that were freed, instead of giving them back to the system and
 * taking them again page by page, which was two thirds of the time of receiving 1 MiB. glibc learns
 * that from the largest block freed so far, up to 32 MiB: this one is never touched, and is garbage
 * at once (docs/decisions/0023; bench scenario: push-pull 1 MiB).
 */
function keepFreedMemory(): void {
  keepsFreedMemory = true;
  allocate(largestBlockBytes);
}

const probe = viewOf(sharedReadBuffer, 0, probeBytes);

/**
 * Feeds chunks, cut anywhere, to a decoder that wants whole frames, and says where the next bytes
 * should be put so that they need not be moved.
 *
 * - Whole frames are decoded where they lie. While much comes they lie in slabs of this connection;
 *   a large frame is read straight into memory of its own.
 * - Memory follows what has arrived, not what a header announces: at most four times it, and what a
 *   frame before had taken, up to 4 MiB.
 * - No call copies much more than twice its chunk, however large the frame is.
 * - When the decoder stops early, what lies behind is held until {@link resume}.
 *
 * Bench scenarios: push-pull of every size.
 */
export class FrameAssembler {
  readonly #decoder: FrameDecoder;
  /** Memory that is filled from its beginning, and what in it is not decoded. */
  #region: Uint8Array = emptyBytes;
  #start = 0;
  #end = 0;
  /** The region is a slab: what lies before `#start` was told and belongs to whoever keeps it. */
  #isSlab = false;
  /** What is still to be copied to the front of the region, from the smaller one before it. */
  #former: Uint8Array = emptyBytes;
  #formerOffset = 0;
  /** Bytes behind a stop of the decoder, in memory of their own. */
  #held: Uint8Array | undefined;
  /** The last read filled a good part of its buffer. */
  #isBulk = false;
  /** What the next frame will have, if it is like the one before. */
  #expectedBytes = 0;
  #trustedBytes = 0;
  #slabCount = 0;
  #lastSlab: Uint8Array = emptyBytes;
  /** The memory that the payloads told now share, as `ReadGate` has it. */
  slab = 0;
  slabBytes = 0;
  isLent = false;
  /** Payloads are valid only while they are told: nothing need be copied for them. */
  #isLending = false;
  #isDisposed = false;
  /** The memory of the last large frame, while lending. */
  #spare: Uint8Array = emptyBytes;

  constructor(decoder: FrameDecoder) {
    this.#decoder = decoder;
  }

  /** Bytes that wait for the decoder or for the rest of their frame. */
  get bufferedBytes(): number {
    return this.#end - this.#start + (this.#held?.length ?? 0);
  }

  /** Gives back what others may have now; nothing is pushed any more. */
  dispose(): void {
    this.#isDisposed = true;
    this.#dropRegion();
  }

  /** Whether payloads may be told in memory that is used again right after. */
  setLending(isLending: boolean): void {
    this.#isLending = isLending;
    this.#spare = emptyBytes;
  }

  /** Where the next bytes should be put. They are given to {@link push} before anything else is read. */
  nextBuffer(): Uint8Array {
    if (this.#held !== undefined) return sharedReadBuffer;
    const filled = this.#end - this.#start;
    if (filled === 0) return this.#nextBufferBetweenFrames();
    // Whole frames that wait for the gate are left as they are.
    if (filled >= this.#decoder.neededBytes) return sharedReadBuffer;
    this.#makeRoom(filled);
    if (this.#isSlab) return this.#alignedRoom(this.#decoder.neededBytes);
    return this.#region.length - this.#end > probeBytes ? this.#room() : sharedReadBuffer;
  }

  /**
   * Decodes what is whole.
   *
   * @param chunk - the filled part of {@link nextBuffer}; or any other memory, which is then ours.
   * @throws what the decoder throws.
   */
  push(chunk: Uint8Array): void {
    if (this.#isNext(chunk)) {
      this.#end += chunk.length;
      this.#moveFormer(chunk.length);
      if (this.#isSlab) this.#isBulk = chunk.length >= leastRoomBytes;
      if (this.#held === undefined) this.#decodeRegion();
      return;
    }
    this.#isBulk = chunk.length >= leastRoomBytes;
    const start = this.#expectedBytes > largestInSlabBytes ? this.#peek(chunk) : 0;
    if (start < 0) return;
    const bytes = this.#isKept(chunk) ? chunk : copyOf(chunk);
    if (this.#held === undefined) this.#decode(bytes, start);
    else this.#held = joined(this.#held, bytes);
  }

  /** Goes on behind the place where the decoder stopped. */
  resume(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.#decode(held, 0);
    else if (this.#end > this.#start) this.#decodeRegion();
  }

  #nextBufferBetweenFrames(): Uint8Array {
    if (this.#expectedBytes > largestInSlabBytes) return probe;
    if (!this.#isBulk || this.#isLending) return sharedReadBuffer;
    const leastBytes = Math.max(this.#expectedBytes, leastRoomBytes);
    const isUsedUp = !this.#isSlab || this.#region.length - this.#end < leastBytes;
    if (isUsedUp && !this.#beginSlab()) return sharedReadBuffer;
    return this.#alignedRoom(this.#expectedBytes);
  }

  /**
   * Looks at the first header, so that the beginning of a large frame is copied once, not twice.
   * Gives where to go on, or -1 when the chunk is kept and nothing is left to do.
   */
  #peek(chunk: Uint8Array): number {
    const headerBytes = this.#decoder.neededBytes;
    const isBetweenFrames = this.#held === undefined && this.#end === this.#start;
    if (!isBetweenFrames || chunk.length < headerBytes) return 0;
    // Of the header alone at most a frame without any payload is told.
    const start = this.#decoder.decode(chunk, 0, headerBytes);
    if (start > 0 || this.#decoder.neededBytes <= chunk.length) return start;
    this.#keep(chunk, 0);
    return -1;
  }

  /** Whether it lies right behind what is in the region. */
  #isNext({ buffer, byteOffset }: Uint8Array): boolean {
    const region = this.#region;
    return buffer === region.buffer && byteOffset === region.byteOffset + this.#end;
  }

  /**
   * Whether payloads may be views on a chunk: not when its memory is read into again, and not when
   * it fills little of its memory, which a payload that waits would pin whole.
   */
  #isKept({ buffer, length }: Uint8Array): boolean {
    if (buffer === sharedReadBuffer.buffer) return this.#isLending && this.#held === undefined;
    return length >= buffer.byteLength / 4;
  }

  #room(): Uint8Array {
    return viewOf(this.#region, this.#end, this.#region.length - this.#end);
  }

  /** What is free of the slab, up to where a frame ends if all have this size. */
  #alignedRoom(frameBytes: number): Uint8Array {
    const room = this.#region.length - this.#start;
    const most = frameBytes < leastAlignedBytes ? room : room - (room % frameBytes);
    return viewOf(this.#region, this.#end, this.#start + most - this.#end);
  }

  #decodeRegion(): void {
    const filled = this.#end - this.#start;
    if (filled < this.#decoder.neededBytes) return;
    this.#moveFormer(Infinity);
    this.#tellFromRegion();
    const stop = this.#decoder.decode(this.#region, this.#start, this.#end);
    if (this.#isSlab) {
      this.#start = stop;
      if (stop < this.#end) this.#expectedBytes = this.#decoder.neededBytes;
      else if (!this.#isBulk) this.#dropRegion();
      return;
    }
    if (stop > this.#start) this.#afterFrame(filled);
  }

  #decode(bytes: Uint8Array, from: number): void {
    let start = from;
    while (this.#end > this.#start) {
      start += this.#fill(bytes, start);
      const filled = this.#end - this.#start;
      if (filled < this.#decoder.neededBytes) return;
      this.#moveFormer(Infinity);
      this.#tellFromRegion();
      const stop = this.#decoder.decode(this.#region, this.#start, this.#end);
      if (stop === this.#end) this.#afterFrame(filled);
      else if (stop > this.#start) this.#start = stop;
      // A header was completed: the frame's length is known now. Nothing used and nothing more
      // needed means that the gate closed.
      else if (filled >= this.#decoder.neededBytes) return this.#hold(bytes, start);
    }
    // Not by #isLending: what was told of the region may have ended that.
    const isLent = bytes.buffer === sharedReadBuffer.buffer;
    this.#tellFrom(bytes.length >= leastRoomBytes ? bytes : emptyBytes, isLent);
    const end = bytes.length;
    const stop = start < end ? this.#decoder.decode(bytes, start, end) : end;
    if (stop > start) this.#expectedBytes = 0;
    if (stop === end) return;
    this.#expectedBytes = this.#decoder.neededBytes;
    if (end - stop >= this.#decoder.neededBytes) this.#hold(bytes, stop);
    else this.#keep(bytes, stop);
  }

  /** A slab is not used again; the memory of a large frame is, while lending. */
  #tellFromRegion(): void {
    if (this.#isSlab) this.#tellFrom(this.#region, false);
    else this.#tellFrom(emptyBytes, this.#isLending);
  }

  /** Notes where payloads lie that are told next, and whether that is used again right after. */
  #tellFrom(memory: Uint8Array, isLent: boolean): void {
    this.isLent = isLent;
    if (memory.length === 0) this.slab = 0;
    else if (memory !== this.#lastSlab || this.slab === 0) this.slab = ++this.#slabCount;
    this.#lastSlab = memory;
    this.slabBytes = memory.length;
  }

  /** The region held one frame, and that was told. */
  #afterFrame(length: number): void {
    this.#expectedBytes = length;
    if (length >= mappedBytes && !keepsFreedMemory) keepFreedMemory();
    if (length > this.#trustedBytes) this.#trustedBytes = Math.min(length, mostTrustedBytes);
    // Not when lending began with this very frame: it was given for ever.
    if (this.isLent && this.#isLending) this.#spare = this.#region;
    this.#dropRegion();
  }

  /** Lets go of the memory: whoever keeps a payload has it, an idle connection has not. */
  #dropRegion(): void {
    this.#setRegion(emptyBytes);
    this.#end = 0;
    this.#dropFormer();
  }

  /** The only place that changes the region. */
  #setRegion(region: Uint8Array, isSlab = false): void {
    if (isSlab !== this.#isSlab) slabs += isSlab ? 1 : -1;
    this.#isSlab = isSlab;
    this.#region = region;
    this.#start = 0;
  }

  /** False when too many others have one. */
  #beginSlab(): boolean {
    if (this.#isDisposed || (!this.#isSlab && slabs >= mostSlabs)) return false;
    this.#setRegion(allocate(ownSlabBytes), true);
    this.#end = 0;
    return true;
  }

  #hold(bytes: Uint8Array, start: number): void {
    if (start === bytes.length) return;
    const rest = viewOf(bytes, start, bytes.length - start);
    this.#held = bytes.buffer === sharedReadBuffer.buffer ? copyOf(rest) : rest;
  }

  /** Copies out the beginning of a frame, so that it does not pin its chunk. */
  #keep(bytes: Uint8Array, start: number): void {
    const length = bytes.length - start;
    const fits = this.#decoder.neededBytes <= largestInSlabBytes;
    const isSlab = this.#isBulk && !this.#isLending && fits && this.#beginSlab();
    if (!isSlab) this.#setRegion(this.#memoryFor(length));
    this.#region.set(viewOf(bytes, start, length));
    this.#end = length;
  }

  /** Sees to it that more of the frame at hand fits. */
  #makeRoom(filled: number): void {
    const needed = this.#decoder.neededBytes;
    if (!this.#isSlab) {
      if (this.#end === this.#region.length) this.#grow(filled + 1);
      return;
    }
    const room = this.#region.length - this.#start;
    if (needed <= largestInSlabBytes && needed <= room && room - filled >= probeBytes) return;
    this.#keep(viewOf(this.#region, this.#start, filled), 0);
  }

  /** Adds to the frame at hand what it lacks, as far as there is any; gives how much. */
  #fill(bytes: Uint8Array, start: number): number {
    const filled = this.#end - this.#start;
    const wanted = this.#decoder.neededBytes - filled;
    const taken = Math.max(0, Math.min(wanted, bytes.length - start));
    if (taken === 0) return 0;
    if (this.#end + taken > this.#region.length) this.#grow(filled + taken);
    this.#region.set(viewOf(bytes, start, taken), this.#end);
    this.#end += taken;
    this.#moveFormer(taken);
    return taken;
  }

  #grow(length: number): void {
    this.#moveFormer(Infinity);
    this.#former = viewOf(this.#region, this.#start, this.#end - this.#start);
    this.#formerOffset = 0;
    this.#end -= this.#start;
    this.#setRegion(this.#memoryFor(length));
  }

  /**
   * Copies as much as has just come. Three times as much as was there is still to come, so that this
   * ends long before the frame is whole.
   */
  #moveFormer(most: number): void {
    const left = this.#former.length - this.#formerOffset;
    if (left === 0) return;
    const count = Math.min(most, left);
    this.#region.set(viewOf(this.#former, this.#formerOffset, count), this.#formerOffset);
    this.#formerOffset += count;
    if (count === left) this.#dropFormer();
  }

  #dropFormer(): void {
    this.#former = emptyBytes;
    this.#formerOffset = 0;
  }

  /** Memory for a frame of which `length` bytes are there. */
  #memoryFor(length: number): Uint8Array {
    const needed = this.#decoder.neededBytes;
    const spare = this.#spare;
    if (spare.length >= needed) {
      this.#spare = emptyBytes;
      return viewOf(spare, 0, needed);
    }
    return allocate(this.#capacityFor(length, needed));
  }

  /** The smallest of a whole frame, a quarter of it, a sixteenth and so on that holds `length`. */
  #capacityFor(length: number, needed: number): number {
    if (needed <= this.#trustedBytes) return needed;
    let capacity = needed;
    while (capacity > firstPieceBytes && capacity / growth >= length) {
      capacity = Math.ceil(capacity / growth);
    }
    return capacity;
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = allocate(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
