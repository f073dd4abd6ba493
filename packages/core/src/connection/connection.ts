import type { CandidatePeer } from "../contracts/authenticator.ts";
import type {
  Backlog,
  FrameDecoder,
  HandshakeContext,
  Protocol,
  Pulse,
  Welcome,
  WireGate,
} from "../contracts/protocol.ts";
import type { Link, LinkHandlers } from "../contracts/transport.ts";
import { MsgError } from "../errors.ts";
import type { Runtime, TimerHandle } from "../runtime.ts";
import type { ConnectionEvent, ConnectionState } from "./connection-state.ts";
import { nextConnectionState } from "./connection-state.ts";
import { FrameAssembler, handshakeReadBuffer } from "./frame-assembler.ts";
import type { FramedConnection, FrameWatch } from "./frame-watch.ts";
import { LinkHandshake } from "./handshake-link.ts";
import type { ChunkPool, OutboxOwner } from "./outbox.ts";
import { Outbox } from "./outbox.ts";

/** How long a peer that broke the protocol is given to read why. */
const refusalLingerMs = 500;

/** What a connection needs beside its link: one object for all of a socket, on each side. */
export interface ConnectionOptions {
  readonly runtime: Runtime;
  readonly pool: ChunkPool;
  readonly protocol: Protocol;
  readonly handshake: HandshakeContext;
  /** For the handshake, when nothing else is said; counted from when the link is there. */
  readonly handshakeTimeoutMs: number;
  /** Over this many unsent bytes {@link Outbox.isFull} is true. */
  readonly sendHighWaterBytes: number;
  /** Told of frames that are not whole. */
  readonly frameWatch: FrameWatch;
  /** The name of what made the link. */
  readonly transport: string;
}

/** What the owner of a {@link Connection} is told. */
export interface ConnectionHandlers {
  /**
   * The peer is let in. Gives the decoder of its frames, or `undefined` when it closed the
   * connection instead. Once, before any other but `onClosed`.
   */
  onReady(welcome: Welcome): FrameDecoder | undefined;
  /** A peer whose handshake is unhurried spoke: its time runs. It may be closed. */
  onHurried(): void;
  /** There is room in the outbox again, after it was seen full. */
  onDrain(): void;
  /** The tick ends: what waited for it may be written now. */
  onBeforeFlush(): void;
  /** The transport took everything that was handed to it. */
  onTaken(): void;
  /** The peer ended its side in order; the owner writes what it owes and closes. */
  onPeerEnded(): void;
  /** Once, last. @param reason - absent when we closed in order. */
  onClosed(reason: MsgError | undefined): void;
}

/** Shared, because idle connections are to cost little. */
const handshaking: ConnectionState = { phase: "handshaking" };

/** What is found out about a peer that nobody asks anything. */
const unasked: Welcome = { claims: Object.freeze({}), name: "" };

/**
 * One link with its handshake, its batching and its end.
 *
 * The only one to talk to a link. It knows no routing: frames go to the decoder that its owner
 * gives, bytes come through {@link outbox}.
 *
 * An idle connection is to cost little (bench scenario: idle-memory), so it is what its link and its
 * outbox call, instead of giving each of them functions.
 */
export class Connection implements WireGate, LinkHandlers, OutboxOwner, Pulse, FramedConnection {
  readonly outbox: Outbox;
  readonly #link: Link;
  readonly #options: ConnectionOptions;
  readonly #handlers: ConnectionHandlers;
  #abort: AbortController | undefined;
  #state: ConnectionState = handshaking;
  #handshake: LinkHandshake | undefined;
  #assembler: FrameAssembler | undefined;
  #backlog: Backlog | undefined;
  /** What the peer broke behind the backlog. */
  #violation: unknown;
  #timer: TimerHandle;
  /** Of {@link every}. */
  #beat: TimerHandle;
  /** The handshake's deadline begins with the first byte. */
  #isUnhurried = false;
  /** When a connection that ends is given up. */
  #destroyAtMs = Infinity;
  #takenLingerMs = Infinity;
  #protocol: Protocol;
  #holds = 0;
  #isResuming = false;
  #isLending = false;
  #hasPeerEnded = false;
  #isWatched = false;
  /** The link broke: nothing more can come, so that nothing keeps back what did come. */
  #isLost = false;
  /** A plain field, because a decoder asks after each frame (bench scenario: push-pull). */
  isOpen = false;
  /** Bytes received so far. Anything at all from the peer moves it, so it also tells silence. */
  receivedBytes = 0;
  #handshakeBytes = 0;

