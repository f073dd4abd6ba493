import type { MsgError } from "@msg-ts/core";
import { dialAborted } from "../failures.ts";
import type { Dialing } from "./dialed-session.ts";
import { DialedSession } from "./dialed-session.ts";
import type { StreamLink } from "./stream-link.ts";

/** Somebody who waits for a link. */
class Waiter {
  /** The connection that is waited for: another one when the first turns out to be full. */
  shared: Shared;
  readonly #signal: AbortSignal;
  readonly #resolve: (link: StreamLink) => void;
  readonly #reject: (error: MsgError) => void;
  readonly #onAbort: () => void;

  constructor(
    shared: Shared,
    signal: AbortSignal,
    resolve: (link: StreamLink) => void,
    reject: (error: MsgError) => void,
    onAbort: (waiter: Waiter) => void,
  ) {
    this.shared = shared;
    this.#signal = signal;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#onAbort = () => onAbort(this);
    shared.waiters.add(this);
    signal.addEventListener("abort", this.#onAbort);
  }

  resolve(link: StreamLink): void {
    this.#leave();
    this.#resolve(link);
  }

  reject(error: MsgError): void {
    this.#leave();
    this.#reject(error);
  }

  #leave(): void {
    this.shared.waiters.delete(this);
    this.#signal.removeEventListener("abort", this.#onAbort);
  }
}

/** A connection that was heard of so lately is taken to be alive. */
const freshMs = 500;

/** A connection to one address, and those who wait for it. */
interface Shared {
  readonly dialed: DialedSession;
  readonly waiters: Set<Waiter>;
}

/**
 * The connections of one transport, so that links to one address share one.
 *
 * Each link of those who dial at the same time waits for the same handshake. A connection that is
 * full, or whose peer wants no more links on it, is left to the links that it has.
 */
export class SharedSessions {
  readonly #isShared: boolean;
  readonly #byKey: Map<string, Shared> = new Map();

  constructor(isShared: boolean) {
    this.#isShared = isShared;
  }

  /** New links get new connections. Those that there are live on with their links. */
  clear(): void {
    this.#byKey.clear();
  }

  /** Opens a link. When `signal` aborts, it rejects; a handshake that nobody waits for is given up. */
  open(dialing: Dialing, signal: AbortSignal): Promise<StreamLink> {
    const { remote, certificateName } = dialing;
    const key = `${remote.host} ${remote.port} ${certificateName}`;
    const target = `${remote.host}:${remote.port}`;
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(dialAborted(target, signal));
      const shared = this.#find(key) ?? this.#dial(key, dialing);
      const session = shared.dialed.session;
      if (session !== undefined && performance.now() - session.lastHeardMs < freshMs) {
        return resolve(session.openLink());
      }
      const onAbort = (waiter: Waiter): void => {
        waiter.reject(dialAborted(target, signal));
        const { dialed, waiters } = waiter.shared;
        if (waiters.size > 0 || dialed.session !== undefined) return;
        this.#forget(key, waiter.shared);
        dialed.destroy();
      };
      // oxlint-disable-next-line no-new
      new Waiter(shared, signal, resolve, reject, onAbort);
      // A server that was started anew meanwhile is not to be given a link that leads nowhere.
      session?.suspect((isAlive) => isAlive && this.#onReady(key, dialing, shared));
    });
  }

  #find(key: string): Shared | undefined {
    const shared = this.#byKey.get(key);
    if (shared === undefined || !this.#isShared) return undefined;
    const { session } = shared.dialed;
    return session === undefined || session.hasRoom ? shared : undefined;
  }

  #dial(key: string, dialing: Dialing): Shared {
    const waiters: Set<Waiter> = new Set();
    const dialed = new DialedSession(dialing, {
      onReady: () => this.#onReady(key, dialing, shared),
      onLeaving: () => this.#forget(key, shared),
      onOver: (reason, wasReady) => {
        for (const waiter of Array.from(waiters)) {
          // One that was open before is given another try, with a connection of its own.
          if (wasReady) this.#moveOn(key, dialing, shared, waiter);
          else waiter.reject(reason);
        }
      },
    });
    const shared: Shared = { dialed, waiters };
    this.#byKey.set(key, shared);
    return shared;
  }

  #onReady(key: string, dialing: Dialing, shared: Shared): void {
    const { session } = shared.dialed;
    for (const waiter of Array.from(shared.waiters)) {
      if (session?.hasRoom === true) waiter.resolve(session.openLink());
      else this.#moveOn(key, dialing, shared, waiter);
    }
  }

  /** More links than the peer takes on one connection: the rest get another. */
  #moveOn(key: string, dialing: Dialing, full: Shared, waiter: Waiter): void {
    const current = this.#byKey.get(key);
    const next = current === undefined || current === full ? this.#dial(key, dialing) : current;
    const { session } = next.dialed;
    if (session?.hasRoom === true) return waiter.resolve(session.openLink());
    full.waiters.delete(waiter);
    waiter.shared = next;
    next.waiters.add(waiter);
  }

  #forget(key: string, shared: Shared): void {
    if (this.#byKey.get(key) === shared) this.#byKey.delete(key);
  }
}
