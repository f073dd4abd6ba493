import { CompatError, compatError } from "./compat-error.ts";
import type { Message } from "./message-like.ts";
import { DuplexSocket, ReadableSocket, WritableSocket } from "./roles.ts";
import type { Socket } from "./socket.ts";

type Receiving = ReadableSocket | DuplexSocket;

/** Where a {@link Proxy} stands. */
type State = "idle" | "running" | "paused" | "over";

/** Passes messages between two sockets, both ways where they can. */
export class Proxy<F extends Socket = Socket, B extends Socket = Socket> {
  readonly frontEnd: F;
  readonly backEnd: B;
  #state: State = "idle";
  /** Aborts when it is to stop taking messages: it pauses, or is over. */
  #stop: AbortController = new AbortController();
  /** Ends the wait of a pause. */
  #resume: () => void = () => {};
  #resumed: Promise<void> = Promise.resolve();

  constructor(frontEnd: F, backEnd: B) {
    this.frontEnd = frontEnd;
    this.backEnd = backEnd;
  }

  /**
   * Runs until {@link terminate}, or until either socket is closed; then both are.
   *
   * Rejects with `EINVAL` when it ran before, when an end is closed or neither bound nor connected,
   * or when neither receives what the other can send; and with what `send` of an end rejects with.
   */
  async run(): Promise<void> {
    if (this.#state !== "idle") throw new CompatError("EINVAL", "a Proxy runs once");
    const ends = [this.frontEnd, this.backEnd];
    for (const [at, end] of ends.entries()) {
      if (end.isJoined) continue;
      const which = at === 0 ? "front" : "back";
      throw new CompatError("EINVAL", `the ${which} end must be open, and bound or connected`);
    }
    const ways = [...this.#way(...both(ends)), ...this.#way(...both(ends.toReversed()))];
    if (ways.length === 0) {
      throw new CompatError("EINVAL", "neither end receives what the other can send");
    }
    this.#state = "running";
    const over = (): void => this.#end();
    for (const { gone } of ends) gone.addEventListener("abort", over, { once: true });
    try {
      await Promise.all(ways.map((way) => way().finally(over)));
    } finally {
      for (const { gone } of ends) gone.removeEventListener("abort", over);
    }
  }

  /** Takes no more messages: they wait in the sockets until {@link resume}. @throws CompatError `EBADF` */
  pause(): void {
    this.#assertRuns();
    if (this.#state === "paused") return;
    this.#state = "paused";
    this.#resumed = new Promise((resolve) => {
      this.#resume = resolve;
    });
    this.#stop.abort();
  }

  /** Goes on. @throws CompatError `EBADF` when it does not run */
  resume(): void {
    this.#assertRuns();
    if (this.#state === "running") return;
    this.#state = "running";
    this.#stop = new AbortController();
    this.#resume();
  }

  /** Ends it and closes both sockets, as in zeromq.js. @throws CompatError `EBADF` when it does not run */
  terminate(): void {
    this.#assertRuns();
    this.#end();
  }

  #assertRuns(): void {
    if (this.#state === "running" || this.#state === "paused") return;
    throw new CompatError("EBADF", "this Proxy does not run");
  }

  #end(): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#stop.abort();
    this.#resume();
    void this.frontEnd.close();
    void this.backEnd.close();
  }

  /** One direction, if the sockets have it. */
  #way(from: Socket, to: Socket): (() => Promise<void>)[] {
    const isReceiving = from instanceof ReadableSocket || from instanceof DuplexSocket;
    if (!isReceiving || !(to instanceof WritableSocket)) return [];
    return [() => this.#pass(from, to)];
  }

  async #pass(from: Receiving, to: WritableSocket): Promise<void> {
    while (this.#state !== "over") {
      await this.#resumed;
      const message = await this.#next(from, this.#stop.signal);
      if (message === undefined) continue;
      try {
        await to.send(message);
      } catch (error) {
        if (!to.closed) throw error;
      }
    }
  }

  /** Nothing when it pauses or is over: then nothing was taken. */
  async #next(from: Receiving, signal: AbortSignal): Promise<Message[] | undefined> {
    try {
      return await from.receiveUntil(signal);
    } catch (error) {
      if (signal.aborted) return undefined;
      throw compatError(error);
    }
  }
}

function both([one, other]: readonly Socket[]): [Socket, Socket] {
  if (one === undefined || other === undefined) throw new CompatError("EINVAL", "two ends");
  return [one, other];
}