  constructor(link: Link, options: ConnectionOptions, handlers: ConnectionHandlers) {
    this.#link = link;
    this.#options = options;
    this.#handlers = handlers;
    this.#protocol = options.protocol;
    const { pool, runtime, sendHighWaterBytes } = options;
    this.outbox = new Outbox(link, pool, runtime, sendHighWaterBytes, this);
  }

  /** Who is at the other end, as far as the link knows. */
  get peer(): CandidatePeer {
    const { remoteAddress: address, certificate } = this.#link;
    const { transport } = this.#options;
    return certificate === undefined ? { address, transport } : { address, transport, certificate };
  }

  /** Aborts when this end closes the connection, or it is lost. Made when it is first asked for. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    const state = this.#state;
    if (state.phase === "ending" || state.phase === "closed") this.#abort.abort(endOf(state));
    return this.#abort.signal;
  }

  /** What is spoken; settled once the handshake is done. */
  get protocol(): Protocol {
    return this.#protocol;
  }

  get slab(): number {
    return this.#assembler?.slab ?? 0;
  }

  get isLent(): boolean {
    return this.#assembler?.isLent ?? false;
  }

  /** Whether payloads may be told in memory that is used again right after. */
  setLending(isLending: boolean): void {
    this.#isLending = isLending;
    this.#assembler?.setLending(isLending);
  }

  get slabBytes(): number {
    return this.#assembler?.slabBytes ?? 0;
  }

  /** True on the side that dialed. */
  get isDialer(): boolean {
    return this.#options.handshake.isDialer;
  }

  get phase(): ConnectionState["phase"] {
    return this.#state.phase;
  }

