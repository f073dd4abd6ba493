import type { CandidatePeer, PeerInfo } from "../contracts/authenticator.ts";
import type { FrameDecoder, HandshakeContext, SocketType, Welcome } from "../contracts/protocol.ts";
import type { Link, Listener, Transport } from "../contracts/transport.ts";
import { Connection } from "../connection/connection.ts";
import { Dialer } from "../connection/dialer.ts";
import { ChunkPool } from "../connection/outbox.ts";
import { MsgError } from "../errors.ts";
import type { TimerHandle } from "../runtime.ts";
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

/** How a link came to be. */
interface Opening {
  readonly endpoint: string;
  /** Absent when the peer dialed us. */
  readonly dialer: Dialer | undefined;
  readonly probationMs: number;
  /** For the handshake. */
  readonly timeLeftMs: number;
}

/** What is kept of a connection beside itself. */
interface Entry<P> {
  readonly endpoint: string;
  /** Absent when the peer dialed us. */
  readonly dialer: Dialer | undefined;
  phase: "handshaking" | "admitted" | "rejected";
  peer: P | undefined;
  /** Ends the probation. */
  timer: TimerHandle;
}

/** How long a transport may take to tell that a destroyed link is gone. */
const transportGraceMs = 2_000;

/** One for all sockets: each of many small ones would keep a chunk for its next message. */
const chunkPool = new ChunkPool();

let lastPeerId = 0;

function candidateOf(link: Link, transport: string): CandidatePeer {
  const { remoteAddress: address, certificate } = link;
  return { address, transport, ...(certificate === undefined ? {} : { certificate }) };
}

/**
 * The addresses of a socket: what it listens on, what it keeps connected, and the connections that
 * come of both. It knows no pattern.
 */
export class Endpoints<P extends Peer> {
  readonly peers: Set<P> = new Set();
  readonly counters: TrafficCounters = {
    bytesSent: 0,
    bytesReceived: 0,
    connects: 0,
    disconnects: 0,
    retries: 0,
    refused: 0,
  };
  readonly #type: SocketType;
  readonly #transport: Transport;
  readonly #options: ResolvedSocketOptions;
  readonly #handlers: EndpointsHandlers<P>;
  readonly #dialers: Map<string, Dialer> = new Map();
  /** By what was given to `bind`: of several with port 0, each has an address of its own. */
  readonly #listeners: Set<{ readonly given: string; readonly listener: Listener }> = new Set();
  /** Listeners that are not there yet. */
  #binding = 0;
  readonly #connections: Map<Connection, Entry<P>> = new Map();
  #handshakes = 0;
  #clients = 0;
  #isClosed = false;
  #onAllClosed: (() => void) | undefined;

  constructor(
    type: SocketType,
    transport: Transport,
    options: ResolvedSocketOptions,
    handlers: EndpointsHandlers<P>,
  ) {
    this.#type = type;
    this.#transport = transport;
    this.#options = options;
    this.#handlers = handlers;
  }

