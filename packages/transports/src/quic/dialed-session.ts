import { MsgError } from "@msg-ts/core";
import { hostCodeOf } from "../failures.ts";
import { formatTcpAddress } from "../tcp/tcp-address.ts";
import type { HostPort } from "./engine.ts";
import { isGoneNotice } from "./gone-notice.ts";
import type { QuicContexts } from "./quic-contexts.ts";
import { dialFailure } from "./quic-failures.ts";
import type { SessionOptions, SessionOwner } from "./session-owner.ts";
import { QuicSession } from "./quic-session.ts";
import { UdpSocket } from "./udp-socket.ts";

/**
 * A dialer has a UDP socket for each connection, and needs no id to tell them apart. So no peer can
 * have it, or it have any peer, keep and retire ids: quiche 0.18 does that wrong (SECURITY.md).
 */
const noConnectionId = new Uint8Array(0);

/** After so many timeouts in a row without an answer, and so long, another socket is tried. */
const minTimeouts = 2;
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
  #udp: UdpSocket | undefined;
  #session: QuicSession | undefined;
  #isReady = false;
  #isOver = false;
  #isMoving = false;

  constructor(dialing: Dialing, handlers: DialedHandlers) {
    this.#dialing = dialing;
    this.#handlers = handlers;
    this.#target = formatTcpAddress(dialing.remote.host, dialing.remote.port);
    this.#openSocket().then(
      (udp) => this.#onSocket(udp),
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

  #openSocket(): Promise<UdpSocket> {
    return UdpSocket.connect(this.#dialing.remote, {
      onDatagram: (datagram) => this.#onDatagram(datagram),
      onError: (error) => this.#onSocketError(error),
    });
  }

  #onDatagram(datagram: Uint8Array): void {
    const session = this.#session;
    if (session === undefined) return;
    if (isGoneNotice(datagram, session.connection)) session.suspect();
    else session.receive(datagram, this.#dialing.remote);
  }

  /**
   * Nothing comes back: perhaps the network of this host has changed, and the socket is bound to an
   * address that it has no more. Another one finds the way of now; the server sees that the address
   * of its peer has changed, as behind a NAT, and the connection lives on.
   */
  #onSilence(timeouts: number): void {
    const heardMs = this.#session?.lastHeardMs ?? 0;
    const isSilent = timeouts >= minTimeouts && performance.now() - heardMs >= silentMs;
    if (!this.#isReady || this.#isMoving || !isSilent) return;
    this.#isMoving = true;
    this.#openSocket().then(
      (udp) => {
        this.#isMoving = false;
        void (this.#isOver ? udp : this.#udp)?.close();
        if (!this.#isOver) this.#udp = udp;
      },
      // There is no way at all for now.
      () => {
        this.#isMoving = false;
      },
    );
  }

  #onSocket(udp: UdpSocket): void {
    this.#udp = udp;
    if (this.#isOver) {
      void udp.close();
      return;
    }
    const { contexts, remote, serverName, session: options } = this.#dialing;
    const context = contexts.dialing(remote.host);
    const connection = context.connect(serverName, noConnectionId, udp.local, remote);
    const owner: SessionOwner = {
      transmit: (length, to) => this.#udp?.transmit(length, to) ?? true,
      scratchFor: (bytes) => (this.#udp ?? udp).scratchFor(bytes),
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

  /** Of a connected socket: what the system was told by a router, or by the peer's. */
  #onSocketError(error: Error): void {
    if (this.#isReady) this.#session?.suspect();
    else this.#onFailed(error);
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
    void this.#udp?.close();
    this.#handlers.onLeaving();
    this.#handlers.onOver(reason, this.#isReady);
  }
}

function dialError(target: string, reason: MsgError): MsgError {
  if (reason.code === "MSG_DIAL_FAILED") return reason;
  const text = `no QUIC with ${target}: ${reason.message}`;
  return new MsgError("MSG_DIAL_FAILED", text, { cause: reason });
}