  /** Whether frames are decoded as they come. */
  get #isReading(): boolean {
    return this.#holds === 0 && this.#state.phase === "ready";
  }

  /** Whether frames may be written. */
  get isFramed(): boolean {
    return this.#state.phase === "ready" || this.#state.phase === "half-open";
  }

  /** Bytes received that are not decoded yet. */
  get undecodedBytes(): number {
    return this.#assembler?.bufferedBytes ?? 0;
  }

  /** Where in what was received the frame at hand begins. */
  get frameOffset(): number {
    return this.receivedBytes - this.undecodedBytes;
  }

  onUnwatched(): void {
    this.#isWatched = false;
  }

  /** Frames were read that are not told yet. */
  get hasBacklog(): boolean {
    return this.#backlog !== undefined;
  }

  /** Bytes received behind the handshake. */
  get framedBytes(): number {
    return this.receivedBytes - this.#handshakeBytes;
  }

  /**
   * Begins the handshake. Call once. A connection that needs none is ready before this returns.
   *
   * @param handshakeTimeoutMs - what dialing left of it.
   */
  start(handshakeTimeoutMs: number = this.#options.handshakeTimeoutMs): void {
    const { protocol, handshake } = this.#options;
    // Before anything is written or held: a link may do neither until it was started.
    this.#link.start(this);
    const perform = protocol.handshake(handshake);
    if (perform === undefined) {
      this.#welcome(unasked);
      return;
    }
    const link = new LinkHandshake(this.#link, this.peer, handshake.isDialer, this);
    this.#handshake = link;
    this.#isUnhurried = perform.isUnhurried === true;
    if (!this.#isUnhurried) this.#limitHandshake(handshakeTimeoutMs);
    perform(link).then(
      (welcome) => this.#welcome(welcome),
      (error: unknown) => this.#refuse(error),
    );
  }

  #limitHandshake(timeoutMs: number): void {
    const text = `handshake took over ${Math.round(timeoutMs)} ms`;
    this.#timer = this.#options.runtime.setTimer(
      () => this.close(0, new MsgError("MSG_HANDSHAKE_TIMEOUT", text)),
      timeoutMs,
    );
  }

  #hurry(): void {
    this.#isUnhurried = false;
    this.#limitHandshake(this.#options.handshakeTimeoutMs);
    this.#handlers.onHurried();
  }

  hold(): void {
    this.#holds++;
    this.#updateOpen();
    // One that ends reads on, to discard: unread input would turn its end into a reset.
    if (this.#holds === 1 && this.#state.phase === "ready") this.#link.setReading(false);
  }

  release(): void {
    this.#holds--;
    this.#updateOpen();
    if (this.#holds === 0) this.#resumeLater();
  }

  now(): number {
    return this.#options.runtime.now();
  }

  get unsentBytes(): number {
    return this.outbox.bufferedBytes;
  }

  every(intervalMs: number, callback: () => void): void {
    this.#stopBeat();
    if (this.phase === "ending" || this.phase === "closed") return;
    this.#beat = this.#options.runtime.setTimer(() => {
      this.every(intervalMs, callback);
      callback();
    }, intervalMs);
  }

  #stopBeat(): void {
    this.#options.runtime.clearTimer(this.#beat);
    this.#beat = undefined;
  }

  setBacklog(backlog: Backlog | undefined): void {
    this.#backlog = backlog;
    if (backlog !== undefined) return;
    if (this.#violation !== undefined) this.fail(this.#violation);
    else if (this.#hasPeerEnded) this.#resumeLater();
  }

  /**
   * Ends in order: sends what is queued, ends our side, discards input until the peer ends its own,
   * at most `lingerMs`; then ends at once. (A TCP socket closed with unread input resets, and the
   * reset can destroy what was written.) Called again, it can only shorten that time.
   *
   * @param reason - why, when it is not the application's wish.
   * @param takenLingerMs - the same from when the transport took everything: for peers that may
   *   never end their side.
   */
  close(lingerMs: number, reason?: MsgError, takenLingerMs: number = Infinity): void {
    if (this.#state.phase === "closed") return;
    // Before the phase changes: frames that wait for the end of the tick go out too.
    if (lingerMs > 0 && this.#state.phase !== "ending") this.outbox.flush();
    const isEnding = this.phase === "ending";
    this.#dispatch({ type: "close", reason });
    if (lingerMs <= 0) {
      // What was not handed over never will be: it must not count as sent.
      this.outbox.destroy();
      this.#link.destroy();
      return;
    }
    if (!isEnding) {
      this.#link.setReading(true);
      this.#link.end();
    }
    this.#takenLingerMs = Math.min(this.#takenLingerMs, takenLingerMs);
    this.#destroyWithin(lingerMs);
    if (this.outbox.bufferedBytes === 0) this.#destroyWithin(this.#takenLingerMs);
  }

  /** Ends now; what is queued is lost. */
  destroy(reason?: MsgError): void {
    this.close(0, reason);
  }

  #destroyWithin(lingerMs: number): void {
    const { runtime } = this.#options;
    const atMs = runtime.now() + lingerMs;
    if (atMs >= this.#destroyAtMs || this.phase === "closed") return;
    this.#destroyAtMs = atMs;
    runtime.clearTimer(this.#timer);
    this.#timer = runtime.setTimer(() => this.#link.destroy(), lingerMs);
  }

  #dispatch(event: ConnectionEvent): void {
    const before = this.#state;
    const after = nextConnectionState(before, event);
    if (after !== before) this.#enter(after);
  }

  #updateOpen(): void {
    this.isOpen = this.#isReading || this.#isLost;
  }

  /** The only place that changes the state. Timers belong to a phase and end with it. */
  #enter(state: ConnectionState): void {
    this.#options.runtime.clearTimer(this.#timer);
    this.#timer = undefined;
    if (state.phase === "ending" || state.phase === "closed") this.#stopBeat();
    this.#isLost = this.#state.phase === "ready" && state.phase === "closed";
    this.#state = state;
    this.#updateOpen();
    if (state.phase !== "ending" && state.phase !== "closed") return;
    if (this.#handshake !== undefined) {
      this.#handshake.fail(endOf(state));
      this.#handshake = undefined;
    }
    this.#assembler?.dispose();
    this.#assembler = undefined;
    if (this.#isWatched) this.#options.frameWatch.forget(this);
    if (this.#isLost) this.#backlog?.resume();
    else this.#backlog?.drop();
    this.#abort?.abort(endOf(state));
    if (state.phase === "closed") {
      this.outbox.destroy();
      this.#handlers.onClosed(state.reason);
    }
  }

  #welcome(welcome: Welcome): void {
    if (this.#state.phase !== "handshaking") return;
    this.#protocol = welcome.protocol ?? this.#protocol;
    this.#dispatch({ type: "welcomed" });
    const unread = this.#handshake?.release();
    this.#handshake = undefined;
    this.#handshakeBytes = this.receivedBytes - (unread?.length ?? 0);
    const decoder = this.#handlers.onReady(welcome);
    if (decoder === undefined || this.phase !== "ready") return;
    this.#assembler = new FrameAssembler(decoder);
    if (this.#isLending) this.#assembler.setLending(true);
    if (unread !== undefined && unread.length > 0) this.#decode(unread);
    if (this.#hasPeerEnded) this.onEnd();
  }

  #refuse(error: unknown): void {
    const reason = MsgError.from(error, "MSG_AUTH_FAILED", "connection hook failed");
    this.close(refusalLingerMs, reason);
  }

  onData(chunk: Uint8Array): void {
    this.receivedBytes += chunk.length;
    if (this.#isUnhurried) this.#hurry();
    if (this.#handshake !== undefined) this.#handshake.push(chunk);
    else this.#decode(chunk);
  }

  #decode(chunk: Uint8Array): void {
    // Without an assembler we are ending, or are about to: input is discarded.
    try {
      this.#assembler?.push(chunk);
    } catch (error) {
      this.#onViolation(error);
    }
    if (this.#isWatched || this.undecodedBytes === 0) return;
    this.#isWatched = true;
    this.#options.frameWatch.watch(this);
  }

  /** Later, not now: whoever opens the gate is often inside a consumer's call. */
  #resumeLater(): void {
    if (this.#isResuming) return;
    this.#isResuming = true;
    this.#options.runtime.endOfTick(() => this.#resume());
  }

  #resume(): void {
    this.#isResuming = false;
    // Any of these may close the gate again, or the connection.
    if (this.#isReading) this.#backlog?.resume();
    if (this.#isReading) this.#decodeHeld();
    if (!this.#isReading) return;
    if (!this.#hasPeerEnded) this.#link.setReading(true);
    else if (this.#backlog === undefined) this.#onAllRead();
  }

  #decodeHeld(): void {
    try {
      this.#assembler?.resume();
    } catch (error) {
      this.#onViolation(error);
    }
  }

  /** What was read before is told before. */
  #onViolation(error: unknown): void {
    if (this.#backlog === undefined) {
      this.fail(error);
      return;
    }
    this.#violation = error;
    this.#assembler?.dispose();
    this.#assembler = undefined;
  }

  /** Closes for what the peer sent; it is given a moment to read why. */
  fail(error: unknown): void {
    this.close(
      refusalLingerMs,
      MsgError.from(error, "MSG_PROTOCOL", "peer's bytes could not be decoded"),
    );
  }

  nextBuffer(): Uint8Array {
    return this.#assembler?.nextBuffer() ?? handshakeReadBuffer;
  }

  onDrain(): void {
    this.outbox.onDrain();
  }

  onClose(reason?: MsgError): void {
    const explained = reason === undefined ? undefined : this.#handshake?.explained(reason);
    this.#dispatch({ type: "link-closed", reason: explained ?? reason });
  }

  onBeforeFlush(): void {
    if (this.isFramed) this.#handlers.onBeforeFlush();
  }

  onTaken(): void {
    if (this.phase === "ending") this.#destroyWithin(this.#takenLingerMs);
    if (this.isFramed) this.#handlers.onTaken();
  }

  onRoom(): void {
    if (this.isFramed) this.#handlers.onDrain();
  }

  onEnd(): void {
    this.#hasPeerEnded = true;
    this.#handshake?.endInput(new MsgError("MSG_PEER_LOST", "peer ended during the handshake"));
    // While it resumes, frames that were held are still to come.
    if (this.#isReading && !this.#isResuming && this.#backlog === undefined) this.#onAllRead();
  }

  /** The peer ended, and everything it sent before was decoded. */
  #onAllRead(): void {
    const { undecodedBytes } = this;
    this.#dispatch({ type: "peer-ended" });
    if (undecodedBytes === 0) {
      this.#handlers.onPeerEnded();
      return;
    }
    const text = `peer ended ${undecodedBytes} bytes into a frame`;
    this.close(refusalLingerMs, new MsgError("MSG_PROTOCOL", text));
  }
}

function endOf({ reason }: { readonly reason: MsgError | undefined }): MsgError {
  return reason ?? new MsgError("MSG_PEER_LOST", "connection ended");
}
