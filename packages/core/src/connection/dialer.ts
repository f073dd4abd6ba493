import type { Link, Transport } from "../contracts/transport.ts";
import { MsgError } from "../errors.ts";
import type { Runtime, TimerHandle } from "../runtime.ts";
import type { Connection } from "./connection.ts";
import type { DialerEvent, DialerState } from "./dialer-state.ts";
import { firstDialerState, nextDialerState } from "./dialer-state.ts";
import type { ResolvedReconnectOptions } from "./reconnect-options.ts";
import { retryDelayMs } from "./reconnect-options.ts";

/** A connection that was let in and lived this long is a success even if it brought nothing. */
const provenAfterMs = 5_000;

/** What a refusal adds to the wait: it is an answer, and will be the same a moment later. */
const refusedMinDelayMs = 1_000;

/**
 * After connections that ended before a byte came, a new one is fed only when it survived this:
 * what such a server does not read must not be lost in it.
 */
const probationMs = 100;

const refusals = new Set([
  "MSG_AUTH_REJECTED",
  "MSG_AUTH_FAILED",
  "MSG_WRONG_SOCKET_TYPE",
  "MSG_PROTOCOL",
  "MSG_TOO_MANY_PEERS",
]);

/** What a dialer needs: one object for all of a socket. */
export interface DialerOptions {
  readonly runtime: Runtime;
  readonly reconnect: ResolvedReconnectOptions;
  /** Covers dialing and the handshake together. */
  readonly handshakeTimeoutMs: number;
}

/** What the owner of a {@link Dialer} is told and asked. */
export interface DialerOwner {
  /**
   * A link is there: make its connection and start it.
   *
   * @param probationMs - for how long it must live before it is fed.
   * @param timeLeftMs - what dialing left of `handshakeTimeoutMs`.
   */
  onLink(dialer: Dialer, link: Link, probationMs: number, timeLeftMs: number): Connection;
  /** The attempt, or the connection, came to nothing; the next attempt is in `delayMs`. */
  onRetry(dialer: Dialer, error: MsgError, attempt: number, delayMs: number): void;
  /** `maxAttempts` attempts failed. */
  onGivenUp(dialer: Dialer, error: MsgError): void;
}

/**
 * Keeps one endpoint connected. The only part that reconnects.
 *
 * The first attempt is at once; then with full jitter, doubling, up to a cap, for ever or
 * `maxAttempts` times. Names are resolved again at each attempt, by the transport.
 */
export class Dialer {
  readonly address: string;
  readonly #transport: Transport;
  readonly #options: DialerOptions;
  readonly #owner: DialerOwner;
  #state: DialerState = firstDialerState;
  #dialing: AbortController | undefined;
  #connection: Connection | undefined;
  #timer: TimerHandle;
  /** When the link of the present connection was there. */
  #linkedAtMs = 0;

  /** @param address - as `transport.parseAddress` gave it. */
  constructor(address: string, transport: Transport, options: DialerOptions, owner: DialerOwner) {
    this.address = address;
    this.#transport = transport;
    this.#options = options;
    this.#owner = owner;
  }

  get state(): DialerState {
    return this.#state;
  }

  start(): void {
    this.#dial();
  }

  /**
   * The connection this dialer made has ended.
   *
   * @param wasReady - its handshake had succeeded: one that was under way proves nothing, however
   *   long it took.
   * @param hasSpoken - it had brought a frame, so that the end is no failure to connect.
   */
  onConnectionClosed(
    connection: Connection,
    wasReady: boolean,
    hasSpoken: boolean,
    reason: MsgError | undefined,
  ): void {
    if (connection !== this.#connection) return;
    this.#connection = undefined;
    if (this.#state.phase === "ended") return;
    // Asked only now, so that a connection that stands needs no timer.
    const livedMs = this.#options.runtime.now() - this.#linkedAtMs;
    if (hasSpoken || (wasReady && livedMs >= provenAfterMs)) this.#dispatch({ type: "proven" });
    const error = reason ?? new MsgError("MSG_PEER_LOST", "peer ended the connection");
    this.#dispatch({ type: "failed", error });
  }

  /** Stops dialing. The connection that stands is its owner's to close. */
  close(): void {
    this.#dispatch({ type: "close" });
  }

  #dispatch(event: DialerEvent): void {
    const before = this.#state;
    const after = nextDialerState(before, event, this.#options.reconnect.maxAttempts);
    if (after !== before) this.#enter(after);
  }

  /** The only place that changes the state. Timers and attempts belong to a phase and end with it. */
  #enter(state: DialerState): void {
    const { runtime, reconnect } = this.#options;
    runtime.clearTimer(this.#timer);
    this.#timer = undefined;
    if (state.phase !== "connected") this.#abandonAttempt();
    this.#state = state;
    switch (state.phase) {
      case "dialing":
        this.#dial();
        return;
      case "connected":
        return;
      case "waiting": {
        const backOffMs = retryDelayMs(state.attempt, reconnect, runtime.random());
        const delayMs = isRefusal(state.lastError)
          ? Math.max(backOffMs, Math.min(refusedMinDelayMs, reconnect.maxDelayMs))
          : backOffMs;
        this.#timer = runtime.setTimer(() => this.#dispatch({ type: "waited" }), delayMs);
        this.#owner.onRetry(this, state.lastError, state.attempt, delayMs);
        return;
      }
      case "ended":
        if (state.lastError !== undefined) this.#owner.onGivenUp(this, state.lastError);
    }
  }

  #abandonAttempt(): void {
    const dialing = this.#dialing;
    this.#dialing = undefined;
    dialing?.abort();
  }

  #dial(): void {
    const { runtime, handshakeTimeoutMs } = this.#options;
    const { address } = this;
    const transport = this.#transport;
    const dialing = new AbortController();
    const startedMs = runtime.now();
    this.#dialing = dialing;
    this.#timer = runtime.setTimer(() => {
      const text = `no connection to ${transport.name}://${address} within ${handshakeTimeoutMs} ms`;
      this.#dispatch({ type: "failed", error: new MsgError("MSG_DIAL_FAILED", text) });
    }, handshakeTimeoutMs);
    transport.dial(address, dialing.signal).then(
      (link) => {
        const timeLeftMs = handshakeTimeoutMs - (runtime.now() - startedMs);
        if (dialing === this.#dialing) this.#onLink(link, Math.max(1, timeLeftMs));
        else link.destroy();
      },
      (error: unknown) => {
        if (dialing !== this.#dialing) return;
        const text = `no connection to ${transport.name}://${address}`;
        this.#dispatch({ type: "failed", error: MsgError.from(error, "MSG_DIAL_FAILED", text) });
      },
    );
  }

  #onLink(link: Link, timeLeftMs: number): void {
    this.#dialing = undefined;
    this.#linkedAtMs = this.#options.runtime.now();
    this.#dispatch({ type: "linked" });
    const isSuspect = this.#state.phase === "connected" && this.#state.isSuspect;
    this.#connection = this.#owner.onLink(this, link, isSuspect ? probationMs : 0, timeLeftMs);
  }
}

function isRefusal(error: MsgError | undefined): boolean {
  return error !== undefined && refusals.has(error.code);
}
