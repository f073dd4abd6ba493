import type { Job } from "@msg-ts/core";
import type { Frame } from "./frames.ts";
import { isIntact, textOf } from "./payloads.ts";
import type { SimProcess } from "./sim-process.ts";
import type { TapLink } from "./tap-transport.ts";
import { linkNumber } from "./tap-transport.ts";
import type { World } from "./world.ts";

/** One job from its `send()` on, as an onlooker knows it. */
export interface JobRecord {
  readonly number: number;
  readonly text: string;
  readonly bytes: number;
  readonly by: SimProcess;
  readonly isTry: boolean;
  /** `send()` rejected: nobody will do it. */
  isRejected: boolean;
  /** Its PUSH told that it is given up. */
  isUndeliverable: boolean;
  /** Whole frames of it that were handed to a link. */
  writes: number;
  /** An application acknowledged it. */
  isDone: boolean;
  /** Its PUSH was told so. */
  isAcknowledged: boolean;
  /** How often an application was given it. */
  deliveries: number;
}

/** What was written on one link and not seen by an application yet: jobs come in order. */
interface LinkJobs {
  readonly bySequence: Map<number, JobRecord>;
  /** Ordinals of the writes of each job, oldest first. */
  readonly underWay: Map<number, number[]>;
}

/** What every job went through, from what was written, told and taken. */
export class JobModel {
  readonly jobs: JobRecord[] = [];
  readonly #world: World;
  readonly #links: Map<number, LinkJobs> = new Map();

  constructor(world: World) {
    this.#world = world;
  }

  add(by: SimProcess, bytes: number, isTry: boolean): JobRecord {
    const number = this.jobs.length;
    const text = `job ${number}`;
    const job: JobRecord = {
      number,
      text,
      bytes: Math.max(bytes, 12, text.length + 1),
      by,
      isTry,
      isRejected: false,
      isUndeliverable: false,
      writes: 0,
      isDone: false,
      isAcknowledged: false,
      deliveries: 0,
    };
    this.jobs.push(job);
    return job;
  }

  of(payload: Uint8Array): JobRecord | undefined {
    return this.jobs[Number(textOf(payload).replace("job ", ""))];
  }

  /** An application did a job. */
  onDone(job: JobRecord): void {
    if (!job.isDone) this.#world.count("delivered");
    job.isDone = true;
  }

  /** A PUSH handed a whole frame to its link. */
  onWritten(link: TapLink, frame: Frame): void {
    if (frame.type !== "job") return;
    const job = this.of(frame.payload);
    if (job === undefined) {
      this.#world.fail(`a job was written that nobody sent: ${textOf(frame.payload)}`);
      return;
    }
    const { bySequence, underWay } = this.#linkOf(link.number);
    if (frame.sequence !== bySequence.size) {
      this.#world.fail(`${job.text} has number ${frame.sequence}, ${bySequence.size} is next`);
    }
    bySequence.set(frame.sequence, job);
    if (job.isAcknowledged) this.#world.fail(`${job.text} is written again, it was acknowledged`);
    if (job.isRejected) this.#world.fail(`${job.text} is written, its send() rejected`);
    if (frame.earlier !== Math.min(15, job.writes)) {
      this.#world.fail(`${job.text} says ${frame.earlier} earlier deliveries, had ${job.writes}`);
    }
    underWay.set(job.number, [...(underWay.get(job.number) ?? []), job.writes]);
    job.writes++;
  }

  /** A PUSH was told what became of jobs. */
  onSettled(link: TapLink, frame: Frame): void {
    if (frame.type !== "flow" || frame.op !== 1) return;
    const { bySequence } = this.#linkOf(link.number);
    for (let i = 0; i < frame.count; i++) {
      const job = bySequence.get(frame.sequence + i);
      if (job === undefined)
        this.#world.fail(`job ${frame.sequence + i} of nobody was acknowledged`);
      else {
        if (!job.isDone) this.#world.fail(`${job.text} is acknowledged, nobody did it`);
        job.isAcknowledged = true;
      }
    }
  }

  /** An application was given a job. */
  onDelivered(job: Job): JobRecord | undefined {
    const record = this.of(job.payload);
    if (record === undefined || !isIntact(job.payload, record.text, record.bytes)) {
      this.#world.fail(`a job came that was not sent so: ${textOf(job.payload)}`);
      return undefined;
    }
    const ordinals = this.#linkOf(linkNumber(job.peer.address)).underWay.get(record.number) ?? [];
    // Older ones could not be read there, and were given back.
    const at = ordinals.findIndex((ordinal) => job.deliveryCount === Math.min(16, ordinal + 1));
    if (at >= 0) ordinals.splice(0, at + 1);
    else {
      const said = `${record.text} has deliveryCount ${job.deliveryCount}`;
      const truth = ordinals.map((ordinal) => ordinal + 1).join(", ");
      this.#world.fail(`${said}, under way to who took it were deliveries ${truth || "none"}`);
    }
    record.deliveries++;
    return record;
  }

  /** A job that was given back, or that nobody can read, may come again on the same link. */
  #linkOf(number: number): LinkJobs {
    let link = this.#links.get(number);
    if (link === undefined) {
      link = { bySequence: new Map(), underWay: new Map() };
      this.#links.set(number, link);
    }
    return link;
  }
}
