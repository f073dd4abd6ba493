/** So many silent streams of one peer are known; what is announced beyond them is not kept. */
const maxAnnounced = 1_024;

/**
 * Which streams of a peer were seen. They become readable in any order when packets are lost, so an
 * id below the highest is not an old one.
 */
export class PeerStreams {
  /** All below it were seen. */
  #floor: number;
  readonly #above: Set<number> = new Set();
  readonly #announced: Set<number> = new Set();

  /** @param first - the lowest id that the peer may open. */
  constructor(first: number) {
    this.#floor = first;
  }

  /** Whether there are some that nothing was said on so far. */
  get hasSilent(): boolean {
    return this.#announced.size > 0;
  }

  /** The peer says that it has opened a stream. */
  announce(id: number): void {
    if (this.#isUnseen(id) && this.#announced.size < maxAnnounced) this.#announced.add(id);
  }

  /** True the first time that it is asked about a bidirectional stream of the peer. */
  isNew(id: number): boolean {
    if (!this.#isUnseen(id)) return false;
    this.#announced.delete(id);
    this.#above.add(id);
    while (this.#above.delete(this.#floor)) this.#floor += 4;
    return true;
  }

  #isUnseen(id: number): boolean {
    return (id & 3) === (this.#floor & 3) && id >= this.#floor && !this.#above.has(id);
  }
}
