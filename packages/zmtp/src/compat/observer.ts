import { Deque } from "@msg-ts/core/building";
import type { MsgError } from "@msg-ts/core";
import { CompatError, compatError } from "./compat-error.ts";
import type { OurSocket } from "./inner.ts";

interface At {
  readonly address: string;
}

interface WithError {
  readonly error: Error;
}

/** What is told of a socket, by type; every event has its `type` too. */
interface Details {
  accept: At;
  "accept:error": At & WithError;
  bind: At;
  "bind:error": At & WithError;
  connect: At;
  "connect:delay": At;
  "connect:retry": At & { readonly interval: number };
  close: At;
  disconnect: At;
  end: object;
  handshake: At;
  "handshake:error:auth": At & { readonly error: Error & { readonly status: 400 } };
  "handshake:error:other": At & WithError;
  "handshake:error:protocol": At & WithError;
}

/** Which events there are. */
export type EventType = keyof Details;

/** The event of a type. */
export type EventOfType<E extends EventType = EventType> = {
  [Type in E]: { readonly type: Type } & Details[Type];
}[E];

/** Any event. */
export type Event = EventOfType;

type Listener = (event: never) => void;

/** How many events wait for `receive`; the oldest is forgotten then. */
const maxEvents = 1_000;

/** Tells what happens to a socket: by listeners, `receive()` and `for await`, all at a time. */
export class Observer implements AsyncIterable<Event> {
  readonly #listeners: Map<EventType, Set<Listener>> = new Map();
  readonly #events: Deque<Event> = new Deque();
  readonly #receivers: Deque<{ resolve(event: Event): void; reject(error: Error): void }> =
    new Deque();
  #isClosed = false;

  /** True once it tells nothing more. */
  get closed(): boolean {
    return this.#isClosed;
  }

  /** Adds a listener. */
  on<E extends EventType>(type: E, listener: (event: EventOfType<E>) => void): this {
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners.add(listener));
    return this;
  }

  /** Takes a listener away. */
  off<E extends EventType>(type: E, listener: (event: EventOfType<E>) => void): this {
    this.#listeners.get(type)?.delete(listener);
    return this;
  }

  /** Takes the next event; the last 1,000 are kept. Rejects with `EBADF` when it is closed. */
  receive(): Promise<Event> {
    const event = this.#events.shift();
    if (event !== undefined) return Promise.resolve(event);
    if (this.#isClosed) return Promise.reject(overError());
    return new Promise((resolve, reject) => this.#receivers.push({ resolve, reject }));
  }

  /** Events, until the socket is closed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Event, undefined> {
    while (!this.#isClosed || this.#events.size > 0) {
      try {
        yield await this.receive();
      } catch (error) {
        if (this.#isClosed) return;
        throw error;
      }
    }
  }

  /** Tells nothing more. */
  close(): void {
    if (this.#isClosed) return;
    this.tell({ type: "end" });
    this.#isClosed = true;
    this.#listeners.clear();
    for (let next = this.#receivers.shift(); next !== undefined; next = this.#receivers.shift()) {
      next.reject(overError());
    }
  }

  /** @internal */
  tell(event: Event): void {
    if (this.#isClosed) return;
    for (const listener of this.#listeners.get(event.type) ?? []) listener(event as never);
    const receiver = this.#receivers.shift();
    if (receiver !== undefined) {
      receiver.resolve(event);
      return;
    }
    this.#events.push(event);
    if (this.#events.size > maxEvents) this.#events.shift();
  }

  /** @internal Tells what a socket of ours tells. @param isDialed - whether an endpoint is dialed. */
  watch(socket: OurSocket, isDialed: (endpoint: string) => boolean): void {
    socket.on("listening", ({ endpoint }) => this.tell({ type: "bind", address: endpoint }));
    socket.on("connected", ({ peer: { endpoint: address } }) => {
      this.tell({ type: isDialed(address) ? "connect" : "accept", address });
      this.tell({ type: "handshake", address });
    });
    socket.on("disconnected", ({ peer }) => {
      this.tell({ type: "disconnect", address: peer.endpoint });
    });
    socket.on("retrying", ({ endpoint: address, delayMs, error }) => {
      this.#tellFailure(address, error);
      this.tell({ type: "connect:retry", address, interval: delayMs });
    });
    socket.on("refused", ({ endpoint, error }) => {
      if (error.code === "MSG_TOO_MANY_PEERS") {
        const told = compatError(error) as Error;
        this.tell({ type: "accept:error", address: endpoint, error: told });
      } else this.#tellFailure(endpoint, error);
    });
    // A bind that fails rejects and is told as bind:error: it needs no warning beside.
    socket.on("error", () => {});
  }

  #tellFailure(address: string, error: MsgError): void {
    const told = compatError(error) as Error;
    switch (error.code) {
      case "MSG_AUTH_REJECTED":
      case "MSG_AUTH_FAILED": {
        const refused = Object.assign(told, { status: 400 as const });
        this.tell({ type: "handshake:error:auth", address, error: refused });
        return;
      }
      case "MSG_PROTOCOL":
      case "MSG_WRONG_SOCKET_TYPE":
        this.tell({ type: "handshake:error:protocol", address, error: told });
        return;
      case "MSG_HANDSHAKE_TIMEOUT":
        this.tell({ type: "handshake:error:other", address, error: told });
        return;
      default:
    }
  }
}

function overError(): CompatError {
  return new CompatError("EBADF", "the socket of these events is closed");
}
