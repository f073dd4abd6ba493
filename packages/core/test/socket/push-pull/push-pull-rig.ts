import type { Link, Listener, ListenerHandlers, Transport } from "@msg-ts/core";
import { bytes, hex, joinBytes, waitFor } from "@msg-ts/testing";
import { Inproc, InprocHub } from "@msg-ts/transports/inproc";
import { onTestFinished } from "vitest";
import type { PullOptions } from "../../../src/socket/push-pull/pull-options.ts";
import { PullSocket } from "../../../src/socket/push-pull/pull.ts";
import type { PushOptions } from "../../../src/socket/push-pull/push-options.ts";
import { PushSocket } from "../../../src/socket/push-pull/push.ts";

/** A transport that remembers its links, so that a test can break them. */
export class TappedInproc implements Transport {
  readonly name: string = "inproc";
  readonly dialerSpeaksFirst: boolean = false;
  readonly links: Link[] = [];
  readonly #inner: Inproc;

  constructor(hub: InprocHub) {
    this.#inner = new Inproc(hub);
  }

  parseAddress(address: string): string {
    return this.#inner.parseAddress(address);
  }

  async dial(address: string, signal: AbortSignal): Promise<Link> {
    const link = await this.#inner.dial(address, signal);
    this.links.push(link);
    return link;
  }

  listen(address: string, handlers: ListenerHandlers): Promise<Listener> {
    return this.#inner.listen(address, handlers);
  }

  /** Breaks every link there was, as a process that dies does. */
  cut(): void {
    for (const link of this.links.splice(0)) link.destroy();
  }
}

/** A PULL that can die. */
export interface Worker {
  readonly pull: PullSocket;
  /** Ends it at once, with nothing said. */
  die(): Promise<void>;
}

/** Sockets that share a hub, on which the PUSH listens, and end with the test. */
export class Rig {
  readonly hub: InprocHub = new InprocHub();
  readonly push: PushSocket;

  private constructor(options: PushOptions) {
    this.push = new PushSocket(new Inproc(this.hub), options);
    onTestFinished(async () => void (await this.push.close({ lingerMs: 0 })));
  }

  static async start(options: PushOptions = {}): Promise<Rig> {
    const rig = new Rig(options);
    await rig.push.bind("jobs");
    return rig;
  }

  /** A PULL that the PUSH has heard of. */
  async worker(options: PullOptions = {}): Promise<Worker> {
    const tap = new TappedInproc(this.hub);
    const pull = new PullSocket(tap, { reconnect: { minDelayMs: 1, maxDelayMs: 2 }, ...options });
    onTestFinished(async () => void (await pull.close({ lingerMs: 0 })));
    const before = this.push.stats().connects;
    await pull.connect("jobs");
    await pull.ready();
    await waitFor(
      () => this.push.stats().connects > before && this.push.stats().bytesReceived > 0,
      {
        what: "the PUSH knows the PULL",
      },
    );
    await turns();
    const die = async (): Promise<void> => {
      const closed = pull.close({ lingerMs: 0 });
      tap.cut();
      await closed;
    };
    return { pull, die };
  }

  async pull(options: PullOptions = {}): Promise<PullSocket> {
    return (await this.worker(options)).pull;
  }

  /** A peer of the PUSH that speaks raw bytes, beyond its HELLO. */
  async rawPull(): Promise<RawPeer> {
    const link = await new Inproc(this.hub).dial("jobs", new AbortController().signal);
    const peer = new RawPeer(link);
    //               version type name
    peer.write("00 01      06   0000");
    await peer.received(5);
    peer.forget(5);
    return peer;
  }
}

/** A PULL that listens, and a raw peer that dials it. */
export async function rawPush(
  options: PullOptions = {},
): Promise<{ pull: PullSocket; peer: RawPeer; hub: InprocHub }> {
  const hub = new InprocHub();
  const pull = new PullSocket(new Inproc(hub), options);
  onTestFinished(async () => void (await pull.close({ lingerMs: 0 })));
  await pull.bind("jobs");
  const link = await new Inproc(hub).dial("jobs", new AbortController().signal);
  const peer = new RawPeer(link);
  //               version type name
  peer.write("00 01      05   0000");
  await peer.received(5);
  peer.forget(5);
  return { pull, peer, hub };
}

/** One end of a link, by hand. */
export class RawPeer {
  readonly #link: Link;
  #chunks: Uint8Array[] = [];
  hasEnded = false;
  isClosed = false;

  constructor(link: Link) {
    this.#link = link;
    onTestFinished(() => link.destroy());
    link.start({
      onData: (chunk) => this.#chunks.push(new Uint8Array(chunk)),
      onDrain: () => {},
      onEnd: () => {
        this.hasEnded = true;
      },
      onClose: () => {
        this.isClosed = true;
      },
    });
  }

  /** What came, in hex. */
  get hex(): string {
    return hex(joinBytes(this.#chunks));
  }

  write(literal: string): void {
    this.#link.write([bytes(literal)]);
  }

  end(): void {
    this.#link.end();
  }

  destroy(): void {
    this.#link.destroy();
  }

  setReading(isReading: boolean): void {
    this.#link.setReading(isReading);
  }

  /** Forgets the first `count` bytes of what came so far. */
  forget(count = Infinity): void {
    this.#chunks = [joinBytes(this.#chunks).slice(count)];
  }

  /** Waits until exactly this came, no more: then it is true, else it rejects. */
  async expect(literal: string): Promise<true> {
    const expected = hex(bytes(literal));
    await waitFor(() => this.hex.length >= expected.length, {
      what: `the peer gets ${expected}, it has ${this.hex}`,
    });
    await turns();
    if (this.hex !== expected) throw new Error(`got ${this.hex}, expected ${expected}`);
    this.forget();
    return true;
  }

  async received(count: number): Promise<void> {
    await waitFor(() => this.hex.length >= 2 * count, { what: `the peer gets ${count} bytes` });
  }

  async closed(): Promise<void> {
    await waitFor(() => this.isClosed || this.hasEnded, { what: "the connection is ended" });
  }
}

/** Lets everything happen that happens without a timer. */
export async function turns(count = 12): Promise<void> {
  for (let i = 0; i < count; i++) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
}

/** A job frame's header in hex, for {@link RawPeer}. */
export function jobHex(sequence: number, payload: string, earlierDeliveries = 0): string {
  const flags = (earlierDeliveries << 3).toString(16).padStart(2, "0");
  const body = hex(new TextEncoder().encode(payload));
  return `04 ${flags} ${word(sequence)} ${word(body.length / 2)} ${body}`;
}

/** A flow frame in hex. */
export function flowHex(op: "window" | "ack" | "nack" | "bye", sequence = 0, count = 0): string {
  const number = ["window", "ack", "nack", "bye"].indexOf(op);
  return `04 0${number} ${word(sequence)} ${word(count)}`;
}

function word(value: number): string {
  return value.toString(16).padStart(8, "0");
}

/** The reason of a promise that must reject. */
export async function rejection(promise: Promise<unknown> | undefined): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("it did not reject");
}

/** A promise that is fulfilled by hand. */
export class Deferred {
  resolve!: () => void;
  readonly promise: Promise<void> = new Promise((resolve) => {
    this.resolve = resolve;
  });
}
