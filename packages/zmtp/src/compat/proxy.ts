import { CompatError, notOffered } from "./compat-error.ts";
import type { Message, MessageLike } from "./message-like.ts";

/** An end of a {@link Proxy}. */
interface End {
  readonly closed: boolean;
  receive?(): Promise<Message[]>;
  send?(message: readonly MessageLike[]): Promise<void>;
  close(): unknown;
}

/** Passes messages between two sockets, both ways where they can. */
export class Proxy<F extends End = End, B extends End = End> {
  readonly frontEnd: F;
  readonly backEnd: B;
  #isRunning = false;

  constructor(frontEnd: F, backEnd: B) {
    this.frontEnd = frontEnd;
    this.backEnd = backEnd;
  }

  /** Runs until {@link terminate}, or until either socket is closed; then both are. */
  async run(): Promise<void> {
    if (this.#isRunning) throw new CompatError("EINVAL", "this Proxy runs already");
    this.#isRunning = true;
    const ways = [...way(this.frontEnd, this.backEnd), ...way(this.backEnd, this.frontEnd)];
    try {
      if (ways.length === 0) {
        throw new CompatError("EINVAL", "neither end receives what the other can send");
      }
      await Promise.all(ways.map((run) => run().finally(() => this.terminate())));
    } finally {
      this.#isRunning = false;
    }
  }

  /** Not offered. @throws CompatError `ENOTSUP` */
  pause(): never {
    throw notOffered("Proxy.pause", "terminate it, or proxy() of @msg-ts/zmtp with a signal");
  }

  /** Not offered. @throws CompatError `ENOTSUP` */
  resume(): never {
    throw notOffered("Proxy.resume", "it is never paused");
  }

  /** Ends it and closes both sockets, as in zeromq.js. */
  terminate(): void {
    void this.frontEnd.close();
    void this.backEnd.close();
  }
}

/** One direction, if the sockets have it. */
function way(from: End, to: End): (() => Promise<void>)[] {
  if (from.receive === undefined || to.send === undefined) return [];
  return [() => pass(from, to)];
}

async function pass(from: End, to: End): Promise<void> {
  while (!from.closed && !to.closed) {
    try {
      const message = await from.receive?.();
      if (message !== undefined) await to.send?.(message);
    } catch (error) {
      if (from.closed || to.closed) return;
      throw error;
    }
  }
}
