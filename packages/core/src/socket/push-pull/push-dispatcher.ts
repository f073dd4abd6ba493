import { MsgError } from "../../errors.ts";
import type { LazyError } from "../../lazy-error.ts";
import type { Runtime } from "../../runtime.ts";
import type { Compression, WirePayload } from "../../wire/compression.ts";
import type { CloseReport } from "../events.ts";
import { PushJob } from "./push-job.ts";
import type { ResolvedPushOptions } from "./push-options.ts";
import type { FlowHandlers, PushPeer } from "./push-peer.ts";
import { ReturnedJobs } from "./push-returned.ts";
import { WaitingSends } from "./push-waiting.ts";
import type { MessageCounters } from "../stats.ts";
import { TurnBudget } from "../turn-budget.ts";
import type { WaitOptions } from "../waiter-list.ts";
import { WaiterList } from "../waiter-list.ts";

/** What a job costs beside its payload, so that a loop of empty ones takes turns too. */
const jobOverheadBytes = 64;

const nobody: readonly never[] = [];

type Pending = PushJob<PushPeer>;

/** What the dispatcher needs of its socket. */
export interface JobDispatcherContext {
  readonly runtime: Runtime;
  readonly options: ResolvedPushOptions;
  readonly compression: Compression;
  readonly messages: MessageCounters;
  /** A job was delivered `maxDeliveries` times; `peer` had it last. */
  onUndeliverable(peer: PushPeer, payload: Uint8Array): void;
  /** A PULL said goodbye. */
  onDraining(peer: PushPeer): void;
  /** At most once: what a PULL had is lost. */
  onLost(peer: PushPeer, count: number): void;
  /** Whether a PULL may still come: something is dialed or listened on. */
  mayGetPeer(): boolean;
  /** A job could not be compressed, and nobody waits for it. */
  onError(error: MsgError): void;
}

/** Where a PUSH's jobs are, and what became of them. */
export interface JobCounts {
  /** Sends that wait for a PULL. */
  readonly waiting: number;
  readonly waitingBytes: number;
  /** Jobs that came back and wait for another PULL. */
  readonly returned: number;
  readonly returnedBytes: number;
  /** Jobs that a PULL has and did not settle. */
  readonly unacknowledged: number;
  readonly unacknowledgedBytes: number;
  /** Jobs done. */
  readonly acknowledged: number;
  /** Jobs given to a PULL again, because an earlier one refused them or was lost. */
  readonly redelivered: number;
  /** Jobs that a PULL gave back. */
  readonly refusedJobs: number;
  /** Jobs that were settled, or given up, before the PULL said so. */
  readonly ignoredSettlements: number;
}

/**
 * Every job from `send()` to its end: which PULL gets it, what waits, and what becomes of it when
 * it is refused or its PULL is lost.
 *
 * Jobs that came back go first, then the waiting sends in their order, then a new one; so a new one
 * goes at once only when nothing waits.
 */
