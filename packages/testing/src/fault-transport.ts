import type { Link, Listener, ListenerHandlers, Runtime, Transport } from "@msg-ts/core";
import { hostRuntime, MsgError } from "@msg-ts/core";
import { FaultLink } from "./fault-link.ts";
import type { FaultsOfDial, FaultsOfLink, LinkSide } from "./fault-plan.ts";

/** What a {@link FaultTransport} does to what it makes. */
export interface FaultTransportOptions {
  /** The clock of its delays. @defaultValue the real one */
  readonly runtime?: Runtime;
  /** @defaultValue none: links are as they are */
  readonly faults?: FaultsOfLink | undefined;
  /** @defaultValue none */
  readonly dialFaults?: FaultsOfDial | undefined;
}

/**
 * A transport whose links suffer: delayed, held, cut after so many bytes, half-open, losing one
 * direction, moving a byte at a time; and whose dials fail or hang.
 *
 * It wraps any other. Each end that it makes, dialed or accepted, suffers by itself; with no faults
 * it behaves as the transport it wraps.
 *
 * @example
 * ```ts
 * const transport = new FaultTransport(new Tcp(), seededFaults(seed, { reset: 0.3, delay: 0.5 }));
 * ```
 */
export class FaultTransport implements Transport {
  readonly name: string;
  readonly dialerSpeaksFirst: boolean;
  readonly #inner: Transport;
  readonly #runtime: Runtime;
  readonly #options: FaultTransportOptions;
  readonly #links: Set<FaultLink> = new Set();
  #linkCount = 0;
  #dialCount = 0;

  constructor(inner: Transport, options: FaultTransportOptions = {}) {
    this.name = inner.name;
    this.dialerSpeaksFirst = inner.dialerSpeaksFirst;
    this.#inner = inner;
    this.#runtime = options.runtime ?? hostRuntime;
    this.#options = options;
  }

  /** The links that are not gone, in the order they were made. */
  get links(): readonly FaultLink[] {
    return [...this.#links];
  }

  /** Attempts to dial so far. */
  get dialCount(): number {
    return this.#dialCount;
  }

  parseAddress(address: string): string {
    return this.#inner.parseAddress(address);
  }

  async dial(address: string, signal: AbortSignal): Promise<Link> {
    const fault = this.#options.dialFaults?.(this.#dialCount++, address);
    const { delayMs = 0, fate } = fault ?? {};
    if (fate === "hang" || delayMs > 0) {
      await this.#wait(fate === "hang" ? Infinity : delayMs, signal);
    }
    if (fate === "fail") {
      throw new MsgError("MSG_DIAL_FAILED", `dialing ${address} was made to fail`);
    }
    return this.#wrap(await this.#inner.dial(address, signal), "dialed");
  }

  listen(address: string, handlers: ListenerHandlers): Promise<Listener> {
    return this.#inner.listen(address, {
      onLink: (link) => handlers.onLink(this.#wrap(link, "accepted")),
      onError: (error) => handlers.onError(error),
      onRefused: (remoteAddress, error) => handlers.onRefused(remoteAddress, error),
    });
  }

  #wrap(inner: Link, side: LinkSide): FaultLink {
    const number = this.#linkCount++;
    const faults = this.#options.faults?.(number, side);
    const onGone = (): void => void this.#links.delete(link);
    const link: FaultLink = new FaultLink(inner, number, side, this.#runtime, faults, onGone);
    this.#links.add(link);
    return link;
  }

  /** Rejects when the signal aborts, else resolves when the time has passed. */
  #wait(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#runtime.clearTimer(timer);
        const options = { cause: signal.reason as unknown };
        reject(new MsgError("MSG_DIAL_FAILED", "dialing was aborted", options));
      };
      const onTime = (): void => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      };
      const timer = ms === Infinity ? undefined : this.#runtime.setTimer(onTime, ms);
      if (signal.aborted) onAbort();
      else signal.addEventListener("abort", onAbort, { once: true });
    });
  }
}
