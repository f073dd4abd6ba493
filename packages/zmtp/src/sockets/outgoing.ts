import type { Linked } from "@msg-ts/core/building";
import { abortReason, checkDelay, LinkedQueue, quietly } from "@msg-ts/core/building";
import type { MsgError, Runtime, WaitOptions } from "@msg-ts/core";
import { bytesOf } from "./parts-options.ts";
import type { ResolvedPartsOptions } from "./parts-options.ts";
import { WaitingSends } from "./waiting-sends.ts";

/** A message that no peer has yet. */
class Outgoing implements Linked<Outgoing> {
  readonly parts: readonly Uint8Array[];
  readonly bytes: number;
  previousInQueue: Outgoing | undefined;
  nextInQueue: Outgoing | undefined;
  inQueue: object | undefined;

  constructor(parts: readonly Uint8Array[]) {
    this.parts = parts;
    this.bytes = bytesOf(parts);
  }
}

/** What gives messages to peers, and says whether any may come. */
export interface OutgoingHost {
  readonly runtime: Runtime;
  readonly options: ResolvedPartsOptions;
  /** Gives a message to a peer; false when none has room. */
  give(parts: readonly Uint8Array[]): boolean;
  /** Whether a peer will come by itself, so that messages may wait for it unwatched. */
  mayQueue(): boolean;
  /** A message gave way to a newer one. */
  onConflated(): void;
}

/**
 * Messages that go to any one peer: accepted ones first, up to the high-water mark, then the calls
 * that wait until they are accepted; always in the order of the calls. With `conflate` only the
 * newest is kept, and no call waits for it.
 */
export class OutgoingMessages {
  readonly #host: OutgoingHost;
  readonly #accepted: LinkedQueue<Outgoing> = new LinkedQueue();
  readonly #waiting: WaitingSends;
  #acceptedBytes = 0;
  onEmpty: () => void = () => {};

  constructor(host: OutgoingHost) {
    this.#host = host;
    this.#waiting = new WaitingSends(host.runtime, host.options.maxWaiting, () => this.pump());
  }

  /** Messages that no peer has. */
  get size(): number {
    return this.#accepted.size + this.#waiting.size;
  }

  /** Whether a message may be kept now, and nothing waits before it. */
  get hasRoom(): boolean {
    return this.#waiting.size === 0 && this.#mayAccept;
  }

  /** Gives a message to a peer now, or keeps it, if nothing waits before it. */
  trySend(parts: readonly Uint8Array[]): boolean {
    return this.#waiting.size === 0 && this.#offer(parts);
  }

  /** @throws MsgError `MSG_HIGH_WATER_MARK` */
  send(parts: readonly Uint8Array[], options: WaitOptions): Promise<void> | undefined {
    const { timeoutMs = Infinity, signal } = options;
    checkDelay("timeoutMs", timeoutMs);
    if (signal?.aborted === true) return quietly(Promise.reject(abortReason(signal)));
    if (this.trySend(parts)) return undefined;
    return this.#waiting.wait(() => this.#offer(parts), options, "no peer took a message");
  }

  /** Gives out what can be. */
  pump(): void {
    const accepted = this.#accepted;
    for (let first = accepted.first; first !== undefined; first = accepted.first) {
      if (!this.#host.give(first.parts)) break;
      accepted.remove(first);
      this.#acceptedBytes -= first.bytes;
    }
    this.#waiting.pump();
    if (this.size === 0) this.onEmpty();
  }

  /** Messages that came back go first, in their order. */
  giveBack(messages: readonly (readonly Uint8Array[])[]): void {
    for (const parts of messages.toReversed()) {
      const message = new Outgoing(parts);
      this.#accepted.prepend(message);
      this.#acceptedBytes += message.bytes;
    }
    if (this.#host.options.conflate) this.#keep(1);
    this.pump();
  }

  /** Ends the waiting, and forgets what is left; gives how much that is. */
  close(error: MsgError): number {
    const { size } = this;
    this.#waiting.close(error);
    while (this.#accepted.shift() !== undefined) this.#acceptedBytes = 0;
    return size;
  }

  #offer(parts: readonly Uint8Array[]): boolean {
    if (this.#accepted.size === 0 && this.#host.give(parts)) return true;
    if (!this.#mayAccept) return false;
    if (this.#host.options.conflate) this.#keep(0);
    const message = new Outgoing(parts);
    this.#accepted.append(message);
    this.#acceptedBytes += message.bytes;
    return true;
  }

  /** Forgets all but the newest. */
  #keep(count: number): void {
    while (this.#accepted.size > count) {
      this.#acceptedBytes -= this.#accepted.shift()?.bytes ?? 0;
      this.#host.onConflated();
    }
  }

  get #mayAccept(): boolean {
    const { sendHighWaterMark, sendHighWaterMarkBytes, conflate } = this.#host.options;
    if (!this.#host.mayQueue()) return false;
    if (conflate) return true;
    if (this.#accepted.size >= sendHighWaterMark) return false;
    return this.#acceptedBytes < sendHighWaterMarkBytes;
  }
}
