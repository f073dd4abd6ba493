/**
 * The design rules of docs/performance.md put together with nothing else: no handshake, no bounds, no
 * counters, no close. What a library on `node:net` could reach at the most; one connection.
 */
import type { OnReadOpts } from "node:net";
import { Socket } from "node:net";
import type { Place } from "./contender.ts";
import { dial, listen } from "./raw.ts";

/** Node.js's own class behind Buffer: constructing it costs half of `subarray`. */
const View = (Buffer as unknown as { [Symbol.species]: BufferView })[Symbol.species];
type BufferView = new (memory: ArrayBufferLike, offset: number, length: number) => Buffer;

/** Node.js does not document it. */
const handleName = "_handle";

const headerBytes = 10;
const chunkBytes = 65_536;
const slabBytes = 262_144;
const leastSlabRest = 16_384;
/** Larger payloads go by reference. */
const maxCopiedBytes = 16_384;
/** So much goes by reference in one writev. */
const gatheredBytes = 262_144;
const turnBytes = 262_144;
const highWaterBytes = 1_048_576;
const maxPooled = 32;

/** Told of each frame: its id, and a view of its payload. */
export type OnFrame = (id: number, payload: Buffer) => void;

/** One connection: encodes into a pooled chunk, decodes in a slab. */
export class PrototypeLink {
  readonly onread: OnReadOpts = {
    buffer: () => new View(this.#slab.buffer, this.#filled, this.#slab.length - this.#filled),
    callback: (bytes) => {
      this.#filled += bytes;
      this.#decode();
      return true;
    },
  };
  #onFrame: OnFrame;
  #socket: Socket = new Socket();

  readonly #pool: Buffer[] = [];
  #chunk: Buffer = Buffer.allocUnsafeSlow(chunkBytes);
  #header: DataView = new DataView(this.#chunk.buffer);
  /** The chunk holds what was not written yet from `start` to `end`. */
  #start = 0;
  #end = 0;
  #referencedBytes = 0;
  #isCorked = false;
  #isFlushing = false;
  readonly #flushLater: () => void = () => {
    this.#isFlushing = false;
    if (this.#end > 0) this.#flush();
  };

  #turn = 0;
  #isTurnCounted = false;
  readonly #endTurn: () => void = () => {
    this.#turn = 0;
    this.#isTurnCounted = false;
    this.#release();
  };
  #room: Promise<void> | undefined;
  #onRoom: (() => void) | undefined;

  #slab: Buffer = Buffer.allocUnsafeSlow(slabBytes);
  #slabView: DataView = new DataView(this.#slab.buffer);
  #decoded = 0;
  #filled = 0;

  constructor(onFrame: OnFrame = () => {}) {
    this.#onFrame = onFrame;
  }

  attach(socket: Socket): this {
    this.#socket = socket;
    socket.on("error", () => socket.destroy());
    socket.on("drain", () => this.#release());
    return this;
  }

  set onFrame(onFrame: OnFrame) {
    this.#onFrame = onFrame;
  }

  /** @returns false when the caller should wait for {@link room}. */
  send(id: number, payload: Uint8Array): boolean {
    const { length } = payload;
    if (length > maxCopiedBytes) return this.#sendReference(id, payload);
    if (this.#end + headerBytes + length > chunkBytes) this.#flush();
    this.#writeHeader(id, length);
    const chunk = this.#chunk;
    const offset = this.#end;
    // A loop is faster than set() up to about 16 bytes.
    if (length <= 16)
      for (let at = 0; at < length; at++) chunk[offset + at] = payload[at] as number;
    else chunk.set(payload, offset);
    this.#end = offset + length;
    this.#flushSoon();
    return this.#hasRoomAfter(length + headerBytes);
  }

  room(): Promise<void> {
    this.#room ??= new Promise((resolve) => {
      this.#onRoom = resolve;
      this.#countTurn();
    });
    return this.#room;
  }

