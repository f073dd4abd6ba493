import { copyOf } from "../bytes.ts";
import type { PeerInfo } from "../contracts/authenticator.ts";
import type { WireContext } from "../contracts/protocol.ts";
import type { Transport } from "../contracts/transport.ts";
import type { Connection } from "../connection/connection.ts";
import type { ErrorCode } from "../errors.ts";
import { MsgError } from "../errors.ts";
import type { LazyError } from "../lazy-error.ts";
import { lazyError } from "../lazy-error.ts";
import { partsOf } from "../multipart.ts";
import { checkDelay, checkInteger } from "../option-checks.ts";
import type { Runtime } from "../runtime.ts";
import { Compression } from "../wire/compression.ts";
import { checkTransport } from "./check-transport.ts";
import { publishDiagnostics } from "./diagnostics.ts";
import type { EndpointsHandlers } from "./endpoints.ts";
import { Endpoints } from "./endpoints.ts";
import type { Listener } from "./event-hub.ts";
import { EventHub, throwOutside } from "./event-hub.ts";
import { dropOf } from "./drop.ts";
import type { CloseReport, DropDetails, DropReason, SocketEvents } from "./events.ts";
import type { DrainHost, DrainOptions, DrainReport } from "./draining.ts";
import { Draining, drainTimeoutMs } from "./draining.ts";
import { KeyedWaiters } from "./keyed-waiters.ts";
import { eventLog, warnHost } from "./logger.ts";
import type { CloseOptions, ReadyOptions } from "./life-options.ts";
import { closeLingerMs } from "./life-options.ts";
import { nextEvent } from "./next-event.ts";
import type { Peer } from "./peer.ts";
import { silentFor, SilenceWatch } from "./silence-watch.ts";
import type { ResolvedSocketOptions, SocketOptions } from "./socket-options.ts";
import { checkProtocols, resolveSocketOptions } from "./socket-options.ts";
import type { SocketStats } from "./stats.ts";
import { MessageCounters, socketStats } from "./stats.ts";
import type { ValueCodec } from "./value-codec.ts";
import type { WaitOptions } from "./waiter-list.ts";
import { quietly } from "./waiter-list.ts";
import { SocketWireContext } from "./wire-context.ts";

/** How long {@link Socket.ready} waits by default. */
const readyTimeoutMs = 10_000;

/**
 * What the six sockets share: endpoints, peers, events, closing.
 *
 * A socket may bind and connect, several times, in any mix. Methods may be called at any time and
 * at the same time; none is ever "busy".
 */
export abstract class Socket<P extends Peer> {
  /** Which end of which pattern this is. */
  readonly type: string;
  /** @internal */
  protected readonly options: ResolvedSocketOptions;
  /** @internal */
  protected readonly runtime: Runtime;
  /** @internal */
  protected readonly codec: ValueCodec;
  /** @internal */
  protected readonly compression: Compression;
  /** @internal */
  protected readonly endpoints: Endpoints<P>;
  /** @internal */
  protected readonly messages: MessageCounters = new MessageCounters();
  /** Made for the first one. */
  #drops: Map<DropReason, number> | undefined;
  readonly #events: EventHub<SocketEvents> = new EventHub();
  readonly #log: ReturnType<typeof eventLog>;
  /** By how many peers they wait for. Made for the first call. */
  #readyWaiters: KeyedWaiters | undefined;
  /** Absent where peers may be silent. */
  readonly #silence: SilenceWatch<P> | undefined;
  /** Made for the first one. */
  #warned: Set<ErrorCode> | undefined;
  #lastFailure: MsgError | undefined;
  #draining: Draining | undefined;
  #closing: Promise<CloseReport> | undefined;
  /** It told that it is closed: nothing follows. */
  #isOver = false;

  /**
   * What the endpoints of a socket call of it. In here, to reach what is not for everybody; a class,
   * because a client that is idle is to cost little (bench scenario: idle-memory).
   */
  static readonly #Handlers = class<Q extends Peer> implements EndpointsHandlers<Q> {
    readonly #socket: Socket<Q>;

