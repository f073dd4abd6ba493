import { emptyBytes } from "../../bytes.ts";
import type { PeerInfo } from "../../contracts/authenticator.ts";
import type { FrameDecoder, PushSink, PushWriter, WireContext } from "../../contracts/protocol.ts";
import type { Connection } from "../../connection/connection.ts";
import type { WirePayload } from "../../wire/compression.ts";
import { JobRing } from "./job-ring.ts";
import { Peer } from "../peer.ts";
import { PushJob } from "./push-job.ts";
import type { ResolvedPushOptions } from "./push-options.ts";

/** Who is told what a PULL said. */
export interface FlowHandlers {
  /** More jobs may go to it now, or it has fewer unsettled. */
  onRoom(): void;
  /** It settled `count` jobs that were unsettled, and named `ignored` that were not. */
  onAcknowledged(count: number, ignored: number): void;
  /** It gives jobs back, oldest first, and named `ignored` that it did not have. */
  onRefused(peer: PushPeer, jobs: readonly PushJob<PushPeer>[], ignored: number): void;
  /** It said goodbye: it gets nothing more. */
  onDraining(peer: PushPeer): void;
}

/** How long a PULL that said goodbye may take to end its side too. */
const endLingerMs = 1_000;

/** A job that a PULL has: of one that went out plain, the first time, the payload tells everything. */
type UnsettledJob = Uint8Array | PushJob<PushPeer>;

/** A PULL as a PUSH sees it. */
export class PushPeer extends Peer implements PushSink {
  readonly decoder: FrameDecoder;
  readonly #writer: PushWriter;
  readonly #handlers: FlowHandlers;
  readonly #maxUnacked: number;
  readonly #maxUnackedBytes: number;
  /** At most once needs nothing of what was written. */
  readonly #keepsPayloads: boolean;
  /** False where a job is done once the transport took it. */
  readonly #isSettledByPeer: boolean;
  readonly #unsettled: JobRing<UnsettledJob> = new JobRing();
  /** What it allows, at most what we do. It allows nothing until it says so. */
  #window = 0;
  /** It said goodbye: it settles what it has, and gets no more. */
  #isDraining = false;

  constructor(
    info: PeerInfo,
    connection: Connection,
    context: WireContext,
    options: ResolvedPushOptions,
    handlers: FlowHandlers,
  ) {
    super(info, connection);
    this.#maxUnacked = options.maxUnacked;
    this.#maxUnackedBytes = options.maxUnackedBytes;
    this.#keepsPayloads = options.delivery === "at-least-once";
    this.#handlers = handlers;
    const wire = connection.protocol.open("PUSH", connection.outbox, this, context);
    this.decoder = wire.decoder;
    this.#writer = wire.writer;
    const { mostUntaken } = wire.writer;
    this.#isSettledByPeer = mostUntaken === undefined;
    if (mostUntaken !== undefined) this.#window = Math.min(mostUntaken, this.#maxUnacked);
  }

  /** It says nothing: a job that the transport took is done. */
  get isOneWay(): boolean {
    return !this.#isSettledByPeer;
  }

  get unsettled(): number {
    return this.#unsettled.size;
  }

  get unsettledBytes(): number {
    return this.#unsettled.bytes;
  }

  /** How many more jobs its window has room for; below 0 when the window shrank. */
  get freeWindow(): number {
    return this.#window - this.#unsettled.size;
  }

  /** Whether it may get a job now. */
  get hasRoom(): boolean {
    const unsettled = this.#unsettled;
    if (this.#window <= unsettled.size || this.#isDraining) return false;
    if (unsettled.bytes >= this.#maxUnackedBytes) return false;
    const { phase, outbox } = this.connection;
    return unsettled.hasSequence && phase === "ready" && !outbox.isFull;
  }

  /** Writes a job. Ask {@link hasRoom} first. */
  give(job: PushJob<PushPeer>, { compression, bytes }: WirePayload): void {
    const sequence = this.#unsettled.push(job, job.bytes);
    this.#writer.job(sequence, job.earlierDeliveries, compression, bytes);
    this.#unsettled.setEnd(this.connection.outbox.appendedBytes);
    if (!this.#keepsPayloads) job.forgetPayload();
  }

  /** Writes a job that nobody had, plain. Ask {@link hasRoom} first. Bench scenario: push-pull. */
  giveNew(payload: Uint8Array): void {
    const unsettled = this.#unsettled;
    const kept = this.#keepsPayloads ? payload : emptyBytes;
    this.#writer.job(unsettled.push(kept, payload.length), 0, 0, payload);
    unsettled.setEnd(this.connection.outbox.appendedBytes);
  }

  /** Takes back everything unsettled, oldest first: the connection is gone. */
  takeBack(): PushJob<PushPeer>[] {
    const jobs: PushJob<PushPeer>[] = [];
    this.#unsettled.takeAll((entry, endsAtByte) => jobs.push(jobOf(entry, endsAtByte)));
    return jobs;
  }

  onWindow(count: number): void {
    this.#window = Math.min(count, this.#maxUnacked);
    this.#handlers.onRoom();
  }

  onAcknowledged(sequence: number, count: number): void {
    const before = this.#unsettled.size;
    this.#unsettled.take(sequence, count);
    const acknowledged = before - this.#unsettled.size;
    this.#handlers.onAcknowledged(acknowledged, count - acknowledged);
    if (this.#isDraining) this.#endIfSettled();
  }

  onRefused(sequence: number, count: number): void {
    const jobs: PushJob<PushPeer>[] = [];
    const onEntry = (entry: UnsettledJob, endsAtByte: number): void => {
      jobs.push(jobOf(entry, endsAtByte));
    };
    this.#unsettled.take(sequence, count, onEntry);
    this.#handlers.onRefused(this, jobs, count - jobs.length);
    if (this.#isDraining) this.#endIfSettled();
  }

  onBye(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    this.#handlers.onDraining(this);
    this.#endIfSettled();
  }

  /** Who ended settles nothing any more: what it has need not wait for the end of our side. */
  override onPeerEnded(): void {
    this.connection.destroy();
  }

  override onTaken(): void {
    if (this.#isSettledByPeer) return;
    const taken = this.#unsettled.takeUpTo(this.connection.outbox.sentBytes);
    if (taken > 0) this.#handlers.onAcknowledged(taken, 0);
  }

  override onDrain(): void {
    this.#handlers.onRoom();
  }

  /** It has nothing of ours and gets nothing more: our end tells it that nothing is under way. */
  #endIfSettled(): void {
    if (this.#unsettled.size === 0) this.connection.close(endLingerMs);
  }
}

/** The job of its own that it becomes when it comes back. */
function jobOf(entry: UnsettledJob, endsAtByte: number): PushJob<PushPeer> {
  const job = entry instanceof PushJob ? entry : PushJob.ofPlain<PushPeer>(entry);
  job.endsAtByte = endsAtByte;
  return job;
}
