import type { PeerInfo } from "../contracts/authenticator.ts";
import type { FrameDecoder, Welcome } from "../contracts/protocol.ts";
import type { Link, Listener, Transport } from "../contracts/transport.ts";
import type { Connection, ConnectionOptions } from "../connection/connection.ts";
import type { DialerOwner } from "../connection/dialer.ts";
import { Dialer } from "../connection/dialer.ts";
import { FrameWatch } from "../connection/frame-watch.ts";
import { ChunkPool } from "../connection/outbox.ts";
import { MsgError } from "../errors.ts";
import type { EntryOwner } from "./entry.ts";
import { Entry } from "./entry.ts";
import type { SocketEvents } from "./events.ts";
import { watchFirstBytes } from "./first-bytes.ts";
import type { Peer } from "./peer.ts";
import type { ResolvedSocketOptions } from "./socket-options.ts";

/** What the owner of the {@link Endpoints} is asked and told. */
export interface EndpointsHandlers<P extends Peer> {
  createPeer(connection: Connection, info: PeerInfo): P;
  onPeerReady(peer: P): void;
  /** The peer's connection is gone. Only for peers that were ready. */
  onPeerClosed(peer: P, reason: MsgError | undefined): void;
  /** A dialer gave up, or every way to a peer is gone. */
  onEndpointFailed(error: MsgError): void;
  emit<Name extends keyof SocketEvents>(name: Name, detail: SocketEvents[Name]): void;
}

/** Bytes of connections that are gone, and how often connections came and went. */
export interface TrafficCounters {
  bytesSent: number;
  bytesReceived: number;
  connects: number;
  disconnects: number;
  retries: number;
  refused: number;
}

/** What is listened on. */
interface Bound {
  readonly given: string;
  readonly listener: Listener;
}

const nothingBound: readonly Bound[] = [];

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** How long a transport may take to tell that a destroyed link is gone. */
const transportGraceMs = 2_000;

/** One for all sockets: each of many small ones would keep a chunk for its next message. */
const chunkPool = new ChunkPool();

let lastPeerId = 0;

/**
 * The addresses of a socket: what it listens on, what it keeps connected, and the connections that
 * come of both. It knows no pattern.
 */
export class Endpoints<P extends Peer> implements DialerOwner, EntryOwner<P> {
  readonly peers: Set<P> = new Set();
  readonly counters: TrafficCounters = {
    bytesSent: 0,
    bytesReceived: 0,
    connects: 0,
    disconnects: 0,
    retries: 0,
    refused: 0,
  };
  readonly #type: string;
  readonly #transport: Transport;
  readonly #options: ResolvedSocketOptions;
  readonly #handlers: EndpointsHandlers<P>;
  readonly #dialers: Map<string, Dialer> = new Map();
  /** By what was given to `bind`: of several with port 0, each has an address of its own. */
  #listeners: readonly Bound[] = nothingBound;
  /** Listeners that are not there yet. */
  #binding = 0;
  readonly #connections: Set<Entry<P>> = new Set();
  /** Of what dials, and of what is dialed: made when there is one. */
  #dialedOptions: ConnectionOptions | undefined;
  #acceptedOptions: ConnectionOptions | undefined;
  /** Peers that dial may be silent for as long as they like. */
  #acceptsSilence = false;
  readonly #frameWatch: FrameWatch;
  #handshakes = 0;
  #clients = 0;
  #isClosed = false;
  #onAllClosed: (() => void) | undefined;

  constructor(
    type: string,
    transport: Transport,
    options: ResolvedSocketOptions,
    handlers: EndpointsHandlers<P>,
  ) {
    this.#type = type;
    this.#transport = transport;
    this.#options = options;
    this.#handlers = handlers;
    this.#frameWatch = new FrameWatch(options.runtime, options.frameTimeoutMs);
  }

  get addresses(): readonly string[] {
    return this.#listeners.map(({ listener }) => listener.address);
  }

  /** Whether anything is dialed or listened on, so that a peer may still come. */
  get mayGetPeer(): boolean {
    return this.#dialers.size > 0 || this.#listeners.length > 0;
  }

  /** Whether anything is dialed. */
  get isDialing(): boolean {
    return this.#dialers.size > 0;
  }

  /** Bytes each way, of the connections that were and those that are. */
  get traffic(): TrafficCounters {
    const total = { ...this.counters };
    for (const { connection } of this.#connections) {
      total.bytesSent += connection.outbox.sentBytes;
      total.bytesReceived += connection.receivedBytes;
    }
    return total;
  }

