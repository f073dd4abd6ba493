import type { ReadGate } from "../contracts/protocol.ts";
import { Deque } from "./deque.ts";
import { LeftBehind } from "./left-behind.ts";

/** What can stand in a {@link ReceiveQueue}. */
export interface Receivable {
  readonly payload: Uint8Array;
  readonly topic?: string;
  readonly multipart?: readonly Uint8Array[] | undefined;
  /** Copies its payload, which is valid only for a moment. */
  detach(): void;
}

/** What a queued item costs beside its payload and topic. */
const itemOverheadBytes = 64;

function costOf({ payload, topic, multipart }: Receivable): number {
  const bytes = multipart === undefined ? payload.length : bytesOfParts(multipart);
  return bytes + (topic === undefined ? 0 : topic.length) + itemOverheadBytes;
}

/** What the parts of a message cost. */
export function bytesOfParts(parts: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const part of parts) bytes += part.length + itemOverheadBytes;
  return bytes;
}

/** How much one peer may have waiting before reading from it stops. */
export interface ReceiveLimits {
  readonly maxMessages: number;
  readonly maxBytes: number;
}

interface PinnedSlab {
  /** How many items were there before the first one in it. */
  readonly start: number;
  /** What it has beside the items in it. */
  bytes: number;
}

/** One peer's share of a {@link ReceiveQueue}. */
export class ReceiveSource<T> {
  readonly items: Deque<T> = new Deque();
  readonly gate: ReadGate;
  bytes = 0;
  /** What items pin beside themselves: the rest of the slabs that they lie in. */
  pinnedBytes = 0;
  /** The slab that the newest item lies in. */
  #slab = 0;
  #newest: PinnedSlab | undefined;
  /** Made for the first one: most connections never read so much at a time. */
  #slabs: Deque<PinnedSlab> | undefined;
  #pushed = 0;
  #shifted = 0;
  /** True while the gate is held because this share is full. */
  isFull = false;
  /** True while it stands in the rotation. */
  isActive = false;
  /** Its peer is gone. */
  isAbandoned = false;

  constructor(gate: ReadGate) {
    this.gate = gate;
  }

  /** What it keeps in memory. */
  get heldBytes(): number {
    return this.bytes + this.pinnedBytes;
  }

