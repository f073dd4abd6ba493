import type { Link, LinkHandlers } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import { ByteQueue } from "./byte-queue.ts";
import type { TurnTaker, Turns } from "./turns.ts";

/** The most bytes of one `onData`: what a socket of the host delivers at a time. */
const maxChunkBytes = 64 * 1024;

/** The most bytes that one end is given per turn, so that others have theirs. */
const maxTurnBytes = 1024 * 1024;

type State =
  | { readonly phase: "open" | "ended" | "closed" }
  /** `onClose` is due. */
  | { readonly phase: "closing"; readonly reason: MsgError | undefined };

/**
 * One end of a stream inside the process.
 *
 * Bytes stay the writer's, in the writer's queue, until the reader was given them: nothing is
 * copied, and a reader that has stopped holds up its writer at once.
 */
export class InprocLink implements Link, TurnTaker {
  readonly remoteAddress: string;
  readonly #turns: Turns;
  readonly #outgoing: ByteQueue = new ByteQueue();
  #peer: InprocLink = this;
  #handlers: LinkHandlers | undefined;
  #state: State = { phase: "open" };
  #isReading = true;
  #hasSeenEnd = false;

  private constructor(turns: Turns, remoteAddress: string) {
    this.#turns = turns;
    this.remoteAddress = remoteAddress;
  }

  /** Makes both ends: the first one's peer is at `firstRemote`. */
  static pair(turns: Turns, firstRemote: string, secondRemote: string): [InprocLink, InprocLink] {
    const first = new InprocLink(turns, firstRemote);
    const second = new InprocLink(turns, secondRemote);
    first.#peer = second;
    second.#peer = first;
    return [first, second];
  }

  get bufferedBytes(): number {
    return this.#outgoing.length;
  }

  start(handlers: LinkHandlers): void {
    this.#handlers = handlers;
    this.#turns.request(this);
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (this.#state.phase !== "open") return true;
    for (const chunk of chunks) if (chunk.length > 0) this.#outgoing.push(chunk);
    if (this.#outgoing.length === 0) return true;
    this.#turns.request(this.#peer);
    return false;
  }

  setReading(reading: boolean): void {
    this.#isReading = reading;
    if (reading) this.#turns.request(this);
  }

  end(): void {
    if (this.#state.phase !== "open") return;
    this.#state = { phase: "ended" };
    this.#turns.request(this.#peer);
  }

  destroy(): void {
    if (this.#isOver) return;
    this.#close(undefined);
    const text = `link to ${this.#peer.remoteAddress} broke: its peer destroyed it`;
    this.#peer.#close(new MsgError("MSG_PEER_LOST", text));
  }

  /** Only {@link Turns} calls it: handlers run nowhere else. */
  runTurn(): void {
    const handlers = this.#handlers;
    if (handlers === undefined) return;
    this.#deliverData(handlers);
    this.#deliverEnd(handlers);
    if (this.#state.phase !== "closing") return;
    const { reason } = this.#state;
    this.#state = { phase: "closed" };
    handlers.onClose(reason);
  }

  get #isOver(): boolean {
    return this.#state.phase === "closing" || this.#state.phase === "closed";
  }

  #deliverData(handlers: LinkHandlers): void {
    const incoming = this.#peer.#outgoing;
    if (incoming.length === 0) return;
    let leftBytes = maxTurnBytes;
    while (this.#isReading && incoming.length > 0 && leftBytes > 0) {
      // What the writer gave stays the writer's, so it is copied, as by a system call.
      const mostBytes = Math.min(maxChunkBytes, leftBytes);
      const target = handlers.nextBuffer?.() ?? Buffer.allocUnsafe(mostBytes);
      const chunk = incoming.take(Math.min(mostBytes, target.length));
      target.set(chunk);
      leftBytes -= chunk.length;
      handlers.onData(target.subarray(0, chunk.length));
    }
    if (this.#isOver) return;
    if (incoming.length === 0) this.#peer.#handlers?.onDrain();
    else if (this.#isReading) this.#turns.request(this);
  }

  #deliverEnd(handlers: LinkHandlers): void {
    const peer = this.#peer;
    if (this.#hasSeenEnd || this.#isOver) return;
    if (peer.#state.phase !== "ended" || peer.#outgoing.length > 0) return;
    this.#hasSeenEnd = true;
    handlers.onEnd();
    if (!peer.#hasSeenEnd) return;
    peer.#close(undefined);
    this.#close(undefined);
  }

  #close(reason: MsgError | undefined): void {
    if (this.#isOver) return;
    this.#state = { phase: "closing", reason };
    this.#outgoing.clear();
    this.#turns.request(this);
  }
}
