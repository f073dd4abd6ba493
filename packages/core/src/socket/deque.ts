/**
 * A larger ring is given back when it is empty. What one read brings fits in: growing again for each
 * read took a third of a receiver's time (bench scenario: push-pull batches).
 */
const keptLength = 8_192;

/** A queue with both ends open, on a ring that grows and shrinks with what it holds. */
export class Deque<T> {
  #ring: (T | undefined)[] = [];
  #head = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(item: T): void {
    if (this.#size === this.#ring.length) this.#resize(Math.max(16, this.#size * 2));
    this.#ring[(this.#head + this.#size) & (this.#ring.length - 1)] = item;
    this.#size++;
  }

  peek(): T | undefined {
    return this.#ring[this.#head];
  }

  /** The one behind {@link peek}'s. */
  peekSecond(): T | undefined {
    return this.#size < 2 ? undefined : this.#ring[(this.#head + 1) & (this.#ring.length - 1)];
  }

  shift(): T | undefined {
    if (this.#size === 0) return undefined;
    const item = this.#ring[this.#head];
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.#size--;
    // What a burst left behind is given back.
    if (this.#size === 0 && this.#ring.length > keptLength) this.clear();
    return item;
  }

  clear(): void {
    this.#ring = [];
    this.#head = 0;
    this.#size = 0;
  }

  /** The lengths are powers of two, so that positions wrap by a mask. */
  #resize(length: number): void {
    const old = this.#ring;
    const ring: (T | undefined)[] = [];
    for (let i = 0; i < this.#size; i++) ring.push(old[(this.#head + i) & (old.length - 1)]);
    while (ring.length < length) ring.push(undefined);
    this.#ring = ring;
    this.#head = 0;
  }
}
