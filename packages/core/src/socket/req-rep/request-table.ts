import type { Runtime, TimerHandle } from "../../runtime.ts";
import { listenToAbort, unlistenToAbort } from "../abort-listeners.ts";
import type { Linked } from "../linked-queue.ts";
import type { Message } from "../message.ts";

/** Ids that no request may have: 0 answers a probe, the last one is a goodbye (docs/wire-protocol.md). */
const firstId = 1;
const lastId = 0xffff_fffe;

/** What a ring begins with: an idle socket keeps it. */
const leastRing = 8;

/** Sweeps are at least this far apart; a deadline is noticed that much late at most. */
const sweepSpacingMs = 5;

// One executor for all requests, instead of a closure for each: a promise calls it before its
// constructor returns.
let capturedResolve: (reply: Message<unknown>) => void = () => {};
let capturedReject: (error: unknown) => void = () => {};

function capture(
  resolve: (reply: Message<unknown>) => void,
  reject: (error: unknown) => void,
): void {
  capturedResolve = resolve;
  capturedReject = reject;
}

/** A point in time that is known once the clock was looked at; until then it is `Infinity`. */
export interface Moment {
  ms: number;
}

const never: Moment = { ms: Infinity };

/** One request from the call to its end. */
export class PendingRequest<Target> implements Linked<PendingRequest<Target>> {
  readonly id: number;
  readonly calledAt: Moment;
  readonly timeoutMs: number;
  readonly retry: boolean;
  readonly promise: Promise<Message<unknown>>;
  readonly resolve: (reply: Message<unknown>) => void;
  readonly reject: (error: unknown) => void;
  /** In its wire form once it could be sent. */
  payload: Uint8Array;
  compression = 0;
  /** Bytes of the payload as the application gave it. */
  readonly plainBytes: number;
  /** The peer it was last written to, while it waits for that one's answer. */
  target: Target | undefined;
  /** Where it ends in what that peer's connection was given: beyond what was sent, it never left. */
  endsAtByte = 0;
  sentAt: Moment = never;
  signal: AbortSignal | undefined;
  onAbort: (() => void) | undefined;
  previousInQueue: PendingRequest<Target> | undefined;
  nextInQueue: PendingRequest<Target> | undefined;
  inQueue: object | undefined;

  constructor(
    id: number,
    payload: Uint8Array,
    timeoutMs: number,
    calledAt: Moment,
    retry: boolean,
  ) {
    this.id = id;
    this.payload = payload;
    this.plainBytes = payload.length;
    this.timeoutMs = timeoutMs;
    this.calledAt = calledAt;
    this.retry = retry;
    this.promise = new Promise(capture);
    this.resolve = capturedResolve;
    this.reject = capturedReject;
  }

  get deadlineMs(): number {
    return this.calledAt.ms + this.timeoutMs;
  }
}

/**
 * Every request that has no end yet, by id, with one timer for all deadlines.
 *
 * A ring with a check of the whole id: no hashing, no allocation for an entry. An id whose place is
 * taken by an older request is skipped, so one request that waits for ever does not make it grow.
 *
 * The clock is looked at once for all requests of a tick, by {@link stamp}: it costs as much as the
 * rest of a request (bench scenario: req-rep-64).
 */
export class RequestTable<Target> {
  readonly #runtime: Runtime;
  readonly #onTimeout: (request: PendingRequest<Target>) => void;
  #ring: (PendingRequest<Target> | undefined)[] = [];
  /** The lengths are powers of two: an id's place is `id & mask`. */
  #mask = 0;
  #lastId = firstId - 1;
  /** This tick. */
  #moment: Moment = { ms: Infinity };
  #isMomentUsed = false;
  /** The shortest timeout of what was added in this tick. */
  #shortestMs = Infinity;
  #timer: TimerHandle;
  #nextSweepMs = Infinity;
  size = 0;

  /** @param onTimeout - told of a request whose deadline passed; it is still in the table. */
  constructor(runtime: Runtime, onTimeout: (request: PendingRequest<Target>) => void) {
    this.#runtime = runtime;
    this.#onTimeout = onTimeout;
    this.#setRing(leastRing);
  }

