import type { PeerInfo } from "../../contracts/authenticator.ts";
import type { FrameDecoder, PullSink, PullWriter, WireContext } from "../../contracts/protocol.ts";
import type { Connection } from "../../connection/connection.ts";
import { MsgError } from "../../errors.ts";
import { Job } from "./job.ts";
import type { JobSettler } from "./job.ts";
import { JobRanges } from "./job-ranges.ts";
import { PullWindow } from "./pull-window.ts";
import { Peer } from "../peer.ts";
import type { Runtime } from "../../runtime.ts";
import type { ResolvedPullOptions } from "./pull-options.ts";
import { ReceiveSource } from "../receive-queue.ts";

/** Who is told what a PUSH said, and what became of its jobs. */
export interface JobHandlers<T> {
  onJob(peer: PullPeer<T>, job: Job<T>): void;
  onUnreadableJob(peer: PullPeer<T>, error: MsgError): void;
  /** One job fewer is unsettled. @param isHeard - its PUSH is there to be told. */
  onSettled(isAcknowledged: boolean, isHeard: boolean): void;
  /** A job that was acknowledged when it came is not done, and nobody gives it to anybody again. */
  onLostJob(peer: PullPeer<T>, payload: Uint8Array): void;
}

/** A PUSH as a PULL sees it. */
export class PullPeer<T> extends Peer implements PullSink, JobSettler {
  readonly decoder: FrameDecoder;
  readonly source: ReceiveSource<Job<T>>;
  readonly #writer: PullWriter;
  readonly #handlers: JobHandlers<T>;
  readonly #runtime: Runtime;
  readonly #acknowledgesOnArrival: boolean;
  readonly #isOneWay: boolean;
  /** Of jobs that were acknowledged when they came. */
  readonly #tooLate: JobSettler | undefined;
  readonly #window: PullWindow;
  /** How many jobs it may have here. 0 until {@link open}; not lowered: jobs may be under way. */
  #granted = 0;
  #nextSequence = 0;
  #isDraining = false;
  #givesBack = false;
  /** True while reading is stopped because it does not take what we settled. */
  #isHeld = false;
  readonly #acknowledged: JobRanges = new JobRanges();
  readonly #refused: JobRanges = new JobRanges();
  /** How many were settled since the PUSH was told last. */
  #untold = 0;
  #isTelling = false;
  /** Since when there always was a job to settle, as far as that was not counted yet. */
  #busySinceMs = 0;
  #isBusy = false;
  readonly #tell: () => void = () => {
    this.#isTelling = false;
    if (this.#untold > 0) this.connection.outbox.schedule();
  };
  /** Jobs that came and are neither acknowledged nor given back. */
  unsettled = 0;

