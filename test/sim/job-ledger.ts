import type { PushSocket, SocketEvents } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import type { JobModel, JobRecord } from "./job-model.ts";
import type { SimProcess } from "./sim-process.ts";
import type { World } from "./world.ts";

/** The bounds of a PUSH. */
export interface PushBounds {
  readonly maxUnacked: number;
  readonly maxUnackedBytes: number;
  readonly maxWaiting: number;
  readonly maxWaitingBytes: number;
  readonly maxDeliveries: number;
}

/** What one PUSH was given and what it told: the two have to agree at any time. */
export class JobLedger {
  readonly process: SimProcess<PushSocket>;
  readonly bounds: PushBounds;
  readonly aborts: AbortController[] = [];
  readonly #world: World;
  readonly #model: JobModel;
  /** Sends that did not throw. */
  accepted = 0;
  /** Jobs that ended in another way than by being acknowledged. */
  reported = 0;
  /** Sends that rejected while it was open. */
  #rejected = 0;
  #rejectedAtClose = 0;
  /** Of those of `trySend`, those that no compressor could make smaller. */
  #failed = 0;
  #undeliverable = 0;
  #lost = 0;

  constructor(world: World, model: JobModel, process: SimProcess<PushSocket>, bounds: PushBounds) {
    this.#world = world;
    this.#model = model;
    this.process = process;
    this.bounds = bounds;
  }

  onEvent<Name extends keyof SocketEvents>(name: Name, detail: SocketEvents[Name]): void {
    if (name === "error") {
      const { error } = detail as SocketEvents["error"];
      if (error.code === "MSG_COMPRESS_FAILED") this.#failed++;
      else if (error.code !== "MSG_DIAL_FAILED" || !this.process.hasGivenUp)
        this.#world.fail(`${this.process.name}: error event ${error.message}`);
    }
    if (name !== "dropped") return;
    const { reason, count, payload } = detail as SocketEvents["dropped"];
    if (reason === "lost-job") this.#lost += count;
    if (reason !== "undeliverable") return;
    this.#undeliverable++;
    const job = payload === undefined ? undefined : this.#model.of(payload);
    const { maxDeliveries } = this.bounds;
    if (job === undefined) this.#world.fail("an undeliverable job carries nothing");
    else if (job.writes < maxDeliveries) {
      this.#world.fail(
        `${job.text} is given up after ${job.writes} of ${maxDeliveries} deliveries`,
      );
    } else job.isUndeliverable = true;
  }

  onThrow(job: JobRecord, error: unknown, waiting: number): void {
    job.isRejected = true;
    const { maxWaiting, maxWaitingBytes } = this.bounds;
    const isFull = MsgError.is(error, "MSG_HIGH_WATER_MARK");
    const bytes = this.process.socket.stats().waitingBytes + job.bytes;
    if (isFull && (waiting >= maxWaiting || (waiting > 0 && bytes > maxWaitingBytes))) return;
    if (MsgError.is(error, "MSG_COMPRESS_FAILED")) return;
    this.#world.fail(`send of ${job.text} throws ${String(error)}, ${waiting} wait`);
  }

  onRejected(
    job: JobRecord,
    error: unknown,
    deadlineMs: number,
    signal: AbortSignal | undefined,
  ): void {
    const { process } = this;
    if (job.writes > 0) this.#world.fail(`send of ${job.text} rejects, it was written before`);
    job.isRejected = true;
    if (MsgError.is(error, "MSG_CLOSED")) {
      if (!process.isClosing) this.#world.fail(`send of ${job.text} rejects: ${String(error)}`);
      this.#rejectedAtClose++;
      return;
    }
    this.#rejected++;
    const isRight =
      MsgError.is(error, "MSG_COMPRESS_FAILED") ||
      (MsgError.is(error, "MSG_TIMEOUT") && this.#world.now >= deadlineMs) ||
      (signal?.aborted === true && error === signal.reason);
    if (!isRight) this.#world.fail(`send of ${job.text} rejects: ${String(error)}`);
  }

  /** Every job that was accepted is in exactly one place. */
  check(): void {
    const { process, accepted } = this;
    const { waiting, returned, unacknowledged, acknowledged } = process.stats;
    const { maxUnacked } = this.bounds;
    if (unacknowledged > maxUnacked * process.mostPeers) {
      this.#world.fail(
        `${process.name} has ${unacknowledged} jobs out, maxUnacked is ${maxUnacked}`,
      );
    }
    this.reported = this.#rejected + this.#failed + this.#undeliverable + this.#lost;
    const ended = acknowledged + this.reported;
    const { report } = process;
    if (report !== undefined) {
      this.reported += report.unsent + report.unacknowledged;
      const known = acknowledged + this.reported;
      if (known === accepted && this.#rejectedAtClose <= report.unsent) return;
      const told = `${report.unsent} unsent, ${report.unacknowledged} unacknowledged, ${ended} ended`;
      this.#world.fail(`${process.name} closed: ${told}, ${accepted} were accepted`);
    } else if (!process.isClosing && ended + waiting + returned + unacknowledged !== accepted) {
      const there = `${waiting} wait, ${returned} came back, ${unacknowledged} are out`;
      this.#world.fail(`${process.name}: ${there}, ${ended} ended, ${accepted} were accepted`);
    }
  }
}