  /** Its time begins with the next {@link stamp}, which must come before the tick ends. */
  add(payload: Uint8Array, timeoutMs: number, retry: boolean): PendingRequest<Target> {
    const id = this.#takeId();
    const request = new PendingRequest<Target>(id, payload, timeoutMs, this.useMoment(), retry);
    this.#ring[id & this.#mask] = request;
    this.size++;
    if (timeoutMs < this.#shortestMs) this.#shortestMs = timeoutMs;
    return request;
  }

  /** The moment that the next {@link stamp} tells. */
  useMoment(): Moment {
    this.#isMomentUsed = true;
    return this.#moment;
  }

  /** Whatever was added or sent since the last call was so now. */
  stamp(): void {
    if (!this.#isMomentUsed) return;
    const now = this.#runtime.now();
    const dueMs = now + this.#shortestMs;
    this.#moment.ms = now;
    this.#moment = { ms: Infinity };
    this.#isMomentUsed = false;
    this.#shortestMs = Infinity;
    if (dueMs < this.#nextSweepMs) this.#sweepAt(dueMs, now);
  }

  /** Has `onAbort` called when the signal aborts while the request is in the table. */
  watch(signal: AbortSignal, request: PendingRequest<Target>, onAbort: () => void): void {
    request.signal = signal;
    request.onAbort = onAbort;
    listenToAbort(signal, onAbort);
  }

  find(id: number): PendingRequest<Target> | undefined {
    const request = this.#ring[id & this.#mask];
    return request?.id === id ? request : undefined;
  }

  /** Takes a request out; false when it was not in. */
  remove(request: PendingRequest<Target>): boolean {
    const place = request.id & this.#mask;
    if (this.#ring[place] !== request) return false;
    this.#ring[place] = undefined;
    this.size--;
    const { signal, onAbort } = request;
    if (signal !== undefined && onAbort !== undefined) unlistenToAbort(signal, onAbort);
    if (this.size === 0) this.#shrink();
    return true;
  }

  /** Takes a request out and rejects it. A rejection that nobody awaits does not end the process. */
  reject(request: PendingRequest<Target>, error: Error): void {
    if (!this.remove(request)) return;
    request.promise.catch(() => {});
    request.reject(error);
  }

  /** The requests that match, oldest first. */
  filter(matches: (request: PendingRequest<Target>) => boolean): PendingRequest<Target>[] {
    const found: PendingRequest<Target>[] = [];
    for (const request of this.#ring) {
      if (request !== undefined && matches(request)) found.push(request);
    }
    // Age, not id: ids wrap.
    const age = (id: number): number => (this.#lastId - id) >>> 0;
    return found.toSorted((a, b) => age(b.id) - age(a.id));
  }

  /** Stops the timer. The requests that are in have no deadline any more. */
  close(): void {
    this.#sweepAt(Infinity, 0);
  }

  #takeId(): number {
    for (;;) {
      this.#lastId = this.#lastId === lastId ? firstId : this.#lastId + 1;
      if (this.#ring[this.#lastId & this.#mask] === undefined) return this.#lastId;
      if (this.size * 2 >= this.#ring.length) {
        this.#grow();
        if (this.#ring[this.#lastId & this.#mask] === undefined) return this.#lastId;
      }
    }
  }

  #grow(): void {
    const old = this.#ring;
    this.#setRing(old.length * 2);
    for (const request of old) {
      if (request !== undefined) this.#ring[request.id & this.#mask] = request;
    }
  }

  /** Gives back what a burst made it grow to. */
  #shrink(): void {
    if (this.#ring.length > 65_536) this.#setRing(leastRing);
  }

  #setRing(length: number): void {
    this.#ring = Array.from({ length });
    this.#mask = length - 1;
  }

  #sweepAt(atMs: number, now: number): void {
    this.#runtime.clearTimer(this.#timer);
    this.#timer = undefined;
    this.#nextSweepMs = atMs;
    if (atMs !== Infinity) {
      this.#timer = this.#runtime.setTimer(() => this.#sweep(), Math.max(0, atMs - now));
    }
  }

  /**
   * Ends what is over, and sleeps until the next deadline: under steady load that is a full timeout
   * away. The timer stays while the table is empty for a moment: setting one costs more than the
   * rest of a request.
   */
  #sweep(): void {
    const now = this.#runtime.now();
    let earliest = Infinity;
    this.#nextSweepMs = now;
    for (const request of this.#ring) {
      if (request === undefined) continue;
      if (request.deadlineMs <= now) this.#onTimeout(request);
      else if (request.deadlineMs < earliest) earliest = request.deadlineMs;
    }
    const next = this.size > 0 ? Math.max(earliest, now + sweepSpacingMs) : Infinity;
    this.#sweepAt(next, now);
  }
}
