import { Buffer } from "node:buffer";
import type { ListenerHandlers, MsgError } from "@msg-ts/core";
import { formatTcpAddress } from "../tcp/tcp-address.ts";
import { nodeCrypto } from "../node-tls.ts";
import { Admission } from "./admission.ts";
import type { HostPort, PacketHeader, QuicEngine } from "./engine.ts";
import type { QuicContexts } from "./quic-contexts.ts";
import { HandshakeQueue } from "./handshake-queue.ts";
import { goneNotice, minAnsweredBytes } from "./gone-notice.ts";
import { initialClose } from "./initial-close.ts";
import { refusalFailure } from "./quic-failures.ts";
import type { ResolvedQuicOptions } from "./quic-options.ts";
import type { SessionOptions, SessionOwner } from "./session-owner.ts";
import { QuicSession } from "./quic-session.ts";
import { RetryTokens } from "./retry-tokens.ts";
import { Settling } from "../settling.ts";
import type { StreamLink } from "./stream-link.ts";
import { UdpSocket } from "./udp-socket.ts";

const connectionIdBytes = 16;

/** RFC 9000, section 14.1: a first datagram that is shorter is not from a peer that keeps the rules. */
const minFirstBytes = 1_200;

/** The first byte, the id and the least that is encrypted. */
const minPacketBytes = 21;

/** RFC 9000, section 17.2. */
const maxIdBytes = 20;

/** Transport error of RFC 9000, section 20.1: CONNECTION_REFUSED. */
const connectionRefused = 0x02;

/** Whoever forges addresses is not to have many answers sent there. */
const maxAnswersPerSecond = 1_000;

/** What an endpoint stands on. */
export interface EndpointSetup {
  readonly engine: QuicEngine;
  readonly options: ResolvedQuicOptions;
  readonly session: SessionOptions;
  /** Asked at each handshake: certificates may change. */
  readonly contexts: () => QuicContexts;
}

interface Accepted {
  readonly session: QuicSession;
  /** Where it stays, whatever its datagrams say; `undefined` when it may move. */
  readonly fixed: HostPort | undefined;
  readonly host: string;
  ids: readonly string[];
  isHandshaking: boolean;
  hadLink: boolean;
}

/**
 * A UDP socket that QUIC connections come to. It lives as long as somebody listens on it, or a
 * connection that came to it lives.
 */
