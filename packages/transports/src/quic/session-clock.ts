/**
 * How long a connection that ends waits for its last words to be acknowledged. What its links sent
 * was, before they were told to be closed; the peer also understands the end of the connection.
 */
const maxLingerMs = 1_000;

/** How long a peer that seems to be gone has to answer, at least. */
const minSuspicionMs = 200;

/** When the system's queue of datagrams is full, it is looked again so much later. */
const fullQueueMs = 1;

/** When a session does what. */
export interface SessionTimes {
  readonly isDialer: boolean;
  readonly keepAliveMs: number;
  readonly handshakeTimeoutMs: number;
}

/** Somebody who wants to know whether the peer is still there. */
export type AnswerHandler = (isAlive: boolean) => void;

interface Suspicion {
  readonly receivedPackets: number;
  readonly byMs: number;
  readonly handlers: AnswerHandler[];
}

/**
 * The one timer of a session, and all that it is for. Times are those of `performance.now()`;
 * `Infinity` is never.
 *
 * What is due later than the timer leaves it as it is: it looks again when it fires, so that a busy
 * connection sets none for each datagram.
 */
export class SessionClock {
  readonly #times: SessionTimes;
  readonly #onTimer: () => void;
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs = Infinity;
  #handshakeByMs: number;
  #linklessByMs = Infinity;
  #endByMs = Infinity;
  #sendAgainAtMs = Infinity;
  #isKeptAlive = false;
  #lastHeardMs: number = performance.now();
  #lastPingMs: number = this.#lastHeardMs;
  #suspicion: Suspicion | undefined;

  constructor(times: SessionTimes, onTimer: () => void) {
    this.#times = times;
    this.#handshakeByMs = this.#lastHeardMs + times.handshakeTimeoutMs;
    this.#onTimer = () => {
      this.#timer = undefined;
      onTimer();
    };
  }

  /** When anything came from the peer. */
  get lastHeardMs(): number {
    return this.#lastHeardMs;
  }

  get isSuspicious(): boolean {
    return this.#suspicion !== undefined;
  }

  onHeard(now: number): void {
    this.#lastHeardMs = now;
  }

  /** From now on the peer is asked for signs of life. */
  onHandshakeDone(): void {
    this.#handshakeByMs = Infinity;
    this.#isKeptAlive = true;
  }

  /** A peer that dialed us, and opens no link, is not kept for long. */
  onLinkless(now: number): void {
    if (!this.#times.isDialer) this.#linklessByMs = now + this.#times.handshakeTimeoutMs;
  }

  onLink(): void {
    this.#linklessByMs = Infinity;
  }

  /** The session ends as soon as all is acknowledged, or at {@link isEndOverdue}. */
  onEnding(now: number): void {
    this.#isKeptAlive = false;
    this.#linklessByMs = Infinity;
    this.#endByMs = now + maxLingerMs;
  }

  /** There is more to send than the system takes now. */
  sendAgainSoon(now: number): void {
    this.#sendAgainAtMs = now + fullQueueMs;
  }

  onSent(): void {
    this.#sendAgainAtMs = Infinity;
  }

  isHandshakeOverdue(now: number): boolean {
    return now >= this.#handshakeByMs;
  }

  isLinkOverdue(now: number): boolean {
    return now >= this.#linklessByMs;
  }

  isEndOverdue(now: number): boolean {
    return now >= this.#endByMs;
  }

  /** True when the peer is to be asked for a sign of life; then not again for a while. */
  takePing(now: number): boolean {
    if (now < this.#pingAtMs) return false;
    this.#lastPingMs = now;
    return true;
  }

  /** Something says that the peer may be gone. It is, if nothing comes within four round trips. */
  suspect(receivedPackets: number, roundTripMs: number, handler?: AnswerHandler): void {
    const byMs = performance.now() + Math.max(minSuspicionMs, roundTripMs * 4);
    this.#suspicion ??= { receivedPackets, byMs, handlers: [] };
    if (handler !== undefined) this.#suspicion.handlers.push(handler);
  }

  /** Something came while the peer was suspected: what it was counts only if it was the peer's. */
  clear(receivedPackets: number): void {
    const suspicion = this.#suspicion;
    if (suspicion === undefined || receivedPackets <= suspicion.receivedPackets) return;
    this.#suspicion = undefined;
    for (const handler of suspicion.handlers) handler(true);
  }

  isPeerGone(now: number): boolean {
    return this.#suspicion !== undefined && now >= this.#suspicion.byMs;
  }

  /** @param engineMs - in how long the engine wants to be called. */
  arm(engineMs: number | undefined): void {
    const now = performance.now();
    // The engine gives whole milliseconds, rounded down.
    const engineAtMs = engineMs === undefined ? Infinity : now + engineMs + 1;
    const atMs = Math.min(engineAtMs, this.#ownAtMs);
    if (this.#timer !== undefined && atMs >= this.#timerAtMs - 1) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (atMs === Infinity) return;
    this.#timerAtMs = atMs;
    this.#timer = setTimeout(this.#onTimer, Math.max(1, Math.ceil(atMs - now)));
  }

  /** The session is over. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const handlers = this.#suspicion?.handlers ?? [];
    this.#suspicion = undefined;
    for (const handler of handlers) handler(false);
  }

  get #ownAtMs(): number {
    return Math.min(
      this.#handshakeByMs,
      this.#linklessByMs,
      this.#endByMs,
      this.#sendAgainAtMs,
      this.#pingAtMs,
      this.#suspicion?.byMs ?? Infinity,
    );
  }

  /** One end is enough: the acceptor leaves it to the dialer as long as that does it. */
  get #pingAtMs(): number {
    if (!this.#isKeptAlive) return Infinity;
    const { keepAliveMs, isDialer } = this.#times;
    const everyMs = isDialer ? keepAliveMs : keepAliveMs * 1.5;
    return Math.max(this.#lastHeardMs, this.#lastPingMs) + everyMs;
  }
}
