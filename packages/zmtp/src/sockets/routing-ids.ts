import { copyOf } from "@msg-ts/core/building";
import { byteText } from "../patterns/byte-text.ts";

/** Peers by the names that a ROUTER knows them by. */
export class RoutingIds<P> {
  readonly #peers: Map<string, P> = new Map();
  readonly #ids: Map<P, Uint8Array> = new Map();
  #lastId: number;

  /** @param first - where the names that are chosen here begin. */
  constructor(first: number) {
    this.#lastId = first >>> 0;
  }

  get(id: Uint8Array): P | undefined {
    return this.#peers.get(byteText(id));
  }

  idOf(peer: P): Uint8Array | undefined {
    return this.#ids.get(peer);
  }

  /** Adds a peer under the name it asks for; one that asks for none is given one that nobody may ask for. */
  add(peer: P, wanted: Uint8Array): Uint8Array {
    const id = wanted.length > 0 ? copyOf(wanted) : this.#next();
    this.#peers.set(byteText(id), peer);
    this.#ids.set(peer, id);
    return id;
  }

  delete(peer: P): void {
    const id = this.#ids.get(peer);
    if (id === undefined) return;
    this.#ids.delete(peer);
    // Its name may be another's by now.
    if (this.get(id) === peer) this.#peers.delete(byteText(id));
  }

  /** A zero and a number, as libzmq does: RFC 28 keeps what begins with a zero for the socket itself. */
  #next(): Uint8Array {
    const id = new Uint8Array(5);
    do {
      this.#lastId = (this.#lastId + 1) >>> 0;
      new DataView(id.buffer).setUint32(1, this.#lastId);
    } while (this.#peers.has(byteText(id)));
    return id;
  }
}
