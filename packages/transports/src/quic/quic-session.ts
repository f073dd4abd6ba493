import { MsgError } from "@msg-ts/core";
import type { PeerCertificate } from "../certificates/peer-certificate.ts";
import { ControlStream } from "./control-stream.ts";
import type { EngineConnection, HostPort } from "./engine.ts";
import { closeFailure, streamFailure } from "./quic-failures.ts";
import { PathMtu } from "./path-mtu.ts";
import { PeerStreams } from "./peer-streams.ts";
import type { RoundTaker } from "./rounds.ts";
import type { AnswerHandler } from "./session-clock.ts";
import { SessionClock } from "./session-clock.ts";
import type { SessionBase, SessionOptions, SessionOwner } from "./session-owner.ts";
import { SessionLinks } from "./session-links.ts";
import type { LinkSession, StreamLink } from "./stream-link.ts";
import { TrafficBudget } from "./traffic-budget.ts";

/** A connection that is full makes packets for ever when it is closed: quiche 0.18. */
const maxDatagramsPerFlush = 4_096;

/** Far more than a handshake takes, with the certificates of both ends. */
const maxHandshakeBytes = 256 * 1024;

/** The application error codes that end a connection. */
const closeCodes = {
  /** All that was sent has arrived. */
  done: 0,
  /** The transport was given up. */
  destroyed: 1,
  /** The peer broke a rule of ours, or a bound. */
  refused: 2,
} as const;

type Phase = "handshaking" | "open" | "ending" | "over";

/** One QUIC connection, and the links on it. */
export class QuicSession implements LinkSession, RoundTaker {
  readonly connection: EngineConnection;
  readonly remoteAddress: string;
  certificate: PeerCertificate | undefined;
  readonly #options: SessionOptions;
  readonly #owner: SessionOwner;
  readonly #links: SessionLinks;
  readonly #onOtherStream: (id: number) => void = (id) => this.#onStream(id);
  readonly #peerStreams: PeerStreams;
  readonly #control: ControlStream | undefined;
  readonly #mtu: PathMtu;
  readonly #clock: SessionClock;
  #phase: Phase = "handshaking";
  #hasReceived = false;
  #isRoundDue = false;
  #nextStream: number;
  #endCode: number = closeCodes.done;
  #unansweredTimeouts = 0;
  #refusal: MsgError | undefined;
  readonly #budget: TrafficBudget;
  #handshakeBytes = 0;

  constructor(base: SessionBase, options: SessionOptions, owner: SessionOwner) {
    this.connection = base.connection;
    this.remoteAddress = base.remoteAddress;
    this.#options = options;
    this.#owner = owner;
    this.#links = new SessionLinks(this, base.remoteAddress, options.isDialer);
    this.#nextStream = options.isDialer ? 0 : 1;
    this.#peerStreams = new PeerStreams(options.isDialer ? 1 : 0);
    this.#control = options.isShared ? new ControlStream(this, options.isDialer) : undefined;
    this.#mtu = new PathMtu(base.maxDatagramBytes);
    this.#clock = new SessionClock(options, () => this.#tick());
    this.#budget = new TrafficBudget(options.streamWindowBytes);
  }

  get isOver(): boolean {
    return this.#phase === "over";
  }

  get phase(): Phase {
    return this.#phase;
  }

  get linkCount(): number {
    return this.#links.size;
  }

  /** When the peer was last heard of, by `performance.now()`. */
  get lastHeardMs(): number {
    return this.#clock.lastHeardMs;
  }

  /** Whether another link can be opened now. */
  get hasRoom(): boolean {
    return this.#phase === "open" && this.connection.streamsLeft > 0;
  }

  /** Begins: sends what there is to be sent, and runs the timers. */
  resume(): void {
    this.#hasReceived = true;
    this.#requestRound(true);
  }

