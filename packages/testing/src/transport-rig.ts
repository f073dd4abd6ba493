import type { Link, Listener, MsgError, Transport } from "@msg-ts/core";
import { onTestFinished } from "vitest";
import { LinkProbe } from "./transport-probe.ts";
import { waitFor } from "./wait-for.ts";

/** The transport that a suite examines. */
export interface TransportSuite {
  readonly name: string;
  /** Makes the instance that one test dials and listens with. */
  create(): Transport;
  /** An address to listen on that no earlier call gave. */
  listenAddress(): string;
  /** What `parseAddress` must refuse, beside what it must for any transport. */
  readonly badAddresses?: readonly string[];
}

/** A listener and what arrived at it. */
export interface RigListener {
  readonly listener: Listener;
  readonly accepted: LinkProbe[];
  readonly errors: MsgError[];
}

/** Both ends of a link, started. */
export interface RigPair {
  readonly dialed: LinkProbe;
  readonly accepted: LinkProbe;
}

/** How {@link TransportRig.listen} treats what arrives. */
export interface RigListenOptions {
  readonly address?: string;
  /** @defaultValue starts it */
  readonly onLink?: (link: LinkProbe) => void;
}

/** What one test does with a transport; takes everything down and checks the promises behind it. */
export class TransportRig {
  readonly transport: Transport;
  readonly #suite: TransportSuite;
  readonly #listeners: Listener[] = [];
  readonly #probes: LinkProbe[] = [];

  constructor(suite: TransportSuite) {
    this.#suite = suite;
    this.transport = suite.create();
    onTestFinished(() => this.#takeDown());
  }

  async listen(options: RigListenOptions = {}): Promise<RigListener> {
    const { address = this.freshAddress(), onLink = (link) => link.start() } = options;
    const accepted: LinkProbe[] = [];
    const errors: MsgError[] = [];
    const listener = await this.transport.listen(address, {
      onLink: (link) => {
        const probe = this.#probe(link, this.transport.dialerSpeaksFirst ? 1 : 0);
        accepted.push(probe);
        onLink(probe);
      },
      onError: (error) => errors.push(error),
      onRefused: (_, error) => errors.push(error),
    });
    this.#listeners.push(listener);
    return { listener, accepted, errors };
  }

  /** Dials and does not start. */
  async dialOnly(address: string, signal = new AbortController().signal): Promise<LinkProbe> {
    return this.#probe(await this.transport.dial(address, signal), 0);
  }

  /** Dials and starts. */
  async dial(address: string, signal?: AbortSignal): Promise<LinkProbe> {
    const probe = await this.dialOnly(address, signal);
    probe.start();
    if (this.transport.dialerSpeaksFirst) probe.link.write([new Uint8Array(1)]);
    return probe;
  }

  /** Listens, dials, and waits until both ends are there. */
  async pair(): Promise<RigPair> {
    const { listener, accepted } = await this.listen();
    const dialed = await this.dial(listener.address);
    await waitFor(() => accepted.length === 1, { what: "the listener has its link" });
    const [first] = accepted;
    if (first === undefined) throw new Error("the listener has no link");
    return { dialed, accepted: first };
  }

  freshAddress(): string {
    return this.transport.parseAddress(this.#suite.listenAddress());
  }

  /** An address that was listened on and is free again. */
  async deserted(): Promise<string> {
    const { listener } = await this.listen();
    await listener.close();
    return listener.address;
  }

  /**
   * Gives what is under way the time to arrive: bytes go to and fro on links of their own, so
   * whatever was sent before on another link would have come by then.
   */
  async settle(): Promise<void> {
    const { dialed, accepted } = await this.pair();
    accepted.onData = (chunk) => accepted.write(new Uint8Array(chunk));
    for (let round = 1; round <= 20; round++) {
      dialed.say("?");
      await waitFor(() => dialed.receivedBytes === round, { what: "the echo is back" });
    }
  }

  #probe(link: Link, skipBytes: number): LinkProbe {
    const probe = new LinkProbe(link, skipBytes);
    this.#probes.push(probe);
    return probe;
  }

  async #takeDown(): Promise<void> {
    for (const probe of this.#probes) probe.destroy();
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    const open = this.#probes.filter((probe) => probe.isStarted && !probe.isClosed);
    await waitFor(() => open.every((probe) => probe.isClosed), { what: "every link is closed" });
    const violations = this.#probes.flatMap((probe) => probe.violations);
    if (violations.length > 0) throw new Error(`broken promises: ${violations.join("; ")}`);
  }
}