export class JobDispatcher implements FlowHandlers {
  readonly #context: JobDispatcherContext;
  readonly #options: ResolvedPushOptions;
  readonly #waiting: WaitingSends<PushPeer>;
  readonly #returned: ReturnedJobs<PushPeer>;
  readonly #budget: TurnBudget;
  /** `close()`, and those who wait for every job to be settled. */
  readonly #idle: WaiterList<void>;
  readonly #settled: WaiterList<void>;
  readonly #giveAgain: (job: Pending) => boolean = (job) => this.#giveReturned(job);
  readonly #peers: PushPeer[] = [];
  /** Where the search for a PULL begins, so that equals take turns. */
  #turn = 0;
  #oneWayPeers = 0;
  /** What PULLs still had when the socket ended their connections. */
  readonly #abandoned: { unsent: number; unacknowledged: number } = {
    unsent: 0,
    unacknowledged: 0,
  };
  #acknowledged = 0;
  #redelivered = 0;
  #refusedJobs = 0;
  #ignoredSettlements = 0;

  constructor(context: JobDispatcherContext) {
    const { runtime, options } = context;
    this.#context = context;
    this.#options = options;
    this.#waiting = new WaitingSends(runtime, options, () => this.#pump());
    this.#returned = new ReturnedJobs(runtime, options, () => this.#pump());
    this.#budget = new TurnBudget(runtime);
    this.#idle = new WaiterList(runtime);
    this.#settled = new WaiterList(runtime);
  }

  get counts(): JobCounts {
    return {
      waiting: this.#waiting.size,
      waitingBytes: this.#waiting.bytes,
      returned: this.#returned.size,
      returnedBytes: this.#returned.bytes,
      unacknowledged: this.#peers.reduce((sum, peer) => sum + peer.unsettled, 0),
      unacknowledgedBytes: this.#peers.reduce((sum, peer) => sum + peer.unsettledBytes, 0),
      acknowledged: this.#acknowledged,
      redelivered: this.#redelivered,
      refusedJobs: this.#refusedJobs,
      ignoredSettlements: this.#ignoredSettlements,
    };
  }

  /**
   * Takes a job. Gives `undefined` when a PULL has it now, else a promise for when one does.
   *
   * @throws MsgError `MSG_HIGH_WATER_MARK`, `MSG_COMPRESS_FAILED`: the job is not taken.
   */
  submit(payload: Uint8Array, wait: WaitOptions): undefined | Promise<void> {
    const peer = this.#peerForNew();
    if (peer !== undefined && !this.#context.compression.applies(payload.length)) {
      this.#giveNew(payload, peer);
      return this.#budget.spend(payload.length + jobOverheadBytes);
    }
    if (peer === undefined) this.#waiting.assertRoom(payload.length);
    const job = this.#newJob(payload);
    if (peer === undefined || job.wire === undefined) {
      return this.#waiting.appendAndWait(job, wait);
    }
    this.#give(job, job.wire, peer);
    return this.#budget.spend(payload.length + jobOverheadBytes);
  }

  /** Takes a job if a PULL can have it now, or as soon as it is compressed. */
  trySubmit(payload: Uint8Array): boolean {
    const peer = this.#peerForNew();
    if (peer === undefined) return false;
    if (!this.#context.compression.applies(payload.length)) {
      this.#giveNew(payload, peer);
      return true;
    }
    const job = this.#newJob(payload);
    if (job.wire === undefined) this.#waiting.append(job);
    else this.#give(job, job.wire, peer);
    return true;
  }

  onPeerReady(peer: PushPeer): void {
    this.#peers.push(peer);
    if (peer.isOneWay) this.#oneWayPeers++;
    this.#pump();
  }

  /** What it had goes to another one, before anything new. */
  onPeerClosed(peer: PushPeer): void {
    const jobs = this.#takeBack(peer);
    const { sentBytes } = peer.connection.outbox;
    this.#onReturned(peer, jobs, (job) => {
      // What never left this process was not delivered.
      if (job.endsAtByte <= sentBytes && this.#isSpent(job)) return false;
      this.#returned.addLost(job);
      return true;
    });
  }

  /** What it had has nowhere to go: the socket closes. */
  onPeerAbandoned(peer: PushPeer): void {
    const jobs = this.#takeBack(peer);
    const { sentBytes } = peer.connection.outbox;
    const unsent = jobs.filter((job) => job.endsAtByte > sentBytes).length;
    this.#abandoned.unsent += unsent;
    this.#abandoned.unacknowledged += jobs.length - unsent;
  }

  onRoom(): void {
    this.#pump();
  }

  onAcknowledged(count: number, ignored: number): void {
    this.#acknowledged += count;
    this.#ignoredSettlements += ignored;
    this.#pump();
    this.#checkIdle();
  }

  onRefused(peer: PushPeer, jobs: readonly Pending[], ignored: number): void {
    this.#refusedJobs += jobs.length;
    this.#ignoredSettlements += ignored;
    this.#onReturned(peer, jobs, (job) => {
      if (this.#isSpent(job)) return false;
      this.#returned.addRefused(job, peer);
      return true;
    });
  }

  onDraining(peer: PushPeer): void {
    this.#context.onDraining(peer);
  }

  /** Whether anything that was sent has no end yet. */
  get hasJobs(): boolean {
    return (
      this.#waiting.size + this.#returned.size > 0 || this.#peers.some((peer) => peer.unsettled > 0)
    );
  }

  /** Waits until every job has its end, or no PULL can come any more; at most `timeoutMs`. */
  async whenIdle(timeoutMs: number): Promise<void> {
    if (this.#isIdle) return;
    await this.#idle.waitAtMost(timeoutMs);
  }

  /** Waits until every job has its end. */
  async whenSettled(options: WaitOptions): Promise<void> {
    if (!this.hasJobs) return;
    await this.#settled.wait(options, (timeoutMs) => {
      const { waiting, returned, unacknowledged } = this.counts;
      const left = `${waiting + returned} jobs wait and ${unacknowledged} are at a PULL`;
      return new MsgError("MSG_TIMEOUT", `${left} after ${timeoutMs} ms`);
    });
  }

  /** Ends everything; what is left is reported. */
  close(error: LazyError): CloseReport {
    // A transport that does not keep its promises may have left one behind.
    while (this.#peers[0] !== undefined) this.onPeerAbandoned(this.#peers[0]);
    const { unsent, unacknowledged } = this.#abandoned;
    const waiting = this.#waiting.size;
    const returned = this.#returned.clear();
    const delivered = returned.filter((job) => job.earlierDeliveries > 0).length;
    if (waiting > 0) this.#waiting.failAll(error());
    if (this.#settled.size > 0) this.#settled.rejectAll(error());
    this.#idle.resolveAll();
    return {
      unsent: unsent + waiting + returned.length - delivered,
      unacknowledged: unacknowledged + delivered,
    };
  }

  #takeBack(peer: PushPeer): Pending[] {
    const index = this.#peers.indexOf(peer);
    if (index >= 0) {
      this.#peers.splice(index, 1);
      if (peer.isOneWay) this.#oneWayPeers--;
    }
    return peer.takeBack();
  }

  #newJob(payload: Uint8Array): Pending {
    const wire = this.#context.compression.compress(payload);
    if (!(wire instanceof Promise)) return new PushJob(payload, wire);
    const job: Pending = new PushJob(payload, undefined);
    void this.#compressLater(job, wire);
    return job;
  }

  /** Until then it keeps its place, and holds up those behind it: order is kept. */
  async #compressLater(job: Pending, wire: Promise<WirePayload>): Promise<void> {
    try {
      job.wire = await wire;
    } catch (error) {
      this.#onCompressFailed(job, error as MsgError);
    }
    this.#pump();
  }

  #onCompressFailed(job: Pending, error: MsgError): void {
    // It was aborted, or the socket is closed.
    if (job.inQueue === undefined) return;
    if (!this.#waiting.fail(job, error)) this.#context.onError(error);
    this.#checkIdle();
  }

  /** The PULL for a job that waits behind nothing. */
  #peerForNew(): PushPeer | undefined {
    if (this.#waiting.size > 0 || this.#holdsNewBack) return undefined;
    if (this.#peers.length !== 1) return this.#pick(nobody);
    const [only] = this.#peers;
    return only?.hasRoom === true ? only : undefined;
  }

  /** Jobs that came back go first, and are not allowed to grow without bound behind new ones. */
  get #holdsNewBack(): boolean {
    const { size, bytes, freeSize } = this.#returned;
    if (size === 0) return false;
    const { maxWaiting, maxWaitingBytes } = this.#options;
    return freeSize > 0 || size >= maxWaiting || bytes >= maxWaitingBytes;
  }

  /**
   * The PULL with the most free window; equals take turns. Where some tell no window all take turns:
   * they would seem to have room for ever.
   */
  #pick(avoided: readonly PushPeer[]): PushPeer | undefined {
    const peers = this.#peers;
    const takesTurns = this.#oneWayPeers > 0;
    let best: PushPeer | undefined;
    let bestFree = 0;
    for (let i = 0, index = this.#turn; i < peers.length; i++, index++) {
      if (index >= peers.length) index = 0;
      const peer = peers[index];
      if (peer === undefined || peer.freeWindow <= bestFree) continue;
      if (!peer.hasRoom || avoided.includes(peer)) continue;
      best = peer;
      bestFree = peer.freeWindow;
      this.#turn = index + 1;
      if (takesTurns) break;
    }
    return best;
  }

  #pump(): void {
    if (this.#returned.size > 0) this.#returned.pump(this.#giveAgain);
    for (let job = this.#waiting.first; job?.wire !== undefined; job = this.#waiting.first) {
      const peer = this.#holdsNewBack ? undefined : this.#pick(nobody);
      if (peer === undefined) return;
      this.#waiting.accept(job);
      this.#give(job, job.wire, peer);
    }
  }

  #giveReturned(job: Pending): boolean {
    const peer = this.#pick(job.refusedBy);
    if (peer === undefined || job.wire === undefined) return false;
    if (job.earlierDeliveries > 0) this.#redelivered++;
    this.#give(job, job.wire, peer);
    return true;
  }

  /** Gives a job that needs nothing but its payload. */
  #giveNew(payload: Uint8Array, peer: PushPeer): void {
    peer.giveNew(payload);
    this.#context.messages.onSent(payload.length, payload.length);
  }

  #give(job: Pending, wire: WirePayload, peer: PushPeer): void {
    peer.give(job, wire);
    this.#context.messages.onSent(job.bytes, wire.bytes.length);
  }

  /** Counts a delivery that came to nothing; true when there may be no further one. */
  #isSpent(job: Pending): boolean {
    job.earlierDeliveries++;
    return job.earlierDeliveries >= this.#options.maxDeliveries;
  }

  /** @param keep - false when the job may not be sent again. */
  #onReturned(peer: PushPeer, jobs: readonly Pending[], keep: (job: Pending) => boolean): void {
    const isLost = this.#options.delivery === "at-most-once";
    const spent = isLost ? [] : jobs.filter((job) => !keep(job));
    this.#pump();
    this.#checkIdle();
    // Events come last: a listener may send.
    if (isLost && jobs.length > 0) this.#context.onLost(peer, jobs.length);
    for (const job of spent) this.#context.onUndeliverable(peer, job.payload);
  }

  get #isIdle(): boolean {
    return !this.hasJobs || (this.#peers.length === 0 && !this.#context.mayGetPeer());
  }

  #checkIdle(): void {
    if (this.#idle.size > 0 && this.#isIdle) this.#idle.resolveAll();
    if (this.#settled.size > 0 && !this.hasJobs) this.#settled.resolveAll();
  }
}
