import { Buffer } from "node:buffer";
import type { EngineClose, EngineConnection, EngineStats, HostPort } from "./engine.ts";
import { StreamFailure } from "./engine.ts";
import type { QuicheBinding, QuicheConnection, QuicheError } from "./quiche-binding.ts";

/** quiche rounds the time that is left down. */
const timerSlackMs = 30;

/** One connection of quiche. */
export class QuicheEngineConnection implements EngineConnection {
  readonly #quiche: QuicheBinding;
  readonly #connection: QuicheConnection;
  /** One object for all datagrams: the binding reads it at once. */
  readonly #path: { from: HostPort; readonly to: HostPort };
  #hasMoved = false;
  #idleTimeoutMs: number;
  #isIdleTimeoutKnown = false;
  #lastMoveMs: number = performance.now();
  #to: HostPort;
  #isStreamEnd = false;

  constructor(
    quiche: QuicheBinding,
    connection: QuicheConnection,
    local: HostPort,
    idleTimeoutMs: number,
  ) {
    this.#quiche = quiche;
    this.#connection = connection;
    this.#path = { from: local, to: local };
    this.#to = local;
    this.#idleTimeoutMs = idleTimeoutMs;
  }

  get isEstablished(): boolean {
    return this.#connection.isEstablished();
  }

  get isClosed(): boolean {
    return this.#connection.isClosed() || this.#connection.isDraining();
  }

  /**
   * quiche has no call for it, but while something is on its way its timer is the one of loss
   * detection, and else the one of the idle timeout.
   */
  get isAcknowledged(): boolean {
    const left = this.#connection.timeout();
    if (left === null) return true;
    const idleMs = this.#agreedIdleTimeoutMs();
    return idleMs > 0 && left >= idleMs - (performance.now() - this.#lastMoveMs) - timerSlackMs;
  }

  get destinationId(): Uint8Array {
    return this.#connection.destinationId();
  }

  get peerCertificates(): readonly Uint8Array[] {
    return this.#connection.peerCertChain() ?? [];
  }

  get closed(): EngineClose {
    const connection = this.#connection;
    if (connection.isTimedOut()) return { kind: "idle", code: 0, reason: "", isLocal: true };
    const peerError = connection.peerError();
    const error = peerError ?? connection.localError();
    if (error === null) return { kind: "none", code: 0, reason: "", isLocal: true };
    return closeOf(error, peerError === null);
  }

  get streamsLeft(): number {
    return this.#connection.peerStreamsLeftBidi();
  }

  get stats(): EngineStats {
    const { recv, recvBytes, sentBytes, lost, lostBytes } = this.#connection.stats();
    const paths = this.#connection.pathStats();
    const path = paths.find(({ active }) => active) ?? paths[0];
    return {
      receivedPackets: recv,
      receivedBytes: recvBytes,
      sentBytes,
      lostPackets: lost,
      lostBytes,
      roundTripMs: path?.rtt ?? 0,
      congestionWindowBytes: path?.cwnd ?? 0,
    };
  }

  get destination(): HostPort {
    return this.#to;
  }

  get isStreamEnd(): boolean {
    return this.#isStreamEnd;
  }

  get mustAnswerNow(): boolean {
    return this.#hasMoved && !this.#isProven();
  }

  receive(datagram: Uint8Array, from: HostPort): void {
    const { from: last } = this.#path;
    this.#hasMoved ||= last !== this.#path.to && !isSame(last, from);
    this.#path.from = from;
    try {
      this.#connection.recv(datagram, this.#path);
    } catch {
      // What broke the connection is its local error; a packet that was none is nothing to us.
    }
    this.#lastMoveMs = performance.now();
  }

  send(into: Uint8Array): number {
    let sent: [number, { readonly to: HostPort }] | null;
    try {
      sent = this.#connection.send(into);
      // A former path whose probe has no room left holds back what is for the present one.
      if (sent === null && this.#hasMoved) {
        sent = this.#connection.sendOnPath(into, this.#path.to, this.#path.from);
      }
    } catch {
      return 0;
    }
    if (sent === null) return 0;
    this.#lastMoveMs = performance.now();
    const [length, { to }] = sent;
    this.#to = to;
    return length;
  }

  #isProven(): boolean {
    try {
      return this.#connection.isPathValidated(this.#path.to, this.#path.from);
    } catch {
      // It does not know the path: there were too many.
      return true;
    }
  }

  timeoutMs(): number | undefined {
    return this.#connection.timeout() ?? undefined;
  }

  onTimeout(): void {
    this.#connection.onTimeout();
  }

  ping(): void {
    this.#connection.sendAckEliciting();
  }

  get isReadable(): boolean {
    return this.#connection.isReadable();
  }

  isStreamReadable(id: number): boolean {
    return this.#connection.streamReadable(id);
  }

  readableStreams(): Iterable<number> {
    return this.#connection.readable();
  }

  streamSend(id: number, bytes: Uint8Array, isLast: boolean): number {
    try {
      return this.#connection.streamSend(id, bytes, isLast) ?? 0;
    } catch (error) {
      throw failureOf(error);
    }
  }

  streamReceive(id: number, into: Uint8Array): number {
    this.#isStreamEnd = false;
    let received: [number, boolean] | null;
    try {
      received = this.#connection.streamRecv(id, into);
    } catch (error) {
      const failure = failureOf(error);
      if (failure.code === undefined) return -1;
      throw failure;
    }
    if (received === null) return -1;
    const [length, isEnd] = received;
    this.#isStreamEnd = isEnd;
    return length;
  }

  /** It forgets a stream at this very moment. */
  isStreamDone(id: number): boolean {
    try {
      this.#connection.streamCapacity(id);
      return false;
    } catch {
      return true;
    }
  }

  streamReset(id: number, code: number): void {
    const { Read, Write } = this.#quiche.Shutdown;
    for (const direction of [Read, Write]) {
      try {
        this.#connection.streamShutdown(id, direction, code);
      } catch {
        // That direction has ended.
      }
    }
  }

  close(kind: "application" | "transport", code: number, reason: string): void {
    try {
      this.#connection.close(kind === "application", code, Buffer.from(reason));
    } catch {
      // It was closed before.
    }
  }

  #agreedIdleTimeoutMs(): number {
    if (!this.#isIdleTimeoutKnown && this.#connection.isEstablished()) {
      this.#isIdleTimeoutKnown = true;
      const peerMs = this.#connection.stats().peerMaxIdleTimeout;
      if (this.#idleTimeoutMs === 0) this.#idleTimeoutMs = peerMs;
      else if (peerMs > 0) this.#idleTimeoutMs = Math.min(this.#idleTimeoutMs, peerMs);
    }
    return this.#idleTimeoutMs;
  }
}

function closeOf(error: QuicheError, isLocal: boolean): EngineClose {
  const reason = Buffer.from(error.reason).toString();
  return {
    kind: error.isApp ? "application" : "transport",
    code: error.errorCode,
    reason,
    isLocal,
  };
}

/** quiche's errors come as text: a name and, in parentheses, the code or the stream. */
function failureOf(error: unknown): StreamFailure {
  const text = error instanceof Error ? error.message : String(error);
  const [, code] = /^Stream(?:Stopped|Reset)\((\d+)\)/.exec(text) ?? [];
  return new StreamFailure(text, code === undefined ? undefined : Number(code));
}

function isSame(one: HostPort, other: HostPort): boolean {
  return one.port === other.port && one.host === other.host;
}