    constructor(socket: Socket<Q>) {
      this.#socket = socket;
    }

    createPeer(connection: Connection, info: PeerInfo): Q {
      return this.#socket.createPeer(connection, info);
    }

    onPeerReady(peer: Q): void {
      this.#socket.admitPeer(peer);
    }

    onPeerClosed(peer: Q, reason: MsgError | undefined): void {
      this.#socket.onPeerClosed(peer, reason);
    }

    onEndpointFailed(error: MsgError): void {
      this.#socket.noteFailure(error);
    }

    emit<Name extends keyof SocketEvents>(name: Name, detail: SocketEvents[Name]): void {
      this.#socket.emit(name, detail);
    }
  };

  /** What the draining of a socket calls of it. */
  static readonly #DrainHost = class<Q extends Peer> implements DrainHost {
    readonly #socket: Socket<Q>;

    constructor(socket: Socket<Q>) {
      this.#socket = socket;
    }

    get isClosed(): boolean {
      return this.#socket.isClosed;
    }

    get isFinished(): boolean {
      return this.#socket.isFinished;
    }

    get needsPeers(): boolean {
      return this.#socket.needsPeersToDrain;
    }

    onBegin(): void {
      const { type } = this.#socket;
      this.#socket.emit("draining", { peer: undefined });
      this.#socket.#readyWaiters?.rejectAll(new MsgError("MSG_CLOSED", `this ${type} drains`));
    }

    get endpoints(): DrainHost["endpoints"] {
      return this.#socket.endpoints;
    }

    finishAll(timeoutMs: number): Promise<void> {
      return this.#socket.finishAll(timeoutMs);
    }

    close(lingerMs: number): Promise<CloseReport> {
      return this.#socket.close({ lingerMs });
    }
  };

  /** @internal */
  protected constructor(
    type: string,
    transport: Transport,
    options: SocketOptions,
    codec: ValueCodec,
  ) {
    checkTransport(transport);
    this.type = type;
    this.codec = codec;
    this.options = resolveSocketOptions(options);
    checkProtocols(type, this.options);
    const { compressor, minCompressBytes, decompressors, runtime, logger } = this.options;
    this.runtime = runtime;
    this.compression = new Compression(compressor, minCompressBytes, decompressors);
    this.#log = eventLog(type, logger);
    const handlers = new Socket.#Handlers(this);
    this.endpoints = new Endpoints<P>(type, transport, this.options, handlers);
    const { idlePeerTimeoutMs: limitMs } = this.options;
    if (limitMs === Infinity) return;
    const { peers } = this.endpoints;
    this.#silence = new SilenceWatch(runtime, limitMs, peers, (peer) =>
      peer.fail(silentFor(limitMs)),
    );
  }

  /**
   * Where it listens: the first of {@link addresses}, with the port it was given.
   *
   * @throws MsgError `MSG_INVALID_STATE` when it listens nowhere.
   */
  get address(): string {
    const [address] = this.endpoints.addresses;
    if (address !== undefined) return address;
    throw new MsgError("MSG_INVALID_STATE", `this ${this.type} is not bound: it has no address`);
  }

  /** Everywhere it listens. */
  get addresses(): readonly string[] {
    return this.endpoints.addresses;
  }

  /** The peers that are connected now. */
  get peers(): readonly PeerInfo[] {
    return Array.from(this.endpoints.peers, (peer) => peer.info);
  }

  /** True once `close()` was called, or a drain came to its end. */
  get isClosed(): boolean {
    return this.#closing !== undefined;
  }

  /** True once `drain()` was called: nothing new is taken, what was taken is finished. */
  get isDraining(): boolean {
    return this.#draining !== undefined;
  }

  /**
   * Listens on an address of the transport, such as `127.0.0.1:4444`; port 0 takes a free one.
   *
   * Rejects with `MSG_LISTEN_FAILED`; that is the event `error` too, so that a `bind` that nobody
   * awaits does not fail in silence.
   *
   * @returns the address that was bound, for {@link connect}.
   * @throws MsgError `MSG_INVALID_ADDRESS`, `MSG_INVALID_STATE`, `MSG_CLOSED`
   */
  bind(address: string): Promise<string> {
    this.assertOpen();
    return quietly(this.endpoints.bind(address));
  }

  /** Stops listening on an address. Its peers stay. Resolves to false when it was not bound. */
  unbind(address: string): Promise<boolean> {
    return quietly(this.endpoints.unbind(address));
  }

  /**
   * Connects to an address and keeps it connected: returns at once, dials until it succeeds, and
   * again whenever the connection is lost. {@link ready} waits for it.
   *
   * @throws MsgError `MSG_INVALID_ADDRESS`, `MSG_CLOSED`
   */
  connect(address: string): Promise<void> {
    this.assertOpen();
    this.endpoints.connect(address);
    return Promise.resolve();
  }

  /** Lets an address go: its connection ends in order. False when it was not connected to. */
  disconnect(address: string, { lingerMs = closeLingerMs }: CloseOptions = {}): boolean {
    checkDelay("lingerMs", lingerMs);
    return this.endpoints.disconnect(address, lingerMs);
  }

  /**
   * Waits until at least one peer, or as many as are asked for, are connected and let in.
   *
   * Rejects with `MSG_TIMEOUT` (10 s by default; its cause is the last failure to connect),
   * `MSG_DIAL_FAILED` when every endpoint was given up, `MSG_CLOSED`, or the signal's reason.
   */
  ready(options: ReadyOptions = {}): Promise<void> {
    this.assertOpen();
    const { peers = 1, timeoutMs = readyTimeoutMs, signal } = options;
    checkInteger("peers", peers, 1, Number.MAX_SAFE_INTEGER);
    if (this.endpoints.peers.size >= peers) return Promise.resolve();
    // Every endpoint was given up before: none will bring a peer by itself.
    const failure = this.#lastFailure;
    if (failure !== undefined && !this.endpoints.mayGetPeer)
      return quietly(Promise.reject(failure));
    this.#readyWaiters ??= new KeyedWaiters(this.runtime);
    return this.#readyWaiters.wait(String(peers), { timeoutMs, signal }, () => {
      const cause = this.#lastFailure;
      const found = `${this.endpoints.peers.size} of ${peers} peers within ${timeoutMs} ms`;
      const text = cause === undefined ? found : `${found}: ${cause.message}`;
      return new MsgError("MSG_TIMEOUT", text, cause === undefined ? {} : { cause });
    });
  }

  /** Adds a listener of an event; gives the function that takes it away. */
  on<Name extends keyof SocketEvents>(
    name: Name,
    listener: Listener<SocketEvents[Name]>,
  ): () => void {
    return this.#events.on(name, listener);
  }

  /** Takes a listener away. */
  off<Name extends keyof SocketEvents>(name: Name, listener: Listener<SocketEvents[Name]>): void {
    this.#events.off(name, listener);
  }

  /**
   * Resolves with the next event of a name.
   *
   * Rejects with `MSG_TIMEOUT`, `MSG_CLOSED`, or the signal's reason.
   */
  once<Name extends keyof SocketEvents>(
    name: Name,
    options: WaitOptions = {},
  ): Promise<SocketEvents[Name]> {
    return nextEvent(this, this.runtime, name, options, this.#isOver);
  }

  /**
   * Ends the connection of one peer, such as one whose rights were taken away. If it dialed us it
   * may dial again: what keeps it out is the authenticator.
   *
   * @param peer - as {@link peers}, an event or a message shows it.
   * @returns false when it is not connected.
   * @throws MsgError `MSG_INVALID_OPTION`
   */
  disconnectPeer(peer: PeerInfo, { lingerMs = closeLingerMs }: CloseOptions = {}): boolean {
    checkDelay("lingerMs", lingerMs);
    return this.endpoints.disconnectPeer(peer.id, lingerMs);
  }

  /** Counters and depths as they are now. Cheap. */
  abstract stats(): SocketStats;

  /**
   * Finishes, and then closes: takes nothing new, has its peers go elsewhere, does all the work that
   * it has, flushes, ends every connection. This is for a process that is about to be replaced;
   * {@link close} is for one that wants to be gone soon.
   *
   * Always resolves, within `timeoutMs`; later calls give the same promise. `close()` cuts it short.
   *
   * @throws MsgError `MSG_INVALID_OPTION`
   */
  drain({ timeoutMs = drainTimeoutMs }: DrainOptions = {}): Promise<DrainReport> {
    checkDelay("timeoutMs", timeoutMs);
    if (this.#draining === undefined) {
      // Set before anything happens: a listener of what it tells may call it again.
      this.#draining = new Draining(this.runtime, new Socket.#DrainHost(this));
      this.#draining.begin(timeoutMs);
    }
    return this.#draining.report;
  }

  /**
   * Ends in order: refuses new work, lets what is under way finish for `lingerMs`, flushes, ends
   * every connection, frees every handle. Always resolves; later calls give the same promise.
   */
  close({ lingerMs = closeLingerMs }: CloseOptions = {}): Promise<CloseReport> {
    if (this.#closing === undefined) {
      checkDelay("lingerMs", lingerMs);
      let begin: ((report: Promise<CloseReport>) => void) | undefined;
      // Set before anything is ended: what that calls may close it again, or see it closed.
      this.#closing = new Promise((resolve) => {
        begin = resolve;
      });
      this.#draining?.cut();
      begin?.(this.#close(Math.min(lingerMs, 2 ** 31 - 1)));
    }
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  // --- What a pattern brings ---------------------------------------------------------------------

  /** @internal A connection finished its handshake. */
  protected abstract createPeer(connection: Connection, info: PeerInfo): P;
  /** @internal The peer may be used from now on. */
  protected abstract onPeerReady(peer: P): void;
  /** @internal The peer is gone. */
  protected abstract onPeerClosed(peer: P, reason: MsgError | undefined): void;
  /** @internal No endpoint is left that could bring a peer by itself. */
  protected onNoEndpointLeft(_error: MsgError): void {}
  /**
   * @internal Has peers go elsewhere and waits until all work is done, at most `timeoutMs`. Nobody
   * new is let in, but see {@link needsPeersToDrain}. {@link finish} follows.
   */
  protected abstract finishAll(timeoutMs: number): Promise<void>;
  /** @internal Whether no work is left. */
  protected abstract get isFinished(): boolean;
  /** @internal Whether its work may need peers that come only while it drains. */
  protected get needsPeersToDrain(): boolean {
    return false;
  }
  /**
   * @internal Refuses new work and waits for what is under way, at most `lingerMs`. Connections
   * are still open; nothing new is dialed or accepted, but see {@link finishesWithNewPeers}.
   */
  protected abstract finish(lingerMs: number): Promise<void>;
  /**
   * @internal Whether what is under way may go to peers that come while it closes; else nothing is
   * dialed or accepted from the first moment on.
   */
  protected get finishesWithNewPeers(): boolean {
    return false;
  }
  /** @internal Takes the place of {@link finish} when nothing may take any time. */
  protected abandon(): void {}
  /** @internal Everything is closed: rejects what still waits, gives what was left. */
  protected abstract onClosed(error: LazyError): CloseReport;

  // --- What it gives to a pattern ----------------------------------------------------------------

  /** @internal Whether anything new may be begun. @throws MsgError `MSG_CLOSED` */
  protected assertOpen(): void {
    this.assertNotClosed();
    if (this.isDraining)
      throw new MsgError("MSG_CLOSED", `this ${this.type} drains: it is closing`);
  }

  /** @internal Whether what was begun may be finished. @throws MsgError `MSG_CLOSED` */
  protected assertNotClosed(): void {
    if (this.isClosed) throw new MsgError("MSG_CLOSED", `this ${this.type} is closed`);
  }

  /** @internal */
  protected emit<Name extends keyof SocketEvents>(name: Name, detail: SocketEvents[Name]): void {
    if (this.#isOver) return;
    try {
      this.#log?.(name, detail);
    } catch (error) {
      throwOutside(error);
    }
    publishDiagnostics(this.type, name, detail);
    if (name === "error" && !this.#events.has(name)) this.#warn(detail as SocketEvents["error"]);
    this.#events.emit(name, detail);
  }

  /** @internal Counts what was not delivered. */
  protected countDrop(reason: DropReason, count: number): void {
    this.#drops ??= new Map();
    this.#drops.set(reason, (this.#drops.get(reason) ?? 0) + count);
  }

  /** @internal Counts what was not delivered, and tells. */
  protected drop(reason: DropReason, details: DropDetails = {}): void {
    const { count = 1, peer, error, payload } = details;
    this.countDrop(reason, count);
    this.emit("dropped", dropOf({ reason, count, peer, error, payload }));
  }

  /** @internal What all sockets report; a pattern adds its own. */
  protected commonStats(): SocketStats {
    const { peers, traffic } = this.endpoints;
    return socketStats(peers.size, traffic, this.messages, this.#drops);
  }

  /** @internal */
  protected wireContext(connection: Connection): WireContext {
    return new SocketWireContext(this.options.maxMessageBytes, connection, this.compression);
  }

  /**
   * @internal The bytes of what the application sends.
   *
   * @throws MsgError `MSG_INVALID_ARGUMENT`, `MSG_ENCODE_FAILED`, `MSG_PAYLOAD_TOO_LARGE`
   */
  protected outgoingBytes(value: unknown, copy = false): Uint8Array {
    const bytes = this.codec.encode(value);
    const { maxMessageBytes } = this.options;
    if (bytes.length > maxMessageBytes) {
      const text = `payload has ${bytes.length} bytes, maxMessageBytes is ${maxMessageBytes}`;
      throw new MsgError("MSG_PAYLOAD_TOO_LARGE", text);
    }
    // One of several parts is a copy already, and known by itself.
    return copy && bytes === value && partsOf(bytes) === undefined ? copyOf(bytes) : bytes;
  }

  /** An error that nobody listens to must not vanish: the host prints it, once for each code. */
  #warn({ error }: SocketEvents["error"]): void {
    this.#warned ??= new Set();
    if (this.#warned.has(error.code)) return;
    this.#warned.add(error.code);
    warnHost(`${this.type} socket has no "error" listener: ${error.message}`, error);
  }

  async #close(lingerMs: number): Promise<CloseReport> {
    const deadline = this.runtime.now() + lingerMs;
    const closed = lazyError(() => new MsgError("MSG_CLOSED", `this ${this.type} was closed`));
    const stopped = lingerMs > 0 && this.finishesWithNewPeers ? undefined : this.endpoints.stop();
    this.#readyWaiters?.rejectAll(closed());
    if (lingerMs > 0) await this.finish(lingerMs);
    else this.abandon();
    await (stopped ?? this.endpoints.stop());
    await this.endpoints.endAll(Math.max(0, deadline - this.runtime.now()));
    this.#silence?.stop();
    const report = this.onClosed(closed);
    this.emit("closed", report);
    this.#isOver = true;
    return report;
  }

  /** @internal */
  protected admitPeer(peer: P): void {
    this.#lastFailure = undefined;
    this.#silence?.start();
    this.onPeerReady(peer);
    const waiters = this.#readyWaiters;
    if (waiters === undefined) return;
    for (const peers of waiters.keys) {
      if (this.endpoints.peers.size >= Number(peers)) waiters.resolve(peers);
    }
    if (waiters.isEmpty) this.#readyWaiters = undefined;
  }

  /** @internal */
  protected noteFailure(error: MsgError): void {
    this.#lastFailure = error;
    if (this.endpoints.mayGetPeer || this.endpoints.peers.size > 0) return;
    this.#readyWaiters?.rejectAll(error);
    this.onNoEndpointLeft(error);
  }
}