  get addresses(): readonly string[] {
    return Array.from(this.#listeners, ({ listener }) => listener.address);
  }

  /** Whether anything is dialed or listened on, so that a peer may still come. */
  get mayGetPeer(): boolean {
    return this.#dialers.size > 0 || this.#listeners.size > 0;
  }

  /** Bytes each way, of the connections that were and those that are. */
  get traffic(): TrafficCounters {
    const total = { ...this.counters };
    for (const connection of this.#connections.keys()) {
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
    for (const bound of this.#listeners) {
      if (bound.given !== address && bound.listener.address !== address) continue;
      this.#listeners.delete(bound);
      return bound.listener.close().then(() => true);
    }
    return Promise.resolve(false);
  }

  /** Keeps an endpoint connected. One that is already is left as it is. */
  connect(given: string): void {
    const address = this.#parse(given);
    this.#checkHook();
    if (this.#dialers.has(address)) return;
    const { runtime, reconnect, handshakeTimeoutMs } = this.#options;
    const transport = this.#transport;
    const dialer: Dialer = new Dialer(
      { transport, address, runtime, reconnect, handshakeTimeoutMs },
      {
        onLink: (link, probationMs, timeLeftMs) =>
          this.#open(link, { endpoint: address, dialer, probationMs, timeLeftMs }),
        onRetry: (error, attempt, delayMs) => {
          this.counters.retries++;
          this.#handlers.emit("retrying", { endpoint: address, attempt, delayMs, error });
          this.#handlers.onEndpointFailed(error);
        },
        onGivenUp: (cause) => {
          if (this.#dialers.get(address) === dialer) this.#dialers.delete(address);
          const text = `gave up connecting to ${transport.name}://${address}`;
          const error = new MsgError("MSG_DIAL_FAILED", text, { cause });
          this.#handlers.emit("error", { error });
          this.#handlers.onEndpointFailed(error);
        },
      },
    );
    this.#dialers.set(address, dialer);
    dialer.start();
  }

  /** Lets an endpoint go: no more dialing, its connection ends in order. False when it was not there. */
  disconnect(given: string, lingerMs: number): boolean {
    const address = this.#parse(given);
    const dialer = this.#dialers.get(address);
    this.#dialers.delete(address);
    dialer?.close();
    for (const [connection, entry] of this.#connections) {
      if (entry.dialer !== undefined && entry.endpoint === address) connection.close(lingerMs);
    }
    return dialer !== undefined;
  }

  /** Stops dialing, listening and shaking hands. Peers stay until {@link endAll}. */
  async stop(): Promise<void> {
    this.#isClosed = true;
    for (const dialer of this.#dialers.values()) dialer.close();
    this.#dialers.clear();
    const reason = new MsgError("MSG_CLOSED", "socket was closed");
    for (const connection of this.#connections.keys()) {
      if (connection.phase === "handshaking") connection.destroy(reason);
    }
    const closing = Array.from(this.#listeners, ({ listener }) => listener.close());
    this.#listeners.clear();
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
    for (const connection of this.#connections.keys()) connection.close(lingerMs);
    if (this.#isAllClosed) return;
    const { runtime } = this.#options;
    await new Promise<void>((resolve) => {
      const timer = runtime.setTimer(resolve, lingerMs + transportGraceMs);
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
      this.#listeners.add({ given: address, listener });
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
    const { maxHandshakes, handshakeTimeoutMs: timeLeftMs } = this.#options;
    if (this.#isClosed) link.destroy();
    else if (this.#handshakes >= maxHandshakes) {
      link.destroy();
      const text = `${this.#handshakes} handshakes are under way, maxHandshakes is ${maxHandshakes}`;
      this.#onRefused(endpoint, link.remoteAddress, new MsgError("MSG_TOO_MANY_PEERS", text));
    } else this.#open(link, { endpoint, dialer: undefined, probationMs: 0, timeLeftMs });
  }

  #open(link: Link, { endpoint, dialer, probationMs, timeLeftMs }: Opening): Connection {
    const { runtime, protocol, sendHighWaterBytes } = this.#options;
    const entry: Entry<P> = {
      endpoint,
      dialer,
      phase: "handshaking",
      peer: undefined,
      timer: undefined,
    };
    const connection: Connection = new Connection(
      link,
      {
        runtime,
        pool: chunkPool,
        protocol,
        handshake: this.#handshakeContext(dialer !== undefined),
        handshakeTimeoutMs: timeLeftMs,
        sendHighWaterBytes,
        peer: candidateOf(link, this.#transport.name),
      },
      {
        onReady: (welcome) => this.#onWelcome(connection, entry, welcome, probationMs),
        onDrain: () => entry.peer?.onDrain(),
        onBeforeFlush: () => entry.peer?.onBeforeFlush(),
        onPeerEnded: () => entry.peer?.onPeerEnded(),
        onClosed: (reason) => this.#onClosed(connection, entry, reason),
      },
    );
    this.#connections.set(connection, entry);
    if (dialer === undefined) this.#handshakes++;
    connection.start();
    return connection;
  }

  #handshakeContext(isDialer: boolean): HandshakeContext {
    const { name, authToken, authenticator, hook } = this.#options;
    return { socketType: this.#type, isDialer, name, authToken, authenticator, hook };
  }

  #onWelcome(
    connection: Connection,
    entry: Entry<P>,
    welcome: Welcome,
    probationMs: number,
  ): FrameDecoder | undefined {
    const isClient = entry.dialer === undefined;
    const { maxClients, runtime } = this.#options;
    entry.phase = "admitted";
    if (isClient) {
      this.#handshakes--;
      if (this.#clients >= maxClients) {
        entry.phase = "rejected";
        const text = `${this.#clients} clients are connected, maxClients is ${maxClients}`;
        connection.destroy(new MsgError("MSG_TOO_MANY_PEERS", text));
        return undefined;
      }
      this.#clients++;
    }
    const peer = this.#handlers.createPeer(connection, this.#infoOf(connection, entry, welcome));
    entry.peer = peer;
    if (probationMs === 0) {
      this.#announce(peer);
      return peer.decoder;
    }
    entry.timer = runtime.setTimer(() => this.#announce(peer), probationMs);
    // A peer that speaks has passed: what it says is for a peer that is ready.
    return watchFirstBytes(peer.decoder, () => this.#announce(peer));
  }

  #infoOf(connection: Connection, entry: Entry<P>, { claims, name }: Welcome): PeerInfo {
    const { identity } = claims;
    return {
      id: ++lastPeerId,
      ...connection.peer,
      endpoint: entry.endpoint,
      name,
      ...(typeof identity === "string" ? { identity } : {}),
      claims,
    };
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

  #onClosed(connection: Connection, entry: Entry<P>, reason: MsgError | undefined): void {
    this.#connections.delete(connection);
    this.#options.runtime.clearTimer(entry.timer);
    this.counters.bytesSent += connection.outbox.sentBytes;
    this.counters.bytesReceived += connection.receivedBytes;
    const { dialer, peer } = entry;
    if (dialer === undefined && entry.phase === "handshaking") this.#handshakes--;
    if (dialer === undefined && entry.phase === "admitted") this.#clients--;
    if (peer === undefined) {
      const ended = new MsgError("MSG_PEER_LOST", "peer ended during the handshake");
      this.#onRefused(entry.endpoint, connection.peer.address, reason ?? ended);
    } else if (peer.isReady) this.#onPeerGone(peer, reason);
    const isProven = peer !== undefined && connection.framedBytes > 0;
    dialer?.onConnectionClosed(connection, isProven, reason);
    if (this.#isAllClosed) this.#onAllClosed?.();
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
