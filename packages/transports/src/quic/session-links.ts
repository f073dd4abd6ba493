import type { EngineConnection } from "./engine.ts";
import type { LinkSession } from "./stream-link.ts";
import { StreamLink } from "./stream-link.ts";

/** Of more links than this, the engine is asked which of them have something. */
const maxLinksToAsk = 16;

/** The links of one connection, and what each of them waits for. */
export class SessionLinks {
  readonly #session: LinkSession;
  readonly #remoteAddress: string;
  readonly #isDialer: boolean;
  readonly #byId: Map<number, StreamLink> = new Map();
  #turns: Set<StreamLink> = new Set();
  #blocked: Set<StreamLink> = new Set();
  readonly #undone: Set<StreamLink> = new Set();
  #count = 0;

  constructor(session: LinkSession, remoteAddress: string, isDialer: boolean) {
    this.#session = session;
    this.#remoteAddress = remoteAddress;
    this.#isDialer = isDialer;
  }

  get size(): number {
    return this.#byId.size;
  }

  get hasTurns(): boolean {
    return this.#turns.size > 0;
  }

  get hasBlocked(): boolean {
    return this.#blocked.size > 0;
  }

  get(id: number): StreamLink | undefined {
    return this.#byId.get(id);
  }

  values(): Iterable<StreamLink> {
    return this.#byId.values();
  }

  add(id: number): StreamLink {
    const number = this.#count;
    this.#count += 1;
    const isFirst = number === 0 || this.#isDialer;
    const name = isFirst ? this.#remoteAddress : `${this.#remoteAddress}#${number}`;
    const link = new StreamLink(this.#session, id, name);
    this.#byId.set(id, link);
    return link;
  }

  /** False when it was gone before. A turn that it was promised it has all the same. */
  remove(link: StreamLink): boolean {
    this.#blocked.delete(link);
    this.#undone.delete(link);
    return this.#byId.delete(link.id);
  }

  awaitTurn(link: StreamLink): void {
    this.#turns.add(link);
  }

  awaitRoom(link: StreamLink): void {
    this.#blocked.add(link);
  }

  awaitDone(link: StreamLink): void {
    if (!link.closeIfDone()) this.#undone.add(link);
  }

  runTurns(): void {
    if (this.#turns.size === 0) return;
    const turns = this.#turns;
    this.#turns = new Set();
    for (const link of turns) link.runTurn();
  }

  /** Those with the least to send first: a small message is not to wait for a large one. */
  sendBlocked(): void {
    const blocked = [...this.#blocked];
    this.#blocked = new Set();
    if (blocked.length > 1) blocked.sort((a, b) => a.bufferedBytes - b.bufferedBytes);
    for (const link of blocked) link.sendMore();
  }

  closeDone(): void {
    for (const link of this.#undone) if (link.closeIfDone()) this.#undone.delete(link);
  }

  /**
   * Asks the links that there are first: a connection mostly has one or two, and to list the
   * readable streams costs the engine more than all else that it does for a small message (bench
   * scenario: req-rep).
   *
   * @param onOther - is given the streams that have something, and are no link here.
   */
  read(connection: EngineConnection, onOther: (id: number) => void): void {
    if (!connection.isReadable) return;
    if (this.#byId.size <= maxLinksToAsk) {
      for (const link of this.#byId.values()) {
        if (connection.isStreamReadable(link.id)) link.runTurn();
      }
      if (!connection.isReadable) return;
    }
    for (const id of connection.readableStreams()) {
      const link = this.#byId.get(id);
      if (link === undefined) onOther(id);
      else link.runTurn();
    }
  }

  /** Nothing is sent any more: only turns are given. */
  stopWaiting(): void {
    this.#blocked.clear();
    this.#undone.clear();
  }
}
