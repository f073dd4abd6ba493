/**
 * What a QUIC implementation must do for us. It keeps the state of connections and makes and reads
 * datagrams; it has no sockets and no timers, and never calls back.
 *
 * One engine stands behind it today, `quiche-engine.ts`. Another needs nothing else than these.
 */
export interface QuicEngine {
  /** For error messages. */
  readonly name: string;
  /** No datagram is ever larger. */
  readonly maxDatagramBytes: number;

  /** What both ends of all connections of one kind have in common. */
  createContext(settings: ContextSettings): EngineContext;

  /** What a datagram says in the clear; `undefined` for one that no QUIC packet begins. */
  readHeader(datagram: Uint8Array, connectionIdBytes: number): PacketHeader | undefined;

  /** Tells a peer which versions there are; gives the length of what it wrote. */
  writeVersionNegotiation(header: PacketHeader, into: Uint8Array): number;

  /** Asks a peer to come again with `token`, to the connection id `sourceId`; gives the length. */
  writeRetry(
    header: PacketHeader,
    sourceId: Uint8Array,
    token: Uint8Array,
    into: Uint8Array,
  ): number;
}

/** The kinds of packets that begin a connection or belong to one. */
export type PacketKind = "initial" | "short" | "other";

/** The part of a packet that is not encrypted (RFC 9000, section 17). */
export interface PacketHeader {
  readonly kind: PacketKind;
  readonly version: number;
  readonly isVersionSupported: boolean;
  readonly destinationId: Uint8Array;
  readonly sourceId: Uint8Array;
  readonly token: Uint8Array;
}

/** An IP address, without brackets, and a port. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** What connections of one kind have in common. */
export interface ContextSettings {
  /** Which protocols may be spoken, in order of preference (ALPN). */
  readonly protocols: readonly string[];
  /** PEM, with its chain. */
  readonly certificate: Uint8Array | undefined;
  /** PEM, not encrypted. */
  readonly privateKey: Uint8Array | undefined;
  /** PEM: who may issue the certificate of the peer, if its chain is verified. */
  readonly authorities: Uint8Array | undefined;
  /**
   * `chain`: the peer must show a certificate that the authorities vouch for. `shown`: it must show
   * one, and the caller judges it. `none`: a server is not to ask.
   */
  readonly verify: "chain" | "shown" | "none";
  /** A connection ends when it has received nothing for so long. 0 for never. */
  readonly idleTimeoutMs: number;
  /** How much a peer may send on one stream before it is read. */
  readonly streamWindowBytes: number;
  /** How many bidirectional streams a peer may have open. */
  readonly maxStreams: number;
  /** How many unidirectional streams a peer may have open. */
  readonly maxControlStreams: number;
  /** How large a datagram may become once the path is known to take it. */
  readonly maxDatagramBytes: number;
  /** How many addresses a peer may have had; datagrams from one more are not answered. From 2. */
  readonly maxPaths: number;
}

/** Makes connections of one kind. */
export interface EngineContext {
  /**
   * @param serverName - what the server is asked for, and its certificate must be for when its chain
   *   is verified. `undefined` for an IP address: then the caller compares it.
   */
  connect(
    serverName: string | undefined,
    sourceId: Uint8Array,
    local: HostPort,
    remote: HostPort,
  ): EngineConnection;

  /** @param originalId - what the peer's first packet was sent to, when it was told to come again. */
  accept(
    sourceId: Uint8Array,
    originalId: Uint8Array | undefined,
    local: HostPort,
    remote: HostPort,
  ): EngineConnection;
}

/** Why a connection ended. */
export interface EngineClose {
  /** `application`: a code of ours; `transport`: one of RFC 9000, section 20.1. */
  readonly kind: "application" | "transport" | "idle" | "none";
  readonly code: number;
  readonly reason: string;
  /** True when this end closed it, also because of what the peer did. */
  readonly isLocal: boolean;
}

/** What a connection has seen so far. */
export interface EngineStats {
  readonly receivedPackets: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly lostPackets: number;
  readonly lostBytes: number;
  /** How long an answer takes, smoothed. */
  readonly roundTripMs: number;
  /** How many bytes may be on their way. */
  readonly congestionWindowBytes: number;
}

/** One QUIC connection. */
export interface EngineConnection {
  readonly isEstablished: boolean;
  /** Closed by either end: nothing will be received any more. */
  readonly isClosed: boolean;
  /** True when everything that was sent is known to have arrived or to be lost for good. */
  readonly isAcknowledged: boolean;
  /** What the peer is to find the connection by. */
  readonly destinationId: Uint8Array;
  /** The certificate of the peer and those behind it, DER. */
  readonly peerCertificates: readonly Uint8Array[];
  readonly closed: EngineClose;
  /** How many more streams the peer lets us open. */
  readonly streamsLeft: number;
  readonly stats: EngineStats;

  /**
   * The peer has another address, and has not proven it: what is due must be sent before the next
   * datagram is received.
   */
  readonly mustAnswerNow: boolean;

  /**
   * Takes one datagram. The memory is changed. Never throws: what breaks the connection is in
   * {@link closed}.
   */
  receive(datagram: Uint8Array, from: HostPort): void;

  /** Makes the next datagram, at most as long as `into`; 0 when there is nothing to say. */
  send(into: Uint8Array): number;

  /** Where the datagram of the last {@link send} belongs. */
  readonly destination: HostPort;

  /** After how long {@link onTimeout} is to be called; `undefined` for never. */
  timeoutMs(): number | undefined;
  onTimeout(): void;

  /** Has the peer answer, so that both ends know that the other is there. */
  ping(): void;

  /** Whether any stream has something to be received: bytes, its end, or its failure. */
  readonly isReadable: boolean;
  /** The streams that have. */
  readableStreams(): Iterable<number>;
  isStreamReadable(id: number): boolean;

  /**
   * Copies as much as may be sent now, and gives how much that was.
   *
   * @param isLast - whether the stream ends behind these bytes, once all of them are taken.
   * @throws StreamFailure when the peer does not want it, or the stream is no more.
   */
  streamSend(id: number, bytes: Uint8Array, isLast: boolean): number;

  /**
   * Reads what has arrived into `into`; -1 when nothing has. {@link isStreamEnd} tells whether the
   * stream ends behind it.
   *
   * @throws StreamFailure when the peer gave it up.
   */
  streamReceive(id: number, into: Uint8Array): number;
  readonly isStreamEnd: boolean;

  /** True when both sides have ended it, and all that we sent on it has arrived. */
  isStreamDone(id: number): boolean;

  /** Gives a stream up, both ways. */
  streamReset(id: number, code: number): void;

  /** Begins the end of the connection; the next {@link send} tells the peer. */
  close(kind: "application" | "transport", code: number, reason: string): void;
}

/** A stream that cannot be used any more. */
export class StreamFailure extends Error {
  override readonly name = "StreamFailure";
  /** The code that the peer gave; `undefined` when the stream is unknown. */
  readonly code: number | undefined;

  constructor(message: string, code: number | undefined) {
    super(message);
    this.code = code;
  }
}
