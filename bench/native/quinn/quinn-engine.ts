/**
 * quinn-proto behind the engine seam of the QUIC transport: the proof that the engine can be
 * exchanged. See README.md beside it for what it cannot do.
 */
import { Buffer } from "node:buffer";
import type {
  ContextSettings,
  EngineClose,
  EngineConnection,
  EngineContext,
  EngineStats,
  HostPort,
  PacketHeader,
  QuicEngine,
} from "../../../packages/transports/src/quic/engine.ts";
import { StreamFailure } from "../../../packages/transports/src/quic/engine.ts";
import type { Addon, AddonConnection, AddonContext, AddonOptions } from "./quinn-addon.ts";
import { loadAddon } from "./quinn-addon.ts";

/** RFC 9000, section 15. */
const version1 = 1;

/** What a datagram to loopback may have; quinn itself would take more. */
const largestDatagramBytes = 16_383;

/** How it is to behave where the seam leaves it open. */
export interface QuinnEngineOptions {
  readonly congestion: "cubic" | "bbr";
}

/** @throws Error when the addon is not built. */
export function quinnEngine(options: QuinnEngineOptions): QuicEngine {
  return new QuinnEngine(loadAddon(), options);
}

class QuinnEngine implements QuicEngine {
  readonly name: string = "quinn";
  readonly maxDatagramBytes: number = largestDatagramBytes;
  readonly #addon: Addon;
  readonly #options: QuinnEngineOptions;

  constructor(addon: Addon, options: QuinnEngineOptions) {
    this.#addon = addon;
    this.#options = options;
  }

  createContext(settings: ContextSettings): EngineContext {
    return new QuinnEngineContext(this.#addon, settings, this.#options);
  }

  /** RFC 8999, section 5.1, and RFC 9000, section 17.2.2. Short headers are the caller's to tell. */
  readHeader(datagram: Uint8Array): PacketHeader | undefined {
    const bytes = Buffer.from(datagram.buffer, datagram.byteOffset, datagram.byteLength);
    const destinationAt = 6;
    const destinationBytes = bytes[5] ?? 0;
    const sourceAt = destinationAt + destinationBytes + 1;
    const sourceBytes = bytes[sourceAt - 1] ?? 0;
    const tokenAt = sourceAt + sourceBytes;
    if (tokenAt >= bytes.length) return undefined;
    const version = bytes.readUInt32BE(1);
    const isInitial = version === version1 && ((bytes[0] ?? 0) & 0xf0) === 0xc0;
    return {
      kind: isInitial ? "initial" : "other",
      version,
      isVersionSupported: version === version1,
      destinationId: bytes.subarray(destinationAt, destinationAt + destinationBytes),
      sourceId: bytes.subarray(sourceAt, tokenAt),
      token: isInitial ? tokenOf(bytes, tokenAt) : new Uint8Array(0),
    };
  }

  /** RFC 9000, section 17.2.1. */
  writeVersionNegotiation({ sourceId, destinationId }: PacketHeader, into: Uint8Array): number {
    const packet = Buffer.concat([
      Buffer.of(0x80, 0, 0, 0, 0, sourceId.length),
      sourceId,
      Buffer.of(destinationId.length),
      destinationId,
      Buffer.of(0, 0, 0, version1),
    ]);
    into.set(packet);
    return packet.length;
  }

  writeRetry(): number {
    throw new Error("quinn makes its own tokens, which this seam has no place for");
  }
}

/** A length in one or two bytes (RFC 9000, section 16), and the token. */
function tokenOf(bytes: Buffer, at: number): Uint8Array {
  const first = bytes[at] ?? 0;
  const isLong = first >> 6 === 1;
  const length = isLong ? ((first & 0x3f) << 8) | (bytes[at + 1] ?? 0) : first;
  const start = at + (isLong ? 2 : 1);
  return bytes.subarray(start, start + length);
}

function textOf(pem: Uint8Array | undefined): string | undefined {
  return pem && Buffer.from(pem).toString();
}

class QuinnEngineContext implements EngineContext {
  readonly #addon: Addon;
  readonly #options: AddonOptions;
  #client: AddonContext | undefined;
  #server: AddonContext | undefined;

  constructor(addon: Addon, settings: ContextSettings, { congestion }: QuinnEngineOptions) {
    this.#addon = addon;
    this.#options = {
      protocols: settings.protocols,
      certificate: textOf(settings.certificate),
      privateKey: textOf(settings.privateKey),
      authorities: textOf(settings.authorities),
      verify: settings.verify,
      idleTimeoutMs: settings.idleTimeoutMs,
      streamWindowBytes: settings.streamWindowBytes,
      maxStreams: settings.maxStreams,
      maxControlStreams: settings.maxControlStreams,
      maxDatagramBytes: settings.maxDatagramBytes,
      congestion,
    };
  }