export class QuicEndpoint {
  readonly address: string;
  readonly #setup: EndpointSetup;
  readonly #udp: UdpSocket;
  readonly #admission: Admission;
  readonly #tokens: RetryTokens = new RetryTokens();
  readonly #handshakes: HandshakeQueue = new HandshakeQueue((datagram, from) =>
    this.#onTurn(datagram, from),
  );
  readonly #byId: Map<string, Accepted> = new Map();
  readonly #accepted: Map<QuicSession, Accepted> = new Map();
  readonly #settling: Settling<Accepted> = new Settling();
  readonly #onClosed: (endpoint: QuicEndpoint) => void;
  readonly #owner: SessionOwner;
  #handlers: ListenerHandlers | undefined;
  #closing: Promise<void> | undefined;
  #onFree: () => void = () => {};
  /** Resolves when the address is free. */
  readonly #free: Promise<void> = new Promise((resolve) => {
    this.#onFree = resolve;
  });
  #answerSecond = 0;
  #answers = 0;

  private constructor(setup: EndpointSetup, udp: UdpSocket, onClosed: () => void) {
    this.#setup = setup;
    this.#udp = udp;
    this.#admission = new Admission(setup.options);
    this.#onClosed = onClosed;
    this.address = formatTcpAddress(udp.local.host, udp.local.port);
    this.#owner = {
      transmit: (length, to) => udp.transmit(length, to),
      scratchFor: (bytes) => udp.scratchFor(bytes),
      onEstablished: (session) => this.#onEstablished(session),
      onLink: (session, link) => this.#onLink(session, link),
      onUnused: (session) => this.#onUnused(session),
      onGoAway: () => {},
      onSilence: () => {},
      onOver: (session, reason) => this.#onOver(session, reason),
    };
  }

  /** An error of the host rejects. @param onClosed - its address is free again. */
  static async open(
    setup: EndpointSetup,
    local: HostPort,
    onClosed: (endpoint: QuicEndpoint) => void,
  ): Promise<QuicEndpoint> {
    const udp = await UdpSocket.bind(local, {
      onDatagram: (datagram, from) => endpoint.#onDatagram(datagram, from),
      // A bound socket is told of nothing that would be about one peer.
      onError: () => {},
    });
    const endpoint: QuicEndpoint = new QuicEndpoint(setup, udp, () => onClosed(endpoint));
    return endpoint;
  }

  get isListening(): boolean {
    return this.#handlers !== undefined;
  }

  /** Resolves when its address is free again; `undefined` as long as it is in use. */
  get closing(): Promise<void> | undefined {
    return this.#closing;
  }

  listen(handlers: ListenerHandlers): void {
    this.#handlers = handlers;
  }

  /**
   * Waits until every connection that has begun had a first link, so long at most: its peer sends
   * the last words of the handshake, and may have opened the link with them.
   */
  settle(withinMs: number): Promise<void> {
    const begun = Array.from(this.#accepted.values()).filter(({ hadLink }) => !hadLink);
    return this.#settling.wait(begun, withinMs);
  }

  /** Takes no more links. Resolves when the address can be listened on again. */
  async stop(handlers: ListenerHandlers): Promise<void> {
    if (this.#handlers !== handlers) return;
    this.#handlers = undefined;
    this.#settling.clear();
    for (const { session, isHandshaking } of this.#accepted.values()) {
      if (isHandshaking) session.destroy();
      else if (session.linkCount === 0) session.end();
      else session.goAway();
    }
    if (this.#accepted.size === 0) this.#close();
    if (!this.#hasLinks) await this.#free;
  }

  /** Links that live keep the address, and nothing else does for long. */
  get #hasLinks(): boolean {
    for (const { session } of this.#accepted.values()) if (session.linkCount > 0) return true;
    return false;
  }

  #close(): void {
    this.#handshakes.clear();
    this.#closing ??= this.#udp.close().then(() => {
      this.#onClosed(this);
      this.#onFree();
    });
  }

  #onDatagram(datagram: Buffer, from: HostPort): void {
    const id = destinationOf(datagram);
    if (id === undefined) return;
    const accepted = this.#byId.get(id);
    if (accepted?.isHandshaking === true) this.#handshakes.push(datagram, from, true);
    else if (accepted !== undefined) accepted.session.receive(datagram, accepted.fixed ?? from);
    else if (isLong(datagram)) {
      if (datagram.length >= minFirstBytes) this.#handshakes.push(datagram, from, false);
    } else if (datagram.length >= minAnsweredBytes && this.#mayAnswer()) {
      this.#udp.send(goneNotice(datagram.subarray(1, 1 + connectionIdBytes)), from);
    }
  }

  /** The connection of a datagram may have begun, or ended, while it waited. */
  #onTurn(datagram: Buffer, from: HostPort): void {
    if (this.#closing !== undefined) return;
    const accepted = this.#byId.get(destinationOf(datagram) ?? "");
    if (accepted === undefined) {
      if (isLong(datagram) && datagram.length >= minFirstBytes) this.#onStranger(datagram, from);
    } else accepted.session.receive(datagram, accepted.fixed ?? from);
  }

  /** The first datagram of a connection, or anything. */
  #onStranger(datagram: Buffer, from: HostPort): void {
    const header = this.#setup.engine.readHeader(datagram, connectionIdBytes);
    if (header === undefined) return;
    if (!header.isVersionSupported) {
      const into = Buffer.alloc(minFirstBytes);
      const length = this.#setup.engine.writeVersionNegotiation(header, into);
      return this.#udp.send(into.subarray(0, length), from);
    }
    if (header.kind !== "initial") return;
    if (this.#setup.session.isShared && header.sourceId.length > 0) {
      return this.#turnAway(header, from, "a dialer has no connection id");
    }
    if (this.#handlers === undefined) return this.#turnAway(header, from, "nobody listens here");
    const refusal = this.#admission.refusalOf(from.host);
    if (refusal !== undefined) {
      this.#handlers.onRefused(nameOf(from), refusal);
      return this.#turnAway(header, from, "too many connections");
    }
    this.#onInitial(header, datagram, from);
  }

  #onInitial(header: PacketHeader, datagram: Buffer, from: HostPort): void {
    const { engine, contexts } = this.#setup;
    let sourceId: Uint8Array = nodeCrypto().randomBytes(connectionIdBytes);
    let originalId: Uint8Array | undefined;
    if (this.#admission.isRetryNeeded) {
      if (header.token.length === 0) {
        const token = this.#tokens.seal(from, header.destinationId, sourceId);
        const into = Buffer.alloc(minFirstBytes);
        const length = engine.writeRetry(header, sourceId, token, into);
        return this.#udp.send(into.subarray(0, length), from);
      }
    }
    if (header.token.length > 0) {
      const token = this.#tokens.open(from, header.token);
      // One that is sent again may not have the id of the connection that it was made for.
      if (token === undefined || !token.sourceId.equals(header.destinationId)) return;
      ({ originalId, sourceId } = token);
    }
    const { local } = this.#udp;
    const context = contexts();
    const connection = context.listening(from.host).accept(sourceId, originalId, local, from);
    connection.receive(datagram, from);
    // Nothing in it was encrypted by somebody who keeps the rules, and it broke none that a peer
    // must be told of: it leaves no trace.
    if (connection.stats.receivedPackets === 0 && connection.closed.code < 0x100) return;
    const maxDatagramBytes = context.largestTo(from.host);
    const base = { connection, remoteAddress: nameOf(from), maxDatagramBytes };
    const session = new QuicSession(base, this.#setup.session, this.#owner);
    const ids = [sourceId, header.destinationId].map((id) => latin1(id));
    // Clients of msg-rs have connection ids, which must not be retired while there are two paths.
    const fixed = this.#setup.session.isShared ? undefined : from;
    const state = { isHandshaking: true, hadLink: false };
    const accepted: Accepted = { session, fixed, host: from.host, ids, ...state };
    for (const id of ids) this.#byId.set(id, accepted);
    this.#accepted.set(session, accepted);
    this.#admission.onAccepted(from.host);
    session.resume();
  }

  /** Tells a peer at once that it need not try. */
  #turnAway(header: PacketHeader, from: HostPort, why: string): void {
    if (this.#mayAnswer()) this.#udp.send(initialClose(header, connectionRefused, why), from);
  }

  /** Whether a datagram may be answered that belongs to no connection. */
  #mayAnswer(): boolean {
    const second = Math.floor(performance.now() / 1_000);
    if (second !== this.#answerSecond) this.#answers = 0;
    this.#answerSecond = second;
    this.#answers += 1;
    return this.#answers <= maxAnswersPerSecond;
  }

  #onEstablished(session: QuicSession): MsgError | undefined {
    const accepted = this.#accepted.get(session);
    if (accepted === undefined || !accepted.isHandshaking) return undefined;
    accepted.isHandshaking = false;
    this.#admission.onHandshakeDone();
    // What the peer's first packets were sent to is used no more; behind a retry that was ours.
    const [own, first] = accepted.ids;
    if (own !== undefined) accepted.ids = [own];
    if (first !== undefined && first !== own) this.#byId.delete(first);
    const verdict = this.#setup.contexts().credentials.judgeClient(session.connection);
    if (verdict.refusal === undefined) {
      session.certificate = verdict.certificate;
      return undefined;
    }
    this.#handlers?.onRefused(session.remoteAddress, verdict.refusal);
    return verdict.refusal;
  }

  #onLink(session: QuicSession, link: StreamLink): boolean {
    if (this.#handlers === undefined) return false;
    this.#handlers.onLink(link);
    const accepted = this.#accepted.get(session);
    if (accepted !== undefined) {
      accepted.hadLink = true;
      this.#settling.settled(accepted);
    }
    return true;
  }

  /** Nobody is told that the last link is closed before the address is free again. */
  #onUnused(session: QuicSession): Promise<void> | undefined {
    if (this.#handlers !== undefined && this.#setup.session.isShared) return undefined;
    session.end();
    return this.#handlers === undefined && !this.#hasLinks ? this.#free : undefined;
  }

  #onOver(session: QuicSession, reason: MsgError | undefined): void {
    const accepted = this.#accepted.get(session);
    if (accepted === undefined) return;
    this.#accepted.delete(session);
    this.#settling.settled(accepted);
    for (const id of accepted.ids) this.#byId.delete(id);
    if (accepted.isHandshaking) {
      this.#admission.onHandshakeDone();
      const isOwn = reason?.code === "MSG_HANDSHAKE_TIMEOUT";
      const error = isOwn ? reason : refusalFailure(session.connection.closed);
      this.#handlers?.onRefused(session.remoteAddress, error);
    }
    this.#admission.onOver(accepted.host);
    if (this.#handlers === undefined && this.#accepted.size === 0) this.#close();
  }
}

function isLong(datagram: Buffer): boolean {
  return ((datagram[0] ?? 0) & 0x80) !== 0;
}

/** The connection id that a datagram is for; `undefined` when it cannot be one of QUIC. */
function destinationOf(datagram: Buffer): string | undefined {
  if (datagram.length < minPacketBytes) return undefined;
  const idBytes = isLong(datagram) ? (datagram[5] ?? 0) : connectionIdBytes;
  const idAt = isLong(datagram) ? 6 : 1;
  if (idBytes > maxIdBytes || idAt + idBytes > datagram.length) return undefined;
  return datagram.toString("latin1", idAt, idAt + idBytes);
}

function latin1(id: Uint8Array): string {
  return String.fromCharCode(...id);
}

/** An IPv4 peer of a listener on all interfaces comes as an IPv6 address of its own form. */
function nameOf({ host, port }: HostPort): string {
  return formatTcpAddress(host.replace(/^::ffff:(?=[\d.]+$)/, ""), port);
}
