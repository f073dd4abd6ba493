import { Buffer } from "node:buffer";
import { quietly } from "@msg-ts/core/building";
import type { Transport } from "@msg-ts/core";
import { AnyTransport } from "./any-transport.ts";
import { CompatError, compatError, notOffered, translated } from "./compat-error.ts";
import type { Inner, OurSocket } from "./inner.ts";
import { lingerMsOf, timeoutMsOf } from "./inner-options.ts";
import type { Message, MessageLike } from "./message-like.ts";
import { buffersOf, partsFrom } from "./message-like.ts";
import { Observer } from "./observer.ts";
import type { Authenticate, CommonOptions, Values } from "./options.ts";
import {
  checkValue,
  commonNames,
  defaults,
  liveNames,
  refusedNames,
  unknownOption,
} from "./options.ts";

/** What makes a socket of ours, once its options are known. */
export type MakeInner = (transport: Transport, values: Values) => Inner;

/**
 * What all sockets share. Our own socket is made when this one is first used, by what its options are
 * then: afterwards only `linger`, `sendTimeout` and `receiveTimeout` may be changed.
 */
export abstract class Socket implements CommonOptions {
  declare linger: number;
  declare maxMessageSize: number;
  declare reconnectInterval: number;
  declare reconnectMaxInterval: number;
  declare handshakeInterval: number;
  declare heartbeatInterval: number;
  declare heartbeatTimeout: number;
  declare heartbeatTimeToLive: number;
  declare plainServer: boolean;
  declare plainUsername: string | null;
  declare plainPassword: string | null;
  declare curveServer: boolean;
  declare curvePublicKey: string | null;
  declare curveSecretKey: string | null;
  declare curveServerKey: string | null;
  declare authenticate: Authenticate | null;
  declare immediate: boolean;
  /** What happens to it. */
  readonly events: Observer = new Observer();
  readonly #make: MakeInner;
  readonly #type: string;
  readonly #transport: Transport = new AnyTransport();
  readonly #values: Values = { ...defaults };
  readonly #dialed: Set<string> = new Set();
  readonly #gone: AbortController = new AbortController();
  #inner: Inner | undefined;
  #lastEndpoint: string | null = null;
  #closed: Promise<void> = Promise.resolve();