  /** @throws MsgError `MSG_INVALID_ADDRESS`, `MSG_INVALID_STATE`, at once. */
  bind(given: string): Promise<string> {
    const address = this.#parse(given);
    this.#checkHook();
    if (this.addresses.includes(address)) {
      throw new MsgError("MSG_INVALID_STATE", `this socket is bound to ${given} already`);
    }
    return this.#listen(address);
  }

  /** Stops listening. Peers that came through it stay. False when it was not bound. */
  unbind(given: string): Promise<boolean> {
    const address = this.#parse(given);
    const found = this.#listeners.find(
      (bound) => bound.given === address || bound.listener.address === address,
    );
    if (found === undefined) return Promise.resolve(false);
    this.#listeners = this.#listeners.filter((bound) => bound !== found);
    return found.listener.close().then(() => true);
  }

  /** Keeps an endpoint connected. One that is already is left as it is. */
  connect(given: string): void {
    const address = this.#parse(given);
    this.#checkHook();
    if (this.#dialers.has(address)) return;
    const dialer = new Dialer(address, this.#transport, this.#options, this);
    this.#dialers.set(address, dialer);
    dialer.start();
  }

  /** Lets an endpoint go: no more dialing, its connection ends in order. False when it was not there. */
  disconnect(given: string, lingerMs: number): boolean {
    const address = this.#parse(given);
    const dialer = this.#dialers.get(address);
    this.#dialers.delete(address);
    dialer?.close();
    for (const { connection, dialer: by, endpoint } of this.#connections) {
      if (by !== undefined && endpoint === address) connection.close(lingerMs);
    }
    return dialer !== undefined;
  }

  /** Ends one peer's connection in order. False when it is not there. */
  disconnectPeer(id: number, lingerMs: number): boolean {
    for (const peer of this.peers) {
      if (peer.info.id !== id) continue;
      peer.connection.close(lingerMs);
      return true;
    }
    return false;
  }

  /** Waits for peers that may take themselves for connected before we know of them. */
  async settle(withinMs: number): Promise<void> {
    await Promise.all(this.#listeners.map(async ({ listener }) => listener.settle?.(withinMs)));
  }

  /** Stops dialing, listening and shaking hands. Peers stay until {@link endAll}. */
  async stop(): Promise<void> {
    this.#isClosed = true;
    for (const dialer of this.#dialers.values()) dialer.close();
    this.#dialers.clear();
    for (const { connection } of this.#connections) {
      if (connection.phase !== "handshaking") continue;
      connection.destroy(new MsgError("MSG_CLOSED", "socket was closed"));
    }
    const closing = this.#listeners.map(({ listener }) => listener.close());
    this.#listeners = [];
    for (const result of await Promise.allSettled(closing)) {
      if (result.status === "fulfilled") continue;
      const text = "a listener could not be closed";
      const error = MsgError.from(result.reason, "MSG_LISTEN_FAILED", text);
      this.#handlers.emit("error", { error });
    }
  }

  /**
   * Ends every connection in order; resolves when all are gone, and what was being bound is free.
   * They are within `lingerMs`, if the transport keeps its promises; one that does not is not
   * waited for much longer.
   */
  async endAll(lingerMs: number): Promise<void> {
    for (const { connection } of this.#connections) connection.close(lingerMs);
    if (this.#isAllClosed) return;
    const { runtime } = this.#options;
    await new Promise<void>((resolve) => {
      // One behind the other: after a stall, in which both would have been due, what the end of
      // lingering began must have its time all the same.
      let timer = runtime.setTimer(() => {
        timer = runtime.setTimer(resolve, transportGraceMs);
      }, lingerMs);
      this.#onAllClosed = () => {
        runtime.clearTimer(timer);
        resolve();
      };
    });
  }

  get #isAllClosed(): boolean {
    return this.#connections.size === 0 && this.#binding === 0;
  }

  async #listen(address: string): Promise<string> {
    this.#binding++;
    try {
      const listener = await this.#transport.listen(address, {
        onLink: (link) => this.#accept(link, address),
        onError: (error) => this.#handlers.emit("error", { error }),
        onRefused: (remoteAddress, error) => this.#onRefused(address, remoteAddress, error),
      });
      if (this.#isClosed) {
        await listener.close();
        throw new MsgError("MSG_CLOSED", "socket was closed while it was being bound");
      }
      this.#listeners = [...this.#listeners, { given: address, listener }];
      this.#handlers.emit("listening", { endpoint: listener.address });
      return listener.address;
    } catch (error) {
      // Told as an event too: a bind that nobody awaits must not fail in silence.
      const failure = MsgError.from(error, "MSG_LISTEN_FAILED", `cannot listen on ${address}`);
      if (!this.#isClosed) this.#handlers.emit("error", { error: failure });
      throw failure;
    } finally {
      this.#binding--;
      if (this.#isAllClosed) this.#onAllClosed?.();
    }
  }

  #parse(given: string): string {
    if (typeof given !== "string") {
      throw new MsgError("MSG_INVALID_ADDRESS", `address is ${typeof given}, must be a string`);
    }
    return this.#transport.parseAddress(given);
  }

  #checkHook(): void {
    if (this.#options.hook?.acceptorSpeaksFirst !== true || !this.#transport.dialerSpeaksFirst)
      return;
    const text = `hook has the acceptor speak first, on ${this.#transport.name} the dialer must`;
    throw new MsgError("MSG_INVALID_STATE", text);
  }

  #accept(link: Link, endpoint: string): void {
    this.#acceptedOptions ??= this.#optionsOfAccepted();
    const refusal = this.#acceptsSilence ? this.#clientRefusal : this.#handshakeRefusal;
    if (this.#isClosed) link.destroy();
    else if (refusal !== undefined) {
      link.destroy();
      this.#onRefused(endpoint, link.remoteAddress, refusal);
    } else {
      const entry = new Entry(this, link, this.#acceptedOptions, endpoint, undefined, 0);
      if (this.#acceptsSilence) {
        entry.phase = "silent";
        this.#clients++;
      } else this.#handshakes++;
      this.#open(entry);
    }
  }

  #optionsOfAccepted(): ConnectionOptions {
    const options = this.#connectionOptions(false);
    this.#acceptsSilence = options.protocol.handshake(options.handshake)?.isUnhurried === true;
    return options;
  }

  get #handshakeRefusal(): MsgError | undefined {
    const { maxHandshakes } = this.#options;
    if (this.#handshakes < maxHandshakes) return undefined;
    const text = `${this.#handshakes} handshakes are under way, maxHandshakes is ${maxHandshakes}`;
    return new MsgError("MSG_TOO_MANY_PEERS", text);
  }

  get #clientRefusal(): MsgError | undefined {
    const { maxClients } = this.#options;
    if (this.#clients < maxClients) return undefined;
    const text = `${this.#clients} clients are connected, maxClients is ${maxClients}`;
    return new MsgError("MSG_TOO_MANY_PEERS", text);
  }

  #open(entry: Entry<P>, timeLeftMs?: number): void {
    this.#connections.add(entry);
    entry.connection.start(timeLeftMs);
  }

  #connectionOptions(isDialer: boolean): ConnectionOptions {
    const { runtime, handshakeTimeoutMs, sendHighWaterBytes } = this.#options;
    const protocol = isDialer ? this.#options.protocol : this.#options.acceptedProtocol;
    const { name, authToken, authenticator, hook } = this.#options;
    return {
      runtime,
      pool: chunkPool,
      protocol,
      handshake: { socketType: this.#type, isDialer, name, authToken, authenticator, hook },
      handshakeTimeoutMs,
      sendHighWaterBytes,
      frameWatch: this.#frameWatch,
      transport: this.#transport.name,
    };
  }

  // --- What a dialer tells and asks --------------------------------------------------------------

  onLink(dialer: Dialer, link: Link, probationMs: number, timeLeftMs: number): Connection {
    this.#dialedOptions ??= this.#connectionOptions(true);
    const entry = new Entry(this, link, this.#dialedOptions, dialer.address, dialer, probationMs);
    this.#open(entry, timeLeftMs);
    return entry.connection;
  }

  onRetry({ address }: Dialer, error: MsgError, attempt: number, delayMs: number): void {
    this.counters.retries++;
    this.#handlers.emit("retrying", { endpoint: address, attempt, delayMs, error });
    this.#handlers.onEndpointFailed(error);
  }

  onGivenUp(dialer: Dialer, cause: MsgError): void {
    const { address } = dialer;
    if (this.#dialers.get(address) === dialer) this.#dialers.delete(address);
    const text = `gave up connecting to ${this.#transport.name}://${address}`;
    const error = new MsgError("MSG_DIAL_FAILED", text, { cause });
    this.#handlers.emit("error", { error });
    this.#handlers.onEndpointFailed(error);
  }

  // --- What a connection tells -------------------------------------------------------------------

  onWelcome(entry: Entry<P>, welcome: Welcome): FrameDecoder | undefined {
    const { connection, probationMs } = entry;
    const { runtime } = this.#options;
    if (entry.dialer === undefined && !this.#admitClient(entry)) return undefined;
    entry.phase = "admitted";
    const peer = this.#handlers.createPeer(connection, this.#infoOf(entry, welcome));
    entry.peer = peer;
    if (probationMs === 0) {
      this.#announce(peer);
      return peer.decoder;
    }
    entry.timer = runtime.setTimer(() => this.#announce(peer), probationMs);
    // A peer that speaks has passed: what it says is for a peer that is ready.
    return watchFirstBytes(peer.decoder, () => this.#announce(peer));
  }

  onConnectionClosed(entry: Entry<P>, reason: MsgError | undefined): void {
    const { connection, dialer, peer } = entry;
    this.#connections.delete(entry);
    this.#options.runtime.clearTimer(entry.timer);
    this.counters.bytesSent += connection.outbox.sentBytes;
    this.counters.bytesReceived += connection.receivedBytes;
    if (dialer === undefined) this.#leave(entry);
    if (peer === undefined) {
      const ended = new MsgError("MSG_PEER_LOST", "peer ended during the handshake");
      this.#onRefused(entry.endpoint, connection.peer.address, reason ?? ended);
    } else if (peer.isReady) this.#onPeerGone(peer, reason);
    const hasSpoken = peer !== undefined && connection.framedBytes > 0;
    dialer?.onConnectionClosed(connection, peer !== undefined, hasSpoken, reason);
    if (this.#isAllClosed) this.#onAllClosed?.();
  }

  /** It took its time, and now has that of a handshake. */
  onHurried(entry: Entry<P>): void {
    if (entry.phase !== "silent") return;
    const refusal = this.#handshakeRefusal;
    this.#leave(entry);
    entry.phase = refusal === undefined ? "handshaking" : "rejected";
    if (refusal === undefined) this.#handshakes++;
    else entry.connection.destroy(refusal);
  }

  /** False when there are too many, and it was sent away. */
  #admitClient(entry: Entry<P>): boolean {
    this.#leave(entry);
    const refusal = this.#clientRefusal;
    entry.phase = refusal === undefined ? "admitted" : "rejected";
    if (refusal === undefined) this.#clients++;
    else entry.connection.destroy(refusal);
    return refusal === undefined;
  }

  /** Gives up the place that one who dialed us holds. */
  #leave({ phase }: Entry<P>): void {
    if (phase === "handshaking") this.#handshakes--;
    else if (phase !== "rejected") this.#clients--;
  }

  #infoOf({ connection, endpoint }: Entry<P>, { claims, name }: Welcome): PeerInfo {
    const { address, transport, certificate } = connection.peer;
    const { identity } = claims;
    // Not by spreads of what may be there: that took a twentieth of an accept (bench scenario:
    // connect-storm).
    const info: Writable<PeerInfo> = {
      id: ++lastPeerId,
      address,
      transport,
      endpoint,
      name,
      claims,
    };
    if (typeof identity === "string") info.identity = identity;
    if (certificate !== undefined) info.certificate = certificate;
    return info;
  }

  #announce(peer: P): void {
    if (peer.isReady || peer.connection.phase === "closed" || peer.connection.phase === "ending") {
      return;
    }
    peer.isReady = true;
    this.peers.add(peer);
    this.counters.connects++;
    this.#handlers.onPeerReady(peer);
    this.#handlers.emit("connected", { peer: peer.info });
  }

  #onPeerGone(peer: P, reason: MsgError | undefined): void {
    peer.isReady = false;
    this.peers.delete(peer);
    this.counters.disconnects++;
    this.#handlers.onPeerClosed(peer, reason);
    this.#handlers.emit("disconnected", { peer: peer.info, reason });
  }

  #onRefused(endpoint: string, address: string, error: MsgError): void {
    if (this.#isClosed) return;
    this.counters.refused++;
    this.#handlers.emit("refused", { endpoint, address, error });
  }
}
