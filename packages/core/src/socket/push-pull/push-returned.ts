import type { Runtime, TimerHandle } from "../../runtime.ts";
import { LinkedQueue } from "../linked-queue.ts";
import type { PushJob } from "./push-job.ts";

/** How long a job that everybody refused waits. */
export interface BackOff {
  readonly redeliveryDelayMs: number;
  readonly maxRedeliveryDelayMs: number;
}

/** How many refused jobs are looked at when a PULL has room: the rest waits for its back-off. */
const maxLooks = 64;

/**
 * Jobs that came back: they go to a PULL again before any new one goes.
 *
 * One whose PULL was lost may go to anybody. One that was refused may at once go to a PULL that has
 * not refused it; to the others only after a back-off, so that two PULLs that both refuse do not
 * use up its deliveries within a moment.
 */
export class ReturnedJobs<Target> {
  readonly #runtime: Runtime;
  readonly #backOff: BackOff;
  readonly #onDue: () => void;
  /** Those that may go to anybody, in their order. */
  readonly #free: LinkedQueue<PushJob<Target>> = new LinkedQueue();
  readonly #refused: LinkedQueue<PushJob<Target>> = new LinkedQueue();
  #timer: TimerHandle;
  #timerDueMs = Infinity;
  bytes = 0;

  /** @param onDue - the back-off of some is over. */
  constructor(runtime: Runtime, backOff: BackOff, onDue: () => void) {
    this.#runtime = runtime;
    this.#backOff = backOff;
    this.#onDue = onDue;
  }

  get size(): number {
    return this.#free.size + this.#refused.size;
  }

  /** How many may go to anybody. */
  get freeSize(): number {
    return this.#free.size;
  }

  /** Adds a job that its PULL, now gone, did not settle. Whom it avoided it still avoids. */
  addLost(job: PushJob<Target>): void {
    this.bytes += job.bytes;
    if (job.refusedBy.length === 0) this.#free.append(job);
    else this.#appendRefused(job);
  }

  /** Adds a job that a PULL refused. */
  addRefused(job: PushJob<Target>, refusedBy: Target): void {
    const { redeliveryDelayMs, maxRedeliveryDelayMs } = this.#backOff;
    // Past 2^30 doublings the product is over any cap anyway.
    const delayMs = redeliveryDelayMs * 2 ** Math.min(job.backOffs, 30);
    job.refusedBy = [...job.refusedBy, refusedBy];
    job.dueAtMs = this.#runtime.now() + Math.min(delayMs, maxRedeliveryDelayMs);
    this.bytes += job.bytes;
    this.#appendRefused(job);
  }

  /** Gives each job that somebody can take, in order, until nobody can take the next. */
  pump(give: (job: PushJob<Target>) => boolean): void {
    for (let job = this.#free.first; job !== undefined; job = this.#free.first) {
      if (!give(job)) return;
      this.#takeOut(job);
    }
    let looks = 0;
    for (let job = this.#refused.first; job !== undefined && looks < maxLooks; looks++) {
      const next: PushJob<Target> | undefined = job.nextInQueue;
      if (give(job)) this.#takeOut(job);
      job = next;
    }
  }

  /** Takes out everything. */
  clear(): PushJob<Target>[] {
    const jobs: PushJob<Target>[] = [];
    for (const queue of [this.#free, this.#refused]) {
      for (let job = queue.shift(); job !== undefined; job = queue.shift()) jobs.push(job);
    }
    this.bytes = 0;
    this.#stopTimer();
    return jobs;
  }

  #appendRefused(job: PushJob<Target>): void {
    this.#refused.append(job);
    this.#wakeAt(job.dueAtMs);
  }

  #takeOut(job: PushJob<Target>): void {
    this.bytes -= job.bytes;
    this.#free.remove(job);
    this.#refused.remove(job);
    if (this.#refused.size === 0) this.#stopTimer();
  }

  /** One timer, for the one that is due first. */
  #wakeAt(atMs: number): void {
    if (atMs >= this.#timerDueMs) return;
    this.#stopTimer();
    this.#timerDueMs = atMs;
    const delayMs = Math.max(0, atMs - this.#runtime.now());
    this.#timer = this.#runtime.setTimer(() => this.#onTimer(), delayMs);
  }

  #stopTimer(): void {
    this.#runtime.clearTimer(this.#timer);
    this.#timer = undefined;
    this.#timerDueMs = Infinity;
  }

  #onTimer(): void {
    const now = this.#runtime.now();
    this.#stopTimer();
    let nextDueMs = Infinity;
    for (let job = this.#refused.first; job !== undefined;) {
      const next: PushJob<Target> | undefined = job.nextInQueue;
      if (job.dueAtMs <= now) this.#release(job);
      else nextDueMs = Math.min(nextDueMs, job.dueAtMs);
      job = next;
    }
    this.#wakeAt(nextDueMs);
    this.#onDue();
  }

  #release(job: PushJob<Target>): void {
    this.#refused.remove(job);
    job.refusedBy = [];
    job.backOffs++;
    this.#free.append(job);
  }
}
