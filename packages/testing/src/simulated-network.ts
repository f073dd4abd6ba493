import type { Link, Listener, ListenerHandlers, Transport } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import type { MemoryLinkOptions, MemoryLinkPair } from "./memory-link.ts";
import { memoryLinks } from "./memory-link.ts";
import type { SimulatedRuntime } from "./simulated-runtime.ts";

/** Addresses and links in memory, under a simulated clock. */
export class SimNetwork implements Transport {
  readonly name: string = "sim";
  readonly runtime: SimulatedRuntime;
  dialerSpeaksFirst = false;
  /** Every link there ever was, in the order they were dialed. */
  readonly pairs: MemoryLinkPair[] = [];
  /** How the next links behave. */
  linkOptions: Partial<MemoryLinkOptions> = {};
  /** Attempts to dial, failed ones too. */
  dials = 0;
  /** When set, a listener's `close` rejects with it. */
  closeError: Error | undefined;
  /** When set, `listen` waits for it. */
  listenDelay: Promise<void> | undefined;
  readonly #listeners: Map<string, ListenerHandlers> = new Map();
  #lastPort = 0;

  constructor(runtime: SimulatedRuntime) {
    this.runtime = runtime;
  }

  parseAddress(address: string): string {
    if (!/^\S+$/.test(address)) throw new MsgError("MSG_INVALID_ADDRESS", `address "${address}"`);
    return address.replace(/^sim:\/\//, "");
  }

  async dial(address: string, signal: AbortSignal): Promise<Link> {
    this.dials++;
    if (signal.aborted) throw new MsgError("MSG_DIAL_FAILED", "aborted");
    const listener = this.#listeners.get(address);
    if (listener === undefined) throw new MsgError("MSG_DIAL_FAILED", `nobody is at ${address}`);
    const pair = memoryLinks({
      runtime: this.runtime,
      name: `${this.name}:${address}#${this.pairs.length}`,
      ...this.linkOptions,
    });
    this.pairs.push(pair);
    listener.onLink(pair.accepted);
    return pair.dialed;
  }

  /** An address that ends in `:0` gets a number of its own. */
  async listen(given: string, handlers: ListenerHandlers): Promise<Listener> {
    const address = given.endsWith(":0") ? `${given.slice(0, -1)}${++this.#lastPort}` : given;
    await this.listenDelay;
    if (this.#listeners.has(address))
      throw new MsgError("MSG_LISTEN_FAILED", `${address} is taken`);
    this.#listeners.set(address, handlers);
    return {
      address,
      close: async () => {
        if (this.#listeners.get(address) === handlers) this.#listeners.delete(address);
        if (this.closeError !== undefined) throw this.closeError;
      },
    };
  }

  /** Breaks every link there is. */
  cut(): void {
    for (const pair of this.pairs) pair.dialed.cut();
  }

  /** The links that are not closed. */
  get openPairs(): readonly MemoryLinkPair[] {
    return this.pairs.filter(({ dialed }) => !dialed.isClosed);
  }
}