  /**
   * Something says that the peer may be gone, but could be forged: it is asked for a sign of life,
   * and the session ends with `MSG_PEER_LOST` when none comes. `onAnswer` is told.
   */
  suspect(onAnswer?: AnswerHandler): void {
    if (this.#phase !== "open") return;
    if (!this.#clock.isSuspicious) {
      this.connection.ping();
      this.requestFlush();
    }
    const { receivedPackets, roundTripMs } = this.connection.stats;
    this.#clock.suspect(receivedPackets, roundTripMs, onAnswer);
  }

  /** Opens a link; the peer sees it when something was written to it. */
  openLink(): StreamLink {
    const id = this.#nextStream;
    this.#nextStream += 4;
    // The engine then knows of it, so that it counts and can be reset.
    this.connection.streamSend(id, new Uint8Array(0), false);
    this.#control?.sendOpen(id);
    // With what is written to it at once.
    this.#requestRound(true);
    return this.#addLink(id);
  }

  /** Tells the peer to open no more links. */
  goAway(): void {
    this.#control?.sendGoAway();
  }

  /** Ends in order: waits for what was sent to be acknowledged. No links may be left. */
  end(code: number = closeCodes.done): void {
    if (this.#phase === "handshaking") return this.destroy();
    if (this.#phase !== "open") return;
    this.#phase = "ending";
    this.#endCode = code;
    this.#clock.onEnding(performance.now());
    this.requestFlush();
  }

  /** Ends now. @param reason - what the links are told. */
  destroy(reason?: MsgError, code: number = closeCodes.destroyed): void {
    if (this.#phase === "over") return;
    this.connection.close("application", code, "");
    this.#sendAll();
    this.#finish(reason);
  }

  /** Turns a peer away in its handshake, or right behind it. */
  refuse(transportCode: number, reason: MsgError): void {
    if (this.#phase === "over") return;
    this.#refusal = reason;
    this.connection.close("transport", transportCode, "");
    this.#sendAll();
    this.#finish(reason);
  }

  receive(datagram: Uint8Array, from: HostPort): void {
    if (this.#phase === "over") return;
    this.#budget.onReceived();
    if (this.#phase === "handshaking") {
      this.#handshakeBytes += datagram.length;
      if (this.#handshakeBytes > maxHandshakeBytes) return this.#onTooMuchHandshake();
    }
    this.connection.receive(datagram, from);
    if (this.connection.mustAnswerNow) this.#sendAll();
    this.#hasReceived = true;
    this.#requestRound(true);
  }

  read(): void {
    if (this.#hasReceived) this.#takeIn();
    this.#links.runTurns();
    if (this.#links.hasBlocked && this.#phase === "open") this.#links.sendBlocked();
  }

  flush(): void {
    this.#isRoundDue = false;
    if (this.#phase === "over") {
      if (this.#links.hasTurns) this.#requestRound(false);
      return;
    }
    this.#sendAll();
    if (this.#budget.isLookDue && this.#endIfOverBudget()) return;
    if (this.connection.isClosed) return this.#finish(this.#reasonOfEngine());
    if (this.#phase === "ending") this.#endIfAcknowledged();
    if (this.#links.hasTurns) this.#requestRound(false);
    if (!this.isOver) this.#clock.arm(this.connection.timeoutMs());
  }

  requestTurn(link: StreamLink): void {
    this.#links.awaitTurn(link);
    this.#requestRound(false);
  }

  awaitRoom(link: StreamLink): void {
    this.#links.awaitRoom(link);
  }

  requestFlush(): void {
    this.#requestRound(false);
  }

  awaitDone(link: StreamLink): void {
    if (link.isFinAlone) this.#control?.sendEnd(link.id, link.sentBytes);
    this.#links.awaitDone(link);
  }

  release(link: StreamLink): Promise<void> | undefined {
    if (!this.#links.remove(link)) return undefined;
    this.#budget.onLinkGone(link);
    if (this.#links.size > 0) return undefined;
    this.#onLinkless();
    return this.#owner.onUnused(this);
  }

  failureOf(error: unknown): MsgError {
    return streamFailure(this.remoteAddress, error);
  }

  /** The peer told, on its control stream, where a stream of its ends. */
  onEndNotice(id: number, totalBytes: number): void {
    this.#links.get(id)?.onEndNotice(totalBytes);
  }

  onGoAway(): void {
    this.#owner.onGoAway(this);
  }

  /** The peer has a link on which nothing was said so far. */
  onOpenNotice(id: number): void {
    this.#peerStreams.announce(id);
    if (this.#peerStreams.hasSilent) this.#clock.onLink();
  }

  /** With `compat`, where a connection is a link, one that says nothing is as good as any. */
  #onLinkless(): void {
    if (!this.#options.isShared || this.#peerStreams.hasSilent) return;
    this.#clock.onLinkless(performance.now());
  }

  #addLink(id: number): StreamLink {
    this.#clock.onLink();
    return this.#links.add(id);
  }

  #requestRound(isReceiving: boolean): void {
    if (this.#isRoundDue) return;
    this.#isRoundDue = true;
    this.#options.rounds.request(this, isReceiving);
  }

  #takeIn(): void {
    this.#hasReceived = false;
    const now = performance.now();
    this.#clock.onHeard(now);
    if (this.#clock.isSuspicious) this.#clock.clear(this.connection.stats.receivedPackets);
    this.#unansweredTimeouts = 0;
    this.#mtu.onAnswer(now);
    if (this.#mtu.isProbing) this.#mtu.onReceived(this.connection.stats, now);
    if (this.#phase === "open") this.#mtu.start();
    if (this.#phase === "handshaking" && this.connection.isEstablished) this.#onEstablished();
    if (this.#phase === "handshaking" || this.#phase === "over") return;
    this.#links.read(this.connection, this.#onOtherStream);
    this.#control?.sendMore();
    this.#links.closeDone();
  }

  #onEstablished(): void {
    this.#phase = "open";
    this.#clock.onHandshakeDone();
    this.#onLinkless();
    const refusal = this.#owner.onEstablished(this);
    // Bad certificate, RFC 8446, section 6: what a certificate that does not do is told by.
    if (refusal !== undefined) this.refuse(0x12a, refusal);
  }

  /** One that is no link has something. */
  #onStream(id: number): void {
    if (this.#control?.receive(id) === true) return;
    if (!this.#peerStreams.isNew(id) || this.#phase !== "open") return this.#discard(id);
    const added = this.#addLink(id);
    if (!this.#owner.onLink(this, added)) added.destroy();
  }

  /** Of a stream that nobody has any more. */
  #discard(id: number): void {
    try {
      const into = this.#owner.scratchFor(64 * 1024);
      while (this.connection.streamReceive(id, into) >= 0 && !this.connection.isStreamEnd);
    } catch {
      // It was reset.
    }
  }

  #sendAll(): void {
    const { connection } = this;
    for (let count = 0; count < maxDatagramsPerFlush; count++) {
      const length = connection.send(this.#owner.scratchFor(this.#mtu.nextBytes));
      if (length === 0) return this.#onAllSent(count);
      if (length > this.#mtu.bytes) this.#mtu.onProbe(length, connection.stats, performance.now());
      const hasRoom = this.#owner.transmit(length, connection.destination);
      this.#budget.onSent();
      if (!hasRoom) return this.#clock.sendAgainSoon(performance.now());
      if (this.#phase !== "open" && connection.isClosed && count > 3) return;
    }
    this.#mtu.onSent(maxDatagramsPerFlush);
    this.#requestRound(true);
  }

  #onTooMuchHandshake(): void {
    const text = `peer sent over ${maxHandshakeBytes} bytes in its QUIC handshake`;
    this.destroy(new MsgError("MSG_PROTOCOL", text), closeCodes.refused);
  }

  /** Ends the connection when the peer uses the engine for something else than its streams. */
  #endIfOverBudget(): boolean {
    const excess = this.#budget.excessOf(this.#links.values(), this.connection.stats);
    if (excess === undefined) return false;
    this.destroy(new MsgError("MSG_PROTOCOL", `peer ${excess}`), closeCodes.refused);
    return true;
  }

  #onAllSent(count: number): void {
    this.#mtu.onSent(count);
    this.#clock.onSent();
  }

  #endIfAcknowledged(): void {
    if (!this.connection.isAcknowledged && !this.#clock.isEndOverdue(performance.now())) return;
    this.connection.close("application", this.#endCode, "");
    this.#sendAll();
    this.#finish(undefined);
  }

  #tick(): void {
    if (this.isOver) return;
    const now = performance.now();
    if (this.#clock.isHandshakeOverdue(now)) return this.destroy(this.#tooSlow());
    if (this.#clock.isPeerGone(now)) return this.destroy(this.#gone());
    if (this.#clock.isLinkOverdue(now)) return this.end();
    if ((this.connection.timeoutMs() ?? 1) <= 0) {
      this.connection.onTimeout();
      this.#mtu.onTimeout(now);
      this.#unansweredTimeouts += 1;
      this.#owner.onSilence(this.#unansweredTimeouts);
    }
    if (this.#clock.takePing(now)) this.connection.ping();
    if (this.#links.hasBlocked && this.#phase === "open") this.#links.sendBlocked();
    this.flush();
  }

  #tooSlow(): MsgError {
    const text = `QUIC handshake took over ${this.#options.handshakeTimeoutMs} ms`;
    return new MsgError("MSG_HANDSHAKE_TIMEOUT", text);
  }

  #gone(): MsgError {
    const text = `link to ${this.remoteAddress} broke: nobody answers there any more`;
    return new MsgError("MSG_PEER_LOST", text);
  }

  /** Why the engine closed; nothing when the peer ended in order. */
  #reasonOfEngine(): MsgError | undefined {
    const { closed } = this.connection;
    const isOrderly =
      closed.kind === "application" && closed.code === closeCodes.done && !closed.isLocal;
    return isOrderly ? undefined : (this.#refusal ?? closeFailure(this.remoteAddress, closed));
  }

  #finish(reason: MsgError | undefined): void {
    if (this.#phase === "over") return;
    this.#phase = "over";
    this.#clock.stop();
    this.#links.stopWaiting();
    for (const link of this.#links.values()) link.onSessionEnd(reason);
    this.#owner.onOver(this, reason);
  }
}