  /** @internal @throws CompatError `EINVAL`, `ENOTSUP` */
  protected constructor(
    type: string,
    names: readonly (keyof Values)[],
    options: object,
    make: MakeInner,
    standard: Partial<Values> = {},
  ) {
    this.#type = type;
    this.#make = make;
    Object.assign(this.#values, standard);
    const offered = new Set<string>([...commonNames, ...names]);
    for (const name of offered) this.#define(name as keyof Values);
    for (const name of refusedNames) this.#refuse(name);
    for (const [name, value] of Object.entries(options)) {
      if (!offered.has(name)) throw unknownOption(name, type);
      if (value !== undefined) this.#set(name as keyof Values, value);
    }
    // As in zeromq.js: a misspelt option is a TypeError, not a property of its own.
    Object.preventExtensions(this);
  }

  /** True once `close()` was called. */
  get closed(): boolean {
    return this.#gone.signal.aborted;
  }

  /** Where it was last bound or connected to, with the port it was given. */
  get lastEndpoint(): string | null {
    return this.#lastEndpoint;
  }

  /** Whether `receive` would give something now. */
  get readable(): boolean {
    return !this.closed && this.#inner?.isReadable === true;
  }

  /** Whether `send` would not wait now. */
  get writable(): boolean {
    return !this.closed && this.#inner?.isWritable === true;
  }

  /** What its connections prove themselves by, as its options are now; `null` when by nothing. */
  get securityMechanism(): null | "plain" | "curve" {
    const { curveServer, curveServerKey, plainServer, plainUsername, plainPassword } = this.#values;
    if (curveServer || curveServerKey !== null) return "curve";
    return plainServer || plainUsername !== null || plainPassword !== null ? "plain" : null;
  }

  /** Listens on `tcp://`, `ipc://` or `inproc://`. Several calls at a time are fine. */
  async bind(address: string): Promise<void> {
    try {
      this.#lastEndpoint = await this.#ours.socket.bind(address);
    } catch (error) {
      const told = compatError(error);
      if (told instanceof Error) this.events.tell({ type: "bind:error", address, error: told });
      throw told;
    }
  }

  /** Stops listening; connections stay. Rejects with `ENOENT` when it does not listen there. */
  async unbind(address: string): Promise<void> {
    const { socket } = this.#ours;
    const isBound = await translated(() => socket.unbind(address));
    if (!isBound) throw new CompatError("ENOENT", `not bound to ${address}`);
    this.events.tell({ type: "close", address });
  }

  /** Keeps an address connected. @throws CompatError `EINVAL`, `EPROTONOSUPPORT`, `EBADF` */
  connect(address: string): void {
    this.dial(address, (socket) => socket.connect(address));
  }

  /** @internal Has our own socket connect. */
  protected dial(address: string, connect: (socket: OurSocket) => Promise<void>): void {
    translated(() => {
      const { socket } = this.#ours;
      const parsed = this.#transport.parseAddress(address);
      void connect(socket);
      this.#dialed.add(parsed);
      this.#lastEndpoint = parsed;
      this.events.tell({ type: "connect:delay", address: parsed });
    });
  }

  /** @internal Whether it is open, and something is or was bound or connected to. */
  get isJoined(): boolean {
    return !this.closed && this.#lastEndpoint !== null;
  }

  /** @internal Aborts when it is closed. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** @internal As `receive`, until the signal aborts; nothing is lost by that. */
  async receiveUntil(signal: AbortSignal): Promise<Message[]> {
    return buffersOf(await this.#ours.receive({ timeoutMs: Infinity, signal }));
  }

  /** Lets an address go. @throws CompatError `ENOENT` when it is not connected to. */
  disconnect(address: string): void {
    translated(() => {
      const parsed = this.#transport.parseAddress(address);
      if (!this.#ours.socket.disconnect(address, { lingerMs: lingerMsOf(this.#values.linger) })) {
        throw new CompatError("ENOENT", `not connected to ${address}`);
      }
      this.#dialed.delete(parsed);
    });
  }

  /** Not offered: listening takes time in Node.js. @throws CompatError `ENOTSUP` */
  bindSync(_address: string): never {
    throw notOffered("bindSync", "await bind()");
  }

  /** Not offered. @throws CompatError `ENOTSUP` */
  unbindSync(_address: string): never {
    throw notOffered("unbindSync", "await unbind()");
  }

  /**
   * Ends it: calls that wait reject with `EBADF` at once, what is accepted is sent within `linger`.
   * Resolves when nothing of it is left; nobody needs to wait for that.
   */
  async close(): Promise<void> {
    if (this.closed) return this.#closed;
    this.#gone.abort(new CompatError("EBADF", `this ${this.#type} is closed`));
    this.#closed = this.#end();
    return this.#closed;
  }

  async #end(): Promise<void> {
    const socket = this.#inner?.socket;
    const addresses = socket?.addresses ?? [];
    await socket?.close({ lingerMs: lingerMsOf(this.#values.linger) });
    for (const address of addresses) this.events.tell({ type: "close", address });
    this.events.close();
  }

  /** @internal */
  protected sendParts(message: MessageLike | readonly MessageLike[]): Promise<void> {
    return quietly(this.#send(message));
  }

  /** @internal */
  protected receiveParts(): Promise<Message[]> {
    return quietly(this.#receive());
  }

  /** @internal Messages until it is closed. */
  protected async *iterate(): AsyncGenerator<Message[], undefined> {
    while (!this.closed) {
      try {
        yield await this.receiveParts();
      } catch (error) {
        if (this.closed) return;
        throw error;
      }
    }
  }

  /** @internal Whether it was used, so that its options are fixed. */
  protected get isUsed(): boolean {
    return this.#inner !== undefined;
  }

  /** @internal Our own socket. @throws CompatError `EBADF`, `EINVAL` */
  protected get inner(): Inner {
    return translated(() => this.#ours);
  }

  get #ours(): Inner {
    const { signal } = this.#gone;
    if (signal.aborted) throw signal.reason;
    if (this.#inner === undefined) {
      this.#inner = translated(() => this.#make(this.#transport, this.#values));
      this.events.watch(this.#inner.socket, (endpoint) => this.#dialed.has(endpoint));
    }
    return this.#inner;
  }

  async #send(message: MessageLike | readonly MessageLike[]): Promise<void> {
    try {
      const { signal } = this.#gone;
      const timeoutMs = timeoutMsOf(this.#values.sendTimeout);
      await this.#ours.send(partsFrom(message), { timeoutMs, signal });
    } catch (error) {
      throw compatError(error);
    }
  }

  async #receive(): Promise<Message[]> {
    try {
      const { signal } = this.#gone;
      const timeoutMs = timeoutMsOf(this.#values.receiveTimeout);
      return buffersOf(await this.#ours.receive({ timeoutMs, signal }));
    } catch (error) {
      throw compatError(error);
    }
  }

  #define(name: keyof Values): void {
    Object.defineProperty(this, name, {
      enumerable: true,
      get: () => this.#values[name],
      set: (value: unknown) => {
        this.#set(name, value);
      },
    });
  }

  #refuse(name: string): void {
    const refuse = (): never => {
      throw unknownOption(name, this.#type);
    };
    Object.defineProperty(this, name, { get: refuse, set: refuse });
  }

  #set(name: keyof Values, value: unknown): void {
    checkValue(name, value);
    if (this.#inner !== undefined && !liveNames.has(name)) {
      const text = `option ${name} is fixed: set it before the first call of this ${this.#type}`;
      throw new CompatError("EINVAL", text);
    }
    const isName = value instanceof Uint8Array;
    Object.assign(this.#values, { [name]: isName ? Buffer.from(value).toString() : value });
  }
}