  constructor(
    info: PeerInfo,
    connection: Connection,
    context: WireContext,
    options: ResolvedPullOptions,
    runtime: Runtime,
    handlers: JobHandlers<T>,
  ) {
    super(info, connection);
    this.#runtime = runtime;
    this.#window = new PullWindow(options.window);
    this.#handlers = handlers;
    this.#acknowledgesOnArrival = options.delivery === "at-most-once";
    this.source = new ReceiveSource(connection);
    const wire = connection.protocol.open("PULL", connection.outbox, this, context);
    this.decoder = wire.decoder;
    this.#writer = wire.writer;
    this.#isOneWay = wire.writer.isOneWay === true;
    if (this.#isOneWay || this.#acknowledgesOnArrival) this.#tooLate = this.#tooLateSettler();
  }

  /** Allows jobs. */
  open(): void {
    const { size } = this.#window;
    this.#granted = Math.max(this.#granted, size);
    this.#writer.window(size);
  }

  /** Wants no more jobs. Those under way are still done, until {@link giveBackAll}. */
  startDraining(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    // Nothing can be given back: what is not read yet stays where it is.
    if (this.#isOneWay) this.connection.hold();
    this.#writer.window(0);
    this.#writer.bye();
  }

  /** Wants no more jobs: those under way are given back as they come. */
  giveBackAll(): void {
    this.startDraining();
    this.#givesBack = true;
  }

  onJob(
    sequence: number,
    earlierDeliveries: number,
    payload: Uint8Array,
    parts?: readonly Uint8Array[],
  ): void {
    if (this.#isOneWay) {
      this.#handlers.onSettled(true, true);
      const job = new Job<T>(payload, this.info, 1, sequence, this.#tooLate);
      if (parts !== undefined) job.multipart = parts;
      this.#handlers.onJob(this, job);
      return;
    }
    if (!this.#admit(sequence)) return;
    if (this.#givesBack) {
      this.refuse(sequence);
      return;
    }
    const isSettled = this.#acknowledgesOnArrival;
    if (isSettled) this.acknowledge(sequence);
    const settler = isSettled ? this.#tooLate : this;
    this.#handlers.onJob(
      this,
      new Job(payload, this.info, earlierDeliveries + 1, sequence, settler),
    );
  }

  onBadJob(sequence: number, error: MsgError): void {
    if (!this.#admit(sequence)) return;
    this.refuse(sequence);
    this.#handlers.onUnreadableJob(this, error);
  }

  acknowledge(sequence: number): boolean {
    return this.#settle(this.#acknowledged, sequence, true);
  }

  refuse(sequence: number): boolean {
    return this.#settle(this.#refused, sequence, false);
  }

  override onBeforeFlush(): void {
    const writer = this.#writer;
    if (!this.#acknowledged.isEmpty) {
      this.#acknowledged.drain((start, count) => writer.acknowledge(start, count));
    }
    if (!this.#refused.isEmpty) this.#refused.drain((start, count) => writer.refuse(start, count));
    if (this.#untold > 0) this.#adjustWindow();
    this.#adjustReading();
  }

  override onDrain(): void {
    this.#adjustReading();
  }

  /**
   * Counts a job in.
   *
   * It closes the connection itself instead of throwing: a job that had to be decompressed comes
   * from a promise, where nobody would catch it.
   */
  #admit(sequence: number): boolean {
    const expected = this.#nextSequence;
    if (sequence !== expected) {
      const text = `peer sent job ${sequence}, the next one is ${expected}`;
      this.fail(new MsgError("MSG_PROTOCOL", text));
      return false;
    }
    if (this.unsettled >= this.#granted) {
      const text = `peer sent a job while ${this.unsettled} are unsettled`;
      this.fail(new MsgError("MSG_PROTOCOL", `${text}, its window is ${this.#granted}`));
      return false;
    }
    this.#nextSequence = (sequence + 1) >>> 0;
    this.unsettled++;
    if (!this.#isBusy) this.#onBusy();
    return true;
  }

  #tooLateSettler(): JobSettler {
    return {
      isTooLate: true,
      acknowledge: () => false,
      refuse: (_sequence, payload) => {
        this.#handlers.onLostJob(this, payload);
        return false;
      },
    };
  }

  #settle(ranges: JobRanges, sequence: number, isAcknowledged: boolean): boolean {
    this.unsettled--;
    const { phase, outbox } = this.connection;
    // Once it ended its side it reads no more; what it was not told it gives to somebody again.
    const isHeard = phase === "ready";
    if (isHeard) {
      ranges.add(sequence);
      this.#untold++;
      // Once in a turn of the event loop is enough, as long as the PUSH has more to give.
      if (this.#untold >= this.#window.size / 4) outbox.schedule();
      else if (!this.#isTelling) this.#tellLater();
    }
    this.#handlers.onSettled(isAcknowledged, isHeard);
    return isHeard;
  }

  #tellLater(): void {
    this.#isTelling = true;
    this.#runtime.nextTurn(this.#tell);
  }

  #onBusy(): void {
    this.#isBusy = true;
    this.#busySinceMs = this.#runtime.now();
  }

  #adjustWindow(): void {
    const count = this.#untold;
    this.#untold = 0;
    const nowMs = this.#runtime.now();
    const workedMs = nowMs - this.#busySinceMs;
    this.#busySinceMs = nowMs;
    this.#isBusy = this.unsettled > 0;
    if (this.#window.onSettled(count, workedMs) && !this.#isDraining) this.open();
  }

  /** A PUSH that sends but does not read must not make what we owe it grow without bound. */
  #adjustReading(): void {
    const { isFull } = this.connection.outbox;
    if (isFull === this.#isHeld) return;
    this.#isHeld = isFull;
    if (isFull) this.connection.hold();
    else this.connection.release();
  }
}