  #sendReference(id: number, payload: Uint8Array): boolean {
    if (this.#end + headerBytes > chunkBytes) this.#flush();
    this.#writeHeader(id, payload.length);
    if (!this.#isCorked) this.#socket.cork();
    this.#isCorked = true;
    this.#socket.write(new View(this.#chunk.buffer, this.#start, this.#end - this.#start));
    this.#socket.write(payload);
    this.#start = this.#end;
    this.#referencedBytes += payload.length;
    if (this.#referencedBytes >= gatheredBytes) this.#flush();
    else this.#flushSoon();
    return this.#hasRoomAfter(payload.length);
  }

  #writeHeader(id: number, length: number): void {
    const offset = this.#end;
    this.#header.setUint16(offset, 0x0400);
    this.#header.setUint32(offset + 2, id);
    this.#header.setUint32(offset + 6, length);
    this.#end = offset + headerBytes;
  }

  #flushSoon(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    process.nextTick(this.#flushLater);
  }

  #flush(): void {
    const chunk = this.#chunk;
    const length = this.#end - this.#start;
    if (length > 0) this.#socket.write(new View(chunk.buffer, this.#start, length));
    this.#start = 0;
    this.#end = 0;
    this.#referencedBytes = 0;
    if (this.#isCorked) this.#socket.uncork();
    this.#isCorked = false;
    // A length of 0 means that the kernel has all of it, and the chunk is free again.
    if (this.#socket.writableLength === 0) return;
    this.#chunk = this.#pool.pop() ?? Buffer.allocUnsafeSlow(chunkBytes);
    this.#header = new DataView(this.#chunk.buffer);
    this.#socket.write("", "latin1", () => {
      if (this.#pool.length < maxPooled) this.#pool.push(chunk);
    });
  }

  #hasRoomAfter(bytes: number): boolean {
    this.#turn += bytes;
    if (this.#turn < turnBytes) return this.#socket.writableLength < highWaterBytes;
    this.#countTurn();
    return false;
  }

  #countTurn(): void {
    if (this.#isTurnCounted) return;
    this.#isTurnCounted = true;
    setImmediate(this.#endTurn);
  }

  #release(): void {
    const onRoom = this.#onRoom;
    if (onRoom === undefined || this.#turn >= turnBytes) return;
    if (this.#socket.writableLength >= highWaterBytes) return;
    this.#room = undefined;
    this.#onRoom = undefined;
    onRoom();
  }

  #decode(): void {
    const view = this.#slabView;
    const { buffer } = this.#slab;
    const end = this.#filled;
    let offset = this.#decoded;
    let needed = headerBytes;
    while (end - offset >= headerBytes) {
      const length = view.getUint32(offset + 6);
      const next = offset + headerBytes + length;
      if (next > end) {
        needed = headerBytes + length;
        break;
      }
      this.#onFrame(view.getUint32(offset + 2), new View(buffer, offset + headerBytes, length));
      offset = next;
    }
    this.#decoded = offset;
    const { length } = this.#slab;
    if (length - offset < needed || length - end < leastSlabRest) this.#renewSlab(needed);
  }

  /** Views of the old slab are the application's: only the rest of it moves. */
  #renewSlab(needed: number): void {
    const slab = Buffer.allocUnsafeSlow(Math.max(needed, slabBytes));
    this.#filled = this.#slab.copy(slab, 0, this.#decoded, this.#filled);
    this.#decoded = 0;
    this.#slab = slab;
    this.#slabView = new DataView(slab.buffer);
  }
}

/** Listens. `onLink` gives what is told of its frames. */
export function listenPrototype(
  place: Place,
  onLink: (link: PrototypeLink) => void,
): Promise<string> {
  const adopt = (socket: Socket): void => {
    const link = new PrototypeLink();
    // A server has no `onread`, so the handle moves to a socket that has.
    const accepted = socket as unknown as Record<typeof handleName, object | null>;
    const handle = accepted[handleName];
    accepted[handleName] = null;
    const options = { handle, onread: link.onread, readable: true, writable: true };
    const reading = new Socket(options);
    link.attach(reading);
    onLink(link);
    reading.resume();
  };
  return listen(place, adopt, { pauseOnConnect: true });
}

/** Connects. */
export async function dialPrototype(place: Place, onFrame?: OnFrame): Promise<PrototypeLink> {
  const link = new PrototypeLink(onFrame);
  return link.attach(await dial(place, link.onread));
}