  connect(
    serverName: string | undefined,
    sourceId: Uint8Array,
    _local: HostPort,
    remote: HostPort,
  ): EngineConnection {
    const { host, port } = remote;
    this.#client ??= new this.#addon.QuinnContext(this.#options, false);
    const connection = this.#client.connect(serverName ?? host, sourceId, host, port);
    return new QuinnEngineConnection(connection, remote);
  }

  accept(
    sourceId: Uint8Array,
    _originalId: Uint8Array | undefined,
    _local: HostPort,
    remote: HostPort,
  ): EngineConnection {
    this.#server ??= new this.#addon.QuinnContext(this.#options, true);
    return new QuinnEngineConnection(this.#server.accept(sourceId), remote);
  }
}

class QuinnEngineConnection implements EngineConnection {
  readonly #connection: AddonConnection;
  #remote: HostPort;

  constructor(connection: AddonConnection, remote: HostPort) {
    this.#connection = connection;
    this.#remote = remote;
  }

  get isEstablished(): boolean {
    return this.#connection.isEstablished;
  }

  get isClosed(): boolean {
    return this.#connection.isClosed;
  }

  /** quinn keeps its questions for a new address by itself, however many datagrams come meanwhile. */
  get mustAnswerNow(): boolean {
    return false;
  }

  get isAcknowledged(): boolean {
    return this.#connection.isAcknowledged;
  }

  get protocol(): string {
    return this.#connection.protocol;
  }

  get peerCertificates(): readonly Uint8Array[] {
    return this.#connection.peerCertificates;
  }

  get closed(): EngineClose {
    return this.#connection.closed as EngineClose;
  }

  /** quinn does not tell it: a listener that knows the connection no more cannot say so. */
  get destinationId(): Uint8Array {
    return new Uint8Array(0);
  }

  /** quinn does not tell: opening one too many fails instead. */
  get streamsLeft(): number {
    return 1;
  }

  /** quinn does not count the datagram that a connection began with. */
  get stats(): EngineStats {
    const { stats } = this.#connection;
    return { ...stats, receivedPackets: stats.receivedPackets + 1 };
  }

  get destination(): HostPort {
    return this.#remote;
  }

  get isStreamEnd(): boolean {
    return this.#connection.isStreamEnd;
  }

  receive(datagram: Uint8Array, from: HostPort): void {
    this.#remote = from;
    this.#connection.receive(datagram, from.host, from.port);
  }

  /** quinn decides by itself how large a datagram is: it is given all the memory that there is. */
  send(into: Uint8Array): number {
    return this.#connection.send(new Uint8Array(into.buffer, into.byteOffset));
  }

  timeoutMs(): number | undefined {
    const left = this.#connection.timeoutMs();
    return left < 0 ? undefined : left;
  }

  onTimeout(): void {
    this.#connection.onTimeout();
  }

  ping(): void {
    this.#connection.ping();
  }

  get isReadable(): boolean {
    return this.#connection.isReadable;
  }

  isStreamReadable(id: number): boolean {
    return this.#connection.isStreamReadable(id);
  }

  readableStreams(): Iterable<number> {
    return this.#connection.readableStreams();
  }

  streamSend(id: number, bytes: Uint8Array, isLast: boolean): number {
    try {
      return this.#connection.streamSend(id, bytes, isLast);
    } catch (error) {
      throw failureOf(error);
    }
  }

  streamReceive(id: number, into: Uint8Array): number {
    try {
      return this.#connection.streamReceive(id, into);
    } catch (error) {
      throw failureOf(error);
    }
  }

  /** Its end may wait unread: the peer also tells it beside the stream. */
  isStreamDone(id: number): boolean {
    if (this.#connection.isStreamReadable(id)) this.#readEnd(id);
    return this.#connection.isStreamDone(id);
  }

  #readEnd(id: number): void {
    try {
      this.#connection.streamReceive(id, new Uint8Array(1));
    } catch {
      // It was given up, and so it is done.
    }
  }

  streamReset(id: number, code: number): void {
    this.#connection.streamReset(id, code);
  }

  /** quinn closes with codes of the application alone. */
  close(_kind: "application" | "transport", code: number, reason: string): void {
    this.#connection.close(code, reason);
  }
}

function failureOf(error: unknown): StreamFailure {
  const text = error instanceof Error ? error.message : String(error);
  const [, code] = /^(?:Stopped|Reset): (\d+)/.exec(text) ?? [];
  return new StreamFailure(text, code === undefined ? undefined : Number(code));
}
