import type { PartsMessage } from "./parts-message.ts";

/** An end of a {@link proxy}: DEALER, ROUTER, PAIR, XPUB or XSUB. */
export interface ProxyEnd {
  batches(): AsyncIterableIterator<readonly PartsMessage[]>;
  send(message: readonly Uint8Array[]): undefined | Promise<void>;
}

/** Whom a {@link proxy} shows what it passes on. */
export interface Capture {
  send(message: readonly Uint8Array[]): undefined | Promise<void>;
}

/** What a {@link proxy} may be told. */
export interface ProxyOptions {
  /** Is sent a copy of every message, in either direction. It waits for nobody: losses are its own. */
  readonly capture?: Capture | undefined;
  /** Ends it, without closing its sockets. */
  readonly signal?: AbortSignal | undefined;
}

/** What a {@link proxy} passed on. */
export interface ProxyCounts {
  readonly toBack: number;
  readonly toFront: number;
}

/**
 * Passes every message of each socket on to the other, until either is closed or the signal aborts:
 * ROUTER and DEALER for requests, XSUB and XPUB for what is published. A side that does not read
 * holds up the other, as the pattern of its socket says.
 *
 * Resolves with what was passed on; rejects with what `send` of a socket rejects with, other than
 * its end.
 */
export async function proxy(
  front: ProxyEnd,
  back: ProxyEnd,
  { capture, signal }: ProxyOptions = {},
): Promise<ProxyCounts> {
  const ways = [new Way(front, back, capture), new Way(back, front, capture)] as const;
  const stop = (): void => {
    for (const way of ways) way.stop();
  };
  signal?.addEventListener("abort", stop, { once: true });
  if (signal?.aborted === true) stop();
  try {
    await Promise.all(ways.map((way) => way.run().finally(stop)));
  } finally {
    signal?.removeEventListener("abort", stop);
  }
  return { toBack: ways[0].count, toFront: ways[1].count };
}

/** One direction. */
class Way {
  count = 0;
  readonly #from: AsyncIterableIterator<readonly PartsMessage[]>;
  readonly #to: ProxyEnd;
  readonly #capture: Capture | undefined;
  #isStopped = false;

  constructor(from: ProxyEnd, to: ProxyEnd, capture: Capture | undefined) {
    this.#from = from.batches();
    this.#to = to;
    this.#capture = capture;
  }

  stop(): void {
    this.#isStopped = true;
    void this.#from.return?.();
  }

  async run(): Promise<void> {
    for await (const messages of this.#from) {
      // What was taken is passed on, also when it is stopped meanwhile.
      for (const { parts } of messages) {
        const waits = this.#pass(parts);
        if (waits !== undefined && !this.#isStopped) await waits;
      }
    }
  }

  #pass(parts: readonly Uint8Array[]): undefined | Promise<void> {
    this.#show(parts);
    const waits = this.#to.send(parts);
    this.count++;
    return waits;
  }

  /** Who looks on must not stop what it looks at. */
  #show(parts: readonly Uint8Array[]): void {
    if (this.#capture === undefined) return;
    try {
      void this.#capture.send(parts)?.catch(() => {});
    } catch {
      // It is closed, or does not read.
    }
  }
}
