/**
 * Which streams of a peer were seen. They become readable in any order when packets are lost, so an
 * id below the highest is not an old one.
 */
export class PeerStreams {
  /** All below it were seen. */
  #floor: number;
  readonly #above: Set<number> = new Set();

  /** @param first - the lowest id that the peer may open. */
  constructor(first: number) {
    this.#floor = first;
  }

  /** True the first time that it is asked about a bidirectional stream of the peer. */
  isNew(id: number): boolean {
    if ((id & 3) !== (this.#floor & 3) || id < this.#floor || this.#above.has(id)) return false;
    this.#above.add(id);
    while (this.#above.delete(this.#floor)) this.#floor += 4;
    return true;
  }
}
