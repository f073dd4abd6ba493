import type { Linked } from "@msg-ts/core/building";
import {
  abortReason,
  checkDelay,
  LinkedQueue,
  listenToAbort,
  quietly,
  unlistenToAbort,
} from "@msg-ts/core/building";
import type { Runtime, TimerHandle, WaitOptions } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import { bytesOf } from "./parts-options.ts";
import type { ResolvedPartsOptions } from "./parts-options.ts";

/** A message that no peer has yet. */
class Outgoing implements Linked<Outgoing> {
  readonly parts: readonly Uint8Array[];
  readonly bytes: number;
  /** Set while its `send` waits. */
  waiting: { resolve(): void; reject(error: Error): void } | undefined;
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
}

/**
 * Messages that go to any one peer: accepted ones first, up to the high-water mark, then the calls
 * that wait until they are accepted; always in the order of the calls.
 */
export class OutgoingMessages {
  readonly #host: OutgoingHost;
  readonly #accepted: LinkedQueue<Outgoing> = new LinkedQueue();
  readonly #waiting: LinkedQueue<Outgoing> = new LinkedQueue();
  #acceptedBytes = 0;
  onEmpty: () => void = () => {};

  constructor(host: OutgoingHost) {
    this.#host = host;
  }

  /** Messages that no peer has. */
  get size(): number {
    return this.#accepted.size + this.#waiting.size;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Gives a message to a peer now, or keeps it, if nothing waits before it. */
  trySend(parts: readonly Uint8Array[]): boolean {
    if (this.#waiting.size > 0) return false;
    if (this.#accepted.size === 0 && this.#host.give(parts)) return true;
    if (!this.#mayAccept) return false;
    this.#accept(new Outgoing(parts));
    return true;
  }

  /** @throws MsgError `MSG_HIGH_WATER_MARK` */
  send(parts: readonly Uint8Array[], options: WaitOptions): Promise<void> | undefined {
    const { timeoutMs = Infinity, signal } = options;
    checkDelay("timeoutMs", timeoutMs);
    if (signal?.aborted === true) return quietly(Promise.reject(abortReason(signal)));
    if (this.trySend(parts)) return undefined;
    const { maxWaiting } = this.#host.options;
    if (this.#waiting.size >= maxWaiting) {
      const text = `${this.#waiting.size} calls of send wait, maxWaiting is ${maxWaiting}`;
      throw new MsgError("MSG_HIGH_WATER_MARK", text);
    }
    return quietly(this.#wait(new Outgoing(parts), timeoutMs, signal));
  }

  /** Gives out what can be. */
  pump(): void {
    const accepted = this.#accepted;
    for (let first = accepted.first; first !== undefined; first = accepted.first) {
      if (!this.#host.give(first.parts)) break;
      accepted.remove(first);
      this.#acceptedBytes -= first.bytes;
    }
    const waiting = this.#waiting;
    for (let first = waiting.first; first !== undefined; first = waiting.first) {
      if (accepted.size === 0 && this.#host.give(first.parts)) waiting.remove(first);
      else if (this.#mayAccept) {
        waiting.remove(first);
        this.#accept(first);
      } else break;
      first.waiting?.resolve();
    }
    if (this.size === 0) this.onEmpty();
  }

  /** Messages that came back go first, in their order. */
  giveBack(messages: readonly (readonly Uint8Array[])[]): void {
    for (const parts of messages.toReversed()) {
      const message = new Outgoing(parts);
      this.#accepted.prepend(message);
      this.#acceptedBytes += message.bytes;
    }
    this.pump();
  }

  /** Ends the waiting, and forgets what is left; gives how much that is. */
  close(error: MsgError): number {
    const { size } = this;
    const waiting = this.#waiting;
    for (let first = waiting.first; first !== undefined; first = waiting.first) {
      waiting.remove(first);
      first.waiting?.reject(error);
    }
    while (this.#accepted.shift() !== undefined) this.#acceptedBytes = 0;
    return size;
  }

  get #mayAccept(): boolean {
    const { sendHighWaterMark, sendHighWaterMarkBytes } = this.#host.options;
    if (this.#accepted.size >= sendHighWaterMark) return false;
    return this.#acceptedBytes < sendHighWaterMarkBytes && this.#host.mayQueue();
  }

  #accept(message: Outgoing): void {
    this.#accepted.append(message);
    this.#acceptedBytes += message.bytes;
  }

  #wait(message: Outgoing, timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    const { runtime } = this.#host;
    return new Promise((resolve, reject) => {
      let timer: TimerHandle;
      const leave = (): void => {
        runtime.clearTimer(timer);
        if (signal !== undefined) unlistenToAbort(signal, onAbort);
      };
      const giveUp = (error: Error): void => {
        if (!this.#waiting.remove(message)) return;
        leave();
        reject(error);
        this.pump();
      };
      const onAbort = (): void => giveUp(signal === undefined ? new Error() : abortReason(signal));
      message.waiting = {
        resolve: () => {
          leave();
          resolve();
        },
        reject: (error) => {
          leave();
          reject(error);
        },
      };
      if (timeoutMs !== Infinity) {
        const text = `no peer took a message within ${timeoutMs} ms`;
        timer = runtime.setTimer(() => giveUp(new MsgError("MSG_TIMEOUT", text)), timeoutMs);
      }
      if (signal !== undefined) listenToAbort(signal, onAbort);
      this.#waiting.append(message);
    });
  }
}
