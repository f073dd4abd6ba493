import type { PeerInfo } from "../contracts/authenticator.ts";
import { MsgError } from "../errors.ts";
import { checkDelay, checkFunction, checkObject } from "../option-checks.ts";
import type { Runtime } from "../runtime.ts";
import { listenToAbort, unlistenToAbort } from "./abort-listeners.ts";
import type { Peer } from "./peer.ts";

/** What a peer wants to do. */
export type AuthorizedAction =
  /** REP: to be answered. Asked for its first request, and again when the answer is old. */
  | "request"
  /** PUB: to hear what is published under a topic, or what matches it. */
  | "subscribe";

/** What an {@link Authorizer} is asked. */
export interface AuthorizeRequest {
  /** Who it is; decide by its `identity`, `claims` or `certificate`, never by its `name`. */
  readonly peer: PeerInfo;
  readonly action: AuthorizedAction;
  /**
   * With `subscribe`: the subscription as it was written, wildcards and all. `a.*` and `>` are not
   * spelt out: who allows `>` allows everything.
   */
  readonly topic: string | undefined;
  /** Aborts when `authorization.timeoutMs` is over, or the peer's connection ends. */
  readonly signal: AbortSignal;
}

/**
 * Decides what a peer that was let in may do.
 *
 * Only true allows. Anything else, a throw and a decision that comes too late do not.
 */
export type Authorizer = (request: AuthorizeRequest) => boolean | Promise<boolean>;

/** How decisions are waited for and kept. */
export interface AuthorizationOptions {
  /**
   * How long a decision may take; then it is a no. The peer is not read from meanwhile.
   *
   * Milliseconds, 1 to 2_147_483_647.
   *
   * @defaultValue 5_000
   */
  readonly timeoutMs?: number | undefined;

  /**
   * REP: for how long a decision about a peer's requests holds. That of a subscription holds until
   * the subscription, or the connection, ends.
   *
   * Milliseconds, 0 to 2_147_483_647, or `Infinity` for as long as it is connected; 0 asks for each
   * request.
   *
   * @defaultValue 60_000
   */
  readonly holdsForMs?: number | undefined;
}

/** {@link AuthorizationOptions}, filled in. */
export type ResolvedAuthorizationOptions = Readonly<Record<keyof AuthorizationOptions, number>>;

/** The defaults of {@link AuthorizationOptions}. */
export const authorizationDefaults: ResolvedAuthorizationOptions = {
  timeoutMs: 5_000,
  holdsForMs: 60_000,
};

/**
 * Fills in defaults and checks ranges.
 *
 * @throws MsgError `MSG_INVALID_OPTION`, naming the option, its value and its limits.
 */
export function resolveAuthorizationOptions(
  options: AuthorizationOptions = {},
): ResolvedAuthorizationOptions {
  checkObject("authorization", options);
  const timeoutMs = options.timeoutMs ?? authorizationDefaults.timeoutMs;
  const holdsForMs = options.holdsForMs ?? authorizationDefaults.holdsForMs;
  if (timeoutMs === Infinity) throw notInfinite();
  checkDelay("authorization.timeoutMs", timeoutMs, 1);
  checkDelay("authorization.holdsForMs", holdsForMs);
  return { timeoutMs, holdsForMs };
}

/**
 * What a socket was told about authorisation; `undefined` when nothing is asked.
 *
 * @throws MsgError `MSG_INVALID_OPTION`
 */
export function authorizationOf(
  runtime: Runtime,
  authorize: Authorizer | undefined,
  options: AuthorizationOptions | undefined,
): Authorization | undefined {
  checkFunction("authorize", authorize);
  const resolved = resolveAuthorizationOptions(options);
  return authorize === undefined ? undefined : new Authorization(runtime, authorize, resolved);
}

/** What was decided: nothing when it is allowed, else why it is not. */
export type Verdict = MsgError | undefined;

/** Asks the application, and takes only a clear and timely yes for one. */
export class Authorization {
  readonly holdsForMs: number;
  readonly #runtime: Runtime;
  readonly #authorize: Authorizer;
  readonly #timeoutMs: number;

  constructor(runtime: Runtime, authorize: Authorizer, options: ResolvedAuthorizationOptions) {
    this.#runtime = runtime;
    this.#authorize = authorize;
    this.#timeoutMs = options.timeoutMs;
    this.holdsForMs = options.holdsForMs;
  }

  /**
   * The verdict, or a promise of it that never rejects, takes no longer than it may, and not beyond
   * the end of the peer's connection.
   */
  ask(peer: Peer, action: AuthorizedAction, topic?: string): Verdict | Promise<Verdict> {
    const asked = new Asked(peer.info, action, topic);
    try {
      const answer: unknown = this.#authorize(asked);
      if (!isThenable(answer)) return verdictOf(answer, asked);
      return this.#await(answer, asked, peer.connection.signal);
    } catch (error) {
      return failed(error);
    }
  }

  /** @param gone - aborts when nobody is interested in the answer any more. */
  #await(answer: PromiseLike<unknown>, asked: Asked, gone: AbortSignal): Promise<Verdict> {
    return new Promise((resolve) => {
      const settle = (verdict: Verdict): void => {
        this.#runtime.clearTimer(timer);
        unlistenToAbort(gone, onGone);
        resolve(verdict);
      };
      const giveUp = (why: string): void => {
        const error = new MsgError("MSG_AUTH_FAILED", why);
        settle(error);
        asked.abort(error);
      };
      const onGone = (): void => giveUp("peer is gone");
      const timer = this.#runtime.setTimer(
        () => giveUp(`authorize took over ${this.#timeoutMs} ms`),
        this.#timeoutMs,
      );
      if (gone.aborted) onGone();
      else listenToAbort(gone, onGone);
      answer.then(
        (value) => settle(verdictOf(value, asked)),
        (error: unknown) => settle(failed(error)),
      );
    });
  }
}

/** A question, whose signal is made when somebody looks at it. */
class Asked implements AuthorizeRequest {
  readonly peer: PeerInfo;
  readonly action: AuthorizedAction;
  readonly topic: string | undefined;
  #abort: AbortController | undefined;

  constructor(peer: PeerInfo, action: AuthorizedAction, topic: string | undefined) {
    this.peer = peer;
    this.action = action;
    this.topic = topic;
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    return this.#abort.signal;
  }

  abort(reason: MsgError): void {
    this.#abort?.abort(reason);
  }
}

function verdictOf(answer: unknown, { action, topic }: Asked): Verdict {
  // Anything but a clear yes is a no: a hook that forgets to return must not allow.
  if (answer === true) return undefined;
  const what = topic === undefined ? "ask" : `${action} to ${JSON.stringify(topic.slice(0, 256))}`;
  return new MsgError("MSG_FORBIDDEN", `authorize does not allow the peer to ${what}`);
}

function failed(cause: unknown): MsgError {
  return new MsgError("MSG_AUTH_FAILED", "authorize failed", { cause });
}

function isThenable(answer: unknown): answer is PromiseLike<unknown> {
  return (
    typeof answer === "object" &&
    answer !== null &&
    "then" in answer &&
    typeof answer.then === "function"
  );
}

function notInfinite(): MsgError {
  const text = "authorization.timeoutMs is Infinity, must be 1 to 2147483647";
  return new MsgError("MSG_INVALID_OPTION", text);
}
