import { MsgError } from "@msg-ts/core";
import { hostCodeOf } from "../failures.ts";
import { formatTcpAddress } from "../tcp/tcp-address.ts";
import type { HostPort } from "./engine.ts";
import { isGoneNotice } from "./gone-notice.ts";
import type { QuicContexts } from "./quic-contexts.ts";
import { dialFailure } from "./quic-failures.ts";
import type { SessionOptions, SessionOwner } from "./session-owner.ts";
import { QuicSession } from "./quic-session.ts";
import { RoamingSocket } from "./roaming-socket.ts";

/**
 * A dialer has a UDP socket for each connection, and needs no id to tell them apart. So no peer can
 * have it, or it have any peer, keep and retire ids: quiche 0.18 does that wrong (SECURITY.md).
 */
const noConnectionId = new Uint8Array(0);

/** So long behind the first timeout without an answer, and at each that follows, another is tried. */
const silentMs = 1_000;

/** Where a connection is dialed, and what it stands on. */
export interface Dialing {
  readonly remote: HostPort;
  /** What the server is asked for, and its certificate must be for. */
  readonly serverName: string | undefined;
  readonly certificateName: string;
  readonly contexts: QuicContexts;
  readonly session: SessionOptions;
}

/** What the owner of a {@link DialedSession} is told. */
export interface DialedHandlers {
  /** The handshake is done, and the server is who it should be. */
  onReady(): void;
  /** No more links may be opened on it. */
  onLeaving(): void;
  /** Once, last. @param wasReady - whether the handshake was done before. */
  onOver(reason: MsgError, wasReady: boolean): void;
}

/** A connection that we dialed, with a UDP socket of its own. */
export class DialedSession {
  readonly #dialing: Dialing;
  readonly #handlers: DialedHandlers;
  readonly #target: string;
  #socket: RoamingSocket | undefined;
  #session: QuicSession | undefined;
  #isReady = false;
  #isOver = false;
  #silentSinceMs = 0;

  constructor(dialing: Dialing, handlers: DialedHandlers) {
    this.#dialing = dialing;
    this.#handlers = handlers;
    this.#target = formatTcpAddress(dialing.remote.host, dialing.remote.port);
    const { remote } = dialing;
    const socketHandlers = {
      onDatagram: (datagram: Uint8Array) => this.#onDatagram(datagram),
      onError: (error: Error) => this.#onSocketError(error),
    };
    RoamingSocket.connect(remote, socketHandlers).then(
      (socket) => this.#onSocket(socket),
      (error: unknown) => this.#onFailed(error),
    );
  }

  /** Once it is ready. */
  get session(): QuicSession | undefined {
    return this.#isReady ? this.#session : undefined;
  }

  /** Gives it up. */
  destroy(): void {
    if (this.#session !== undefined) this.#session.destroy();
    else this.#onFailed(new Error("aborted"));
  }

  /** Gives whether it was the peer's, which is asked only when the socket looks for another way. */
  #onDatagram(datagram: Uint8Array): boolean {
    const session = this.#session;
    if (session === undefined) return false;
    if (isGoneNotice(datagram, session.connection)) {
      session.suspect();
      return false;
    }
    const isAsked = this.#socket?.isLooking === true;
    const before = isAsked ? session.connection.stats.receivedPackets : 0;
    session.receive(datagram, this.#dialing.remote);
    return isAsked && session.connection.stats.receivedPackets > before;
  }

  /**
   * Nothing comes back. The server sees another socket as it sees a NAT that has changed the address
   * of its peer, and the connection lives on.
   *
   * @param timeouts - so many in a row. Time in which nothing was asked is no silence.
   */
  #onSilence(timeouts: number): void {
    const now = performance.now();
    if (timeouts === 1) this.#silentSinceMs = now;
    if (this.#isReady && now - this.#silentSinceMs >= silentMs) this.#socket?.look();
  }

  #onSocket(socket: RoamingSocket): void {
    this.#socket = socket;
    if (this.#isOver) return socket.close();
    const { contexts, remote, serverName, session: options } = this.#dialing;
    const context = contexts.dialing(remote.host);
    const connection = context.connect(serverName, noConnectionId, socket.local, remote);
    const owner: SessionOwner = {
      transmit: (length) => socket.transmit(length),
      scratchFor: (bytes) => socket.scratchFor(bytes),
      onEstablished: (session) => this.#onEstablished(session),
      onLink: () => false,
      onUnused: (session) => {
        this.#handlers.onLeaving();
        session.end();
        return undefined;
      },
      onGoAway: () => this.#handlers.onLeaving(),
      onSilence: (timeouts) => this.#onSilence(timeouts),
      onOver: (session, reason) => this.#onSessionOver(session, reason),
    };
    const maxDatagramBytes = contexts.largestTo(remote.host);
    const base = { connection, remoteAddress: this.#target, maxDatagramBytes };
    this.#session = new QuicSession(base, options, owner);
    this.#session.resume();
  }

  #onEstablished(session: QuicSession): MsgError | undefined {
    const { contexts, certificateName } = this.#dialing;
    const verdict = contexts.credentials.judgeServer(session.connection, certificateName);
    if (verdict.refusal !== undefined) {
      const text = `no QUIC with ${this.#target}: ${verdict.refusal.message}`;
      return new MsgError("MSG_DIAL_FAILED", text, { cause: verdict.refusal });
    }
    session.certificate = verdict.certificate;
    this.#isReady = true;
    this.#handlers.onReady();
    return undefined;
  }

  /**
   * Of a connected socket. What the peer's system says of its port is a word about the peer; all
   * else is one about the way to it, such as an address that this host has no more.
   */
  #onSocketError(error: Error): void {
    if (!this.#isReady) return this.#onFailed(error);
    if (hostCodeOf(error) === "ECONNREFUSED") this.#session?.suspect();
    else if (this.#socket?.isLooking === false) this.#socket.look();
  }

  #onFailed(error: unknown): void {
    const text = `no connection to ${this.#target}: ${hostCodeOf(error)}`;
    const reason = new MsgError("MSG_DIAL_FAILED", text, { cause: error });
    if (this.#session === undefined) this.#finish(reason);
    else this.#session.destroy(reason);
  }

  #onSessionOver(session: QuicSession, reason: MsgError | undefined): void {
    const { closed } = session.connection;
    const isKnown = reason !== undefined && reason.code !== "MSG_PEER_LOST";
    this.#finish(isKnown ? dialError(this.#target, reason) : dialFailure(this.#target, closed));
  }

  #finish(reason: MsgError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#socket?.close();
    this.#handlers.onLeaving();
    this.#handlers.onOver(reason, this.#isReady);
  }
}

function dialError(target: string, reason: MsgError): MsgError {
  if (reason.code === "MSG_DIAL_FAILED") return reason;
  const text = `no QUIC with ${target}: ${reason.message}`;
  return new MsgError("MSG_DIAL_FAILED", text, { cause: reason });
}