  push(item: T, bytes: number): void {
    if (this.gate.slab !== this.#slab) this.#enterSlab();
    const slab = this.#newest;
    if (slab !== undefined && slab.bytes > 0) {
      const covered = Math.min(slab.bytes, bytes);
      slab.bytes -= covered;
      this.pinnedBytes -= covered;
    }
    this.items.push(item);
    this.#pushed++;
    this.bytes += bytes;
  }

  shift(): T | undefined {
    const item = this.items.shift();
    if (item === undefined) return undefined;
    this.#shifted++;
    if (this.#slabs !== undefined && this.#slabs.size > 0) this.#unpin(this.#slabs);
    return item;
  }

  #enterSlab(): void {
    const { slab, slabBytes } = this.gate;
    this.#slab = slab;
    this.#newest = undefined;
    if (slab === 0) return;
    this.#newest = { start: this.#pushed, bytes: slabBytes };
    this.#slabs ??= new Deque();
    this.#slabs.push(this.#newest);
    this.pinnedBytes += slabBytes;
  }

  /** Lets go of a slab when the first item of the next one is taken, or the last of all. */
  #unpin(slabs: Deque<PinnedSlab>): void {
    const isEmpty = this.items.size === 0;
    while (slabs.size > 0) {
      const next = slabs.peekSecond();
      if (!isEmpty && (next === undefined || this.#shifted < next.start)) return;
      this.pinnedBytes -= slabs.shift()?.bytes ?? 0;
    }
    this.#slab = 0;
    this.#newest = undefined;
  }
}

/** Who takes everything as it comes, as far as it can. */
export interface ItemConsumer<T> {
  /** Whether it would take one more now. */
  readonly takesNow: boolean;
  consume(item: T): void;
  /** Something was added; it may be taken. */
  onItem(): void;
}

/** Called when something arrived, or the queue was closed. */
export interface Sleeper {
  wake(): void;
}

/**
 * What was received and not taken yet.
 *
 * Fair: peers take turns. Bounded: a peer whose share is full is not read from, until half of it
 * was taken; one item always fits. An item is a peer's until somebody takes it, also when the peer
 * is gone; what such peers left is bounded as one more share.
 */
export class ReceiveQueue<T extends Receivable> {
  readonly #limits: ReceiveLimits;
  readonly #admit: ((item: T) => boolean) | undefined;
  readonly #rotation: Deque<ReceiveSource<T>> = new Deque();
  readonly #sleepers: Set<Sleeper> = new Set();
  readonly #left: LeftBehind<ReceiveSource<T>>;
  #consumer: ItemConsumer<T> | undefined;
  size = 0;
  bytes = 0;
  isClosed = false;
  /** Called when the last item was taken. */
  onEmpty: (() => void) | undefined;

  /**
   * @param sources - of the peers that are there.
   * @param admit - asked about each item that is taken; one it refuses is nobody's any more.
   */
  constructor(
    limits: ReceiveLimits,
    sources: () => Iterable<ReceiveSource<T>>,
    admit?: (item: T) => boolean,
  ) {
    this.#limits = limits;
    this.#left = new LeftBehind(limits, sources);
    this.#admit = admit;
  }

  /** A peer is there: it may be read from as soon as there is room for what it leaves. */
  open(source: ReceiveSource<T>): void {
    this.#left.onCame(source);
  }

  /** Its peer is gone: what it left is still given. */
  abandon(source: ReceiveSource<T>): void {
    this.#left.onWent(source);
    source.isAbandoned = true;
    this.#left.add(source.items.size, source.heldBytes);
  }

  /** The one that takes items before all others. */
  setConsumer(consumer: ItemConsumer<T> | undefined): void {
    this.#consumer = consumer;
  }

  push(source: ReceiveSource<T>, item: T): void {
    if (this.isClosed) return;
    const consumer = this.#consumer;
    // Nothing waits before it and it need not wait itself (bench scenario: push-pull callback).
    if (consumer?.takesNow === true && this.size === 0) {
      if (this.#admit === undefined || this.#admit(item)) consumer.consume(item);
      return;
    }
    if (source.gate.isLent) item.detach();
    const bytes = costOf(item);
    const before = source.heldBytes;
    source.push(item, bytes);
    if (source.isAbandoned) this.#left.add(1, source.heldBytes - before);
    this.bytes += bytes;
    this.size++;
    if (!source.isActive) {
      source.isActive = true;
      this.#rotation.push(source);
    }
    const { maxMessages, maxBytes } = this.#limits;
    if (!source.isFull && (source.items.size >= maxMessages || source.heldBytes >= maxBytes)) {
      source.isFull = true;
      source.gate.hold();
    }
    if (consumer !== undefined) consumer.onItem();
    else if (this.#sleepers.size > 0) this.wakeNext();
  }

  /** Takes the next item that is admitted. */
  take(): T | undefined {
    let item = this.#takeAny();
    while (this.#admit !== undefined && item !== undefined && !this.#admit(item)) {
      item = this.#takeAny();
    }
    return item;
  }

  /** Takes up to `max` items, in the order {@link take} gives them. */
  takeMany(max: number): T[] {
    const items: T[] = [];
    while (items.length < max) {
      const item = this.take();
      if (item === undefined) break;
      items.push(item);
    }
    return items;
  }

  /** Takes out everything that nobody will use. */
  clear(): T[] {
    const items: T[] = [];
    for (let item = this.#takeAny(); item !== undefined; item = this.#takeAny()) items.push(item);
    return items;
  }

  /** Takes out an item that is its peer's oldest; false when it is not, because it was taken. */
  discardOldest(source: ReceiveSource<T>, item: T): boolean {
    if (source.items.peek() !== item) return false;
    source.shift();
    this.#onOut(source, item);
    return true;
  }

  /** Takes out all that is left of one peer. */
  clearSource(source: ReceiveSource<T>): T[] {
    const items: T[] = [];
    for (let item = source.shift(); item !== undefined; item = source.shift()) {
      items.push(item);
    }
    this.size -= items.length;
    this.bytes -= source.bytes;
    source.bytes = 0;
    if (source.isFull) this.#openWhenHalfEmpty(source);
    if (this.size === 0 && items.length > 0) this.onEmpty?.();
    return items;
  }

  /** Has a sleeper woken once, when there is something to take. */
  sleep(sleeper: Sleeper): void {
    this.#sleepers.add(sleeper);
  }

  /** One that was woken and takes nothing calls this, so that the next one does. */
  cancelSleep(sleeper: Sleeper): void {
    if (!this.#sleepers.delete(sleeper) && this.size > 0) this.wakeNext();
  }

  wakeNext(): void {
    for (const sleeper of this.#sleepers) {
      this.#sleepers.delete(sleeper);
      sleeper.wake();
      return;
    }
  }

  /** Forgets everything and wakes everybody; nothing is added any more. */
  close(): void {
    this.isClosed = true;
    this.#rotation.clear();
    this.size = this.bytes = 0;
    const sleepers = [...this.#sleepers];
    this.#sleepers.clear();
    for (const sleeper of sleepers) sleeper.wake();
  }

  #takeAny(): T | undefined {
    const rotation = this.#rotation;
    for (let source = rotation.peek(); source !== undefined; source = rotation.peek()) {
      const before = source.heldBytes;
      const item = source.shift();
      if (source.items.size === 0) {
        source.isActive = false;
        rotation.shift();
      } else if (rotation.size > 1) {
        rotation.shift();
        rotation.push(source);
      }
      // Nothing is left of a peer that was cleared: the next one has its turn.
      if (item === undefined) continue;
      this.#onOut(source, item);
      if (source.isAbandoned) this.#left.remove(1, before - source.heldBytes);
      return item;
    }
    return undefined;
  }

  #onOut(source: ReceiveSource<T>, item: T): void {
    const bytes = costOf(item);
    source.bytes -= bytes;
    this.bytes -= bytes;
    this.size--;
    if (source.isFull) this.#openWhenHalfEmpty(source);
    if (this.size === 0) this.onEmpty?.();
  }

  #openWhenHalfEmpty(source: ReceiveSource<T>): void {
    const { maxMessages, maxBytes } = this.#limits;
    if (source.items.size > maxMessages / 2 || source.heldBytes > maxBytes / 2) return;
    source.isFull = false;
    source.gate.release();
  }
}
