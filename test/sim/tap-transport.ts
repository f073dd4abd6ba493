import type {
  Link,
  LinkHandlers,
  Listener,
  ListenerHandlers,
  SocketType,
  Transport,
} from "@msg-ts/core";
import type { Frame } from "./frames.ts";
import { FrameSplitter } from "./frames.ts";

/** Who hears what a socket writes and is given. */
export interface TapOwner {
  readonly socketType: SocketType;
  now(): number;
  onLink(link: TapLink): void;
  onSent(link: TapLink, frame: Frame): void;
  onReceived(link: TapLink, frame: Frame): void;
}

const isPulls: Readonly<Record<SocketType, boolean>> = {
  REQ: false,
  REP: false,
  PUB: false,
  SUB: false,
  PUSH: false,
  PULL: true,
};

/** The last of all wrappers: what goes through it is what the socket says and hears. */
export class TapTransport implements Transport {
  readonly name: string;
  readonly dialerSpeaksFirst: boolean;
  readonly #inner: Transport;
  readonly #owner: TapOwner;
  readonly #listeners: Set<Listener> = new Set();
  /** Its process is dead: it reaches nobody any more. */
  isDead = false;

  constructor(inner: Transport, owner: TapOwner) {
    this.name = inner.name;
    this.dialerSpeaksFirst = inner.dialerSpeaksFirst;
    this.#inner = inner;
    this.#owner = owner;
  }

  parseAddress(address: string): string {
    return this.#inner.parseAddress(address);
  }

  async dial(address: string, signal: AbortSignal): Promise<Link> {
    if (this.isDead) throw new Error("its process is dead");
    const link = await this.#inner.dial(address, signal);
    if (!this.isDead) return this.#tap(link, true);
    link.destroy();
    throw new Error("its process is dead");
  }

  async listen(address: string, handlers: ListenerHandlers): Promise<Listener> {
    const listener = await this.#inner.listen(address, {
      onLink: (link) => handlers.onLink(this.#tap(link, false)),
      onError: (error) => handlers.onError(error),
      onRefused: (remoteAddress, error) => handlers.onRefused(remoteAddress, error),
    });
    this.#listeners.add(listener);
    return listener;
  }

  /** Frees the addresses at once, as the end of a process does. */
  die(): void {
    this.isDead = true;
    for (const listener of this.#listeners) void listener.close();
  }

  #tap(inner: Link, isDialer: boolean): TapLink {
    const link = new TapLink(inner, isDialer, this.#owner);
    this.#owner.onLink(link);
    return link;
  }
}

/** One end of a link, with an ear at it. */
export class TapLink implements Link {
  readonly remoteAddress: string;
  /** The same at both ends. */
  readonly number: number;
  readonly isDialer: boolean;
  readonly #inner: Link;
  readonly #sent: FrameSplitter;
  readonly #received: FrameSplitter;
  /** Our side ended or destroyed it: what comes is discarded. */
  hasEnded = false;
  isClosed = false;
  /** Whether it is read from, and since when; and when anything came last. */
  isReading = true;
  readingMs: number;
  heardMs: number;
  readonly #owner: TapOwner;

  constructor(inner: Link, isDialer: boolean, owner: TapOwner) {
    this.#inner = inner;
    this.#owner = owner;
    this.readingMs = this.heardMs = owner.now();
    this.isDialer = isDialer;
    this.remoteAddress = inner.remoteAddress;
    this.number = linkNumber(inner.remoteAddress);
    const isPull = isPulls[owner.socketType];
    const sender = { isDialer, isPull };
    const receiver = { isDialer: !isDialer, isPull: owner.socketType === "PUSH" };
    this.#sent = new FrameSplitter(sender, (frame) => owner.onSent(this, frame));
    this.#received = new FrameSplitter(receiver, (frame) => owner.onReceived(this, frame));
  }

  get bufferedBytes(): number {
    return this.#inner.bufferedBytes;
  }

  start(handlers: LinkHandlers): void {
    const { nextBuffer } = handlers as { nextBuffer?: unknown };
    const inner: LinkHandlers = {
      onData: (chunk) => {
        this.heardMs = this.#owner.now();
        this.#received.push(chunk);
        handlers.onData(chunk);
      },
      onDrain: () => handlers.onDrain(),
      onEnd: () => handlers.onEnd(),
      onClose: (reason) => {
        this.isClosed = true;
        handlers.onClose(reason);
      },
    };
    if (nextBuffer !== undefined) {
      inner.nextBuffer = () => handlers.nextBuffer?.() ?? new Uint8Array(1);
    }
    this.#inner.start(inner);
  }

  write(chunks: readonly Uint8Array[]): boolean {
    for (const chunk of chunks) this.#sent.push(chunk);
    return this.#inner.write(chunks);
  }

  setReading(reading: boolean): void {
    this.isReading = reading;
    this.readingMs = this.#owner.now();
    this.#inner.setReading(reading);
  }

  end(): void {
    this.hasEnded = true;
    this.#inner.end();
  }

  destroy(): void {
    this.hasEnded = true;
    this.#inner.destroy();
  }
}

/** Links of a simulated network are named `sim:address#number:side`. */
export function linkNumber(address: string): number {
  return Number(/#(\d+):/.exec(address)?.[1] ?? Number.NaN);
}
