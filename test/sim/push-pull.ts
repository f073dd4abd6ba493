import type { Job, PullOptions } from "@msg-ts/core";
import { MsgError, PullSocket, PushSocket } from "@msg-ts/core";
import { JobLedger } from "./job-ledger.ts";
import type { JobRecord } from "./job-model.ts";
import { JobModel } from "./job-model.ts";
import { payloadOf } from "./payloads.ts";
import type { SimNode } from "./scenario.ts";
import { Scenario } from "./scenario.ts";
import type { Step, Weights } from "./schedule.ts";
import type { AnySocket, ProcessHandlers, SimProcess } from "./sim-process.ts";
import type { World } from "./world.ts";

/** A job that an application holds. */
interface Held {
  readonly job: Job;
  readonly record: JobRecord;
  readonly by: SimProcess;
}

/** PUSH and PULL: every job is done, or somebody is told; and no job is lost or counted twice. */
export class PushPullScenario extends Scenario {
  protected readonly weights: Weights = [
    ["send", 16],
    ["burst", 3],
    ["trySend", 4],
    ["abort", 2],
    ["take", 8],
    ["ack", 8],
    ["nack", 2],
    ["loop", 1],
    ["batch", 1],
    ["settled", 0.6],
  ];
  readonly #model: JobModel;
  readonly #ledgers: Map<SimProcess, JobLedger> = new Map();
  readonly #windows: Map<SimProcess, number> = new Map();
  readonly #held: Held[] = [];
  readonly #atMostOnce: boolean;

  constructor(world: World) {
    super(world);
    this.#model = new JobModel(world);
    this.#atMostOnce = this.random() < 0.15;
    this.join("PUSH", "PULL");
  }

  protected makeSocket(node: SimNode): { socket: AnySocket; handlers: ProcessHandlers } {
    return node.type === "PUSH" ? this.#makePush(node) : this.#makePull(node);
  }

  #makePush(node: SimNode): { socket: AnySocket; handlers: ProcessHandlers } {
    const random = this.nodeDice(node, "push");
    const options = {
      maxUnacked: 1 + Math.floor(random() * 8),
      maxUnackedBytes: 50 + Math.floor(random() * 1_000),
      maxWaiting: 1 + Math.floor(random() * 12),
      maxWaitingBytes: 100 + Math.floor(random() * 3_000),
      maxDeliveries: random() < 0.3 ? 1 + Math.floor(random() * 4) : 1_000,
      redeliveryDelayMs: 5,
      maxRedeliveryDelayMs: 40,
      ...(this.#atMostOnce ? { delivery: "at-most-once" as const } : {}),
    };
    const { process } = node;
    const socket = new PushSocket(process.transport, {
      ...this.socketOptions(node),
      ...options,
      codec: this.codecOf(process),
    });
    const pushing = process as SimProcess<PushSocket>;
    const ledger = new JobLedger(this.world, this.#model, pushing, options);
    this.#ledgers.set(process, ledger);
    const handlers: ProcessHandlers = {
      onSent: (link, frame) => this.#model.onWritten(link, frame),
      onReceived: (link, frame) => {
        if (!this.#atMostOnce) this.#model.onSettled(link, frame);
      },
      onEvent: (name, detail) => ledger.onEvent(name, detail),
    };
    return { socket, handlers };
  }

  #makePull(node: SimNode): { socket: AnySocket; handlers: ProcessHandlers } {
    const random = this.nodeDice(node, "pull");
    const window = 1 + Math.floor(random() * 10);
    const options: PullOptions = {
      window,
      maxQueuedBytes: 100 + Math.floor(random() * 1_000),
      ...(this.#atMostOnce && random() < 0.5 ? { delivery: "at-most-once" as const } : {}),
    };
    const { process } = node;
    const socket = new PullSocket(process.transport, {
      ...this.socketOptions(node),
      ...options,
      codec: this.codecOf(process),
    });
    this.#windows.set(process, window);
    if (random() < 0.5) this.#consume(process, socket, random() < 0.5 ? 1 : 3);
    return { socket, handlers: {} };
  }

  /** Does jobs at once, later, or not at all: each by its number, whatever else happens. */
  #consume(process: SimProcess, socket: PullSocket, concurrency: number): void {
    const { world } = this;
    const handler = (job: Job): void | Promise<void> => {
      const record = this.#onJob(process, job);
      if (record === undefined) return new Promise(() => {});
      const how = world.dice(`do ${record.number} ${record.deliveries}`)();
      const done = (): void => this.#onDone(process, record);
      if (world.isQuiet || how < 0.5) return done();
      if (how < 0.6) throw new Error("cannot");
      return new Promise((resolve, reject) => {
        world.clock.setTimer(() => {
          if (how < 0.7) return reject(new Error("cannot"));
          done();
          resolve();
        }, how * 60);
      });
    };
    socket.on("error", () => {});
    const lend = world.dice(`lend ${process.name}`)() < 0.3;
    socket.consume(handler, { concurrency, lend });
  }

  #onDone(process: SimProcess, record: JobRecord): void {
    if (!process.isDead) this.#model.onDone(record);
  }

  #onJob(process: SimProcess, job: Job): JobRecord | undefined {
    if (process.isDead) return undefined;
    this.world.note(`${process.name} takes ${job.text().replace(/\0+$/, "")} ${job.deliveryCount}`);
    this.codecOf(process)?.check(job);
    return this.#model.onDelivered(job);
  }

  protected async take({ op, a, b, c }: Step): Promise<void> {
    switch (op) {
      case "send":
        this.#send(a, b, c);
        return;
      case "burst":
        for (let i = 0; i < 2 + (c % 8); i++) this.#send(a, b + i, c + i * 7);
        return;
      case "trySend":
        this.#trySend(a, b);
        return;
      case "abort": {
        const { aborts } = this.pick([...this.#ledgers.values()], a);
        aborts.splice(b % (aborts.length + 1), 1)[0]?.abort(new Error("aborted"));
        return;
      }
      case "take":
        this.#take(a);
        return;
      case "ack":
      case "nack":
        this.#settle(this.#held.splice(a % (this.#held.length + 1), 1)[0], op);
        return;
      case "settled":
        this.#settled(a, b);
        return;
      case "batch":
        await this.#batch(a, b);
        return;
      case "loop":
        await this.#loop(a, b);
    }
  }

  #ledgerOf(node: SimNode | undefined): JobLedger | undefined {
    return node === undefined ? undefined : this.#ledgers.get(node.process);
  }

  #send(a: number, b: number, c: number): void {
    const ledger = this.#ledgerOf(this.live("PUSH", a));
    if (ledger === undefined) return;
    const { process } = ledger;
    const { socket } = process;
    const job = this.#model.add(process, [0, 20, 60, 200, 700][b % 5] ?? 0, false);
    const timeoutMs = c % 4 === 0 ? 20 + (c % 300) : Infinity;
    const abort = c % 5 === 0 ? new AbortController() : undefined;
    if (abort !== undefined) ledger.aborts.push(abort);
    const before = socket.stats();
    const signal = abort?.signal;
    let result: Promise<void> | undefined;
    try {
      result = socket.send(payloadOf(job.text, job.bytes), { timeoutMs, signal });
    } catch (error) {
      ledger.onThrow(job, error, before.waiting);
      return;
    }
    ledger.accepted++;
    this.world.count("sent");
    const after = socket.stats();
    const { maxWaiting } = ledger.bounds;
    // One that a compressor has waits beside those for which there is no PULL.
    if (after.waiting > maxWaiting + 1) {
      this.world.fail(`${after.waiting} sends wait, maxWaiting is ${maxWaiting}`);
    }
    if (result === undefined) return;
    const startMs = this.world.now;
    const byMs = (): number => (process.isGone ? 0 : startMs + timeoutMs);
    this.world.watch(`send of ${job.text}`, byMs, result, {
      onValue: () => {},
      onError: (error) => ledger.onRejected(job, error, startMs + timeoutMs, signal),
    });
  }

  #trySend(a: number, b: number): void {
    const ledger = this.#ledgerOf(this.live("PUSH", a));
    if (ledger === undefined) return;
    const job = this.#model.add(ledger.process, b % 100, true);
    try {
      if (ledger.process.socket.trySend(payloadOf(job.text, job.bytes))) {
        ledger.accepted++;
        this.world.count("sent");
      } else job.isRejected = true;
    } catch (error) {
      job.isRejected = true;
      if (!MsgError.is(error, "MSG_COMPRESS_FAILED")) this.world.fail(`trySend: ${String(error)}`);
    }
  }

  #take(a: number): void {
    const process = this.live("PULL", a)?.process as SimProcess<PullSocket> | undefined;
    if (process === undefined) return;
    const startMs = this.world.now;
    const promise = process.socket.receive({ timeoutMs: a % 50 });
    this.world.watch(`receive at ${process.name}`, () => startMs + 50, promise, {
      onValue: (job) => {
        const record = this.#onJob(process, job);
        if (record !== undefined) this.#held.push({ job, record, by: process });
      },
      onError: (error) => {
        const isRight = MsgError.is(error, "MSG_TIMEOUT") || MsgError.is(error, "MSG_CLOSED");
        if (!isRight) this.world.fail(`receive rejects: ${String(error)}`);
      },
    });
  }

  #settle(held: Held | undefined, how: "ack" | "nack"): void {
    if (held === undefined || held.by.isDead) return;
    const { job, record } = held;
    if (how === "nack") {
      job.nack();
      return;
    }
    this.#model.onDone(record);
    job.ack();
    if (job.ack() || job.nack()) this.world.fail(`${record.text} can be settled twice`);
  }

  /** A loop that asks for some jobs and leaves: what it asks behind it acknowledges. */
  async #loop(a: number, b: number): Promise<void> {
    const process = this.live("PULL", a)?.process as SimProcess<PullSocket> | undefined;
    if (process === undefined) return;
    const iterator = process.socket[Symbol.asyncIterator]();
    let last: JobRecord | undefined;
    for (let i = 0; i < 1 + (b % 4); i++) {
      if (last !== undefined) this.#onDone(process, last);
      last = undefined;
      const next = iterator.next();
      let result: IteratorResult<Job> | undefined;
      void next.then((value) => (result = value));
      await this.world.settle();
      if (result === undefined || result.done === true) break;
      last = this.#onJob(process, result.value);
    }
    await iterator.return?.();
  }

  /** A batch: asking for the next one acknowledges all of it, leaving gives all of it back. */
  async #batch(a: number, b: number): Promise<void> {
    const process = this.live("PULL", a)?.process as SimProcess<PullSocket> | undefined;
    if (process === undefined) return;
    const iterator = process.socket.batches({ maxMessages: 1 + (b % 4) });
    let last: (JobRecord | undefined)[] = [];
    for (let i = 0; i < 1 + (b % 3); i++) {
      for (const record of last) if (record !== undefined) this.#onDone(process, record);
      let result: IteratorResult<readonly Job[]> | undefined;
      void iterator.next().then((value) => (result = value));
      await this.world.settle();
      if (result === undefined || result.done === true) break;
      last = result.value.map((job: Job) => this.#onJob(process, job));
    }
    await iterator.return?.();
  }

  #settled(a: number, b: number): void {
    const ledger = this.#ledgerOf(this.live("PUSH", a));
    if (ledger === undefined) return;
    const { process } = ledger;
    const timeoutMs = b % 500;
    const startMs = this.world.now;
    const byMs = (): number => (process.isGone ? 0 : startMs + timeoutMs);
    const promise = process.socket.settled({ timeoutMs });
    this.world.watch(`settled() of ${process.name}`, byMs, promise, {
      onValue: () => {},
      onError: (error) => {
        const isLate = MsgError.is(error, "MSG_TIMEOUT") && this.world.now >= startMs + timeoutMs;
        const isClosed = MsgError.is(error, "MSG_CLOSED") && process.isClosing;
        if (!isLate && !isClosed) this.world.fail(`settled() rejects: ${String(error)}`);
      },
    });
  }

  protected check(process: SimProcess): void {
    const ledger = this.#ledgers.get(process);
    if (ledger !== undefined) ledger.check();
    else this.#checkPull(process as SimProcess<PullSocket>);
  }

  #checkPull(process: SimProcess<PullSocket>): void {
    const { unsettled } = process.stats;
    const window = this.#windows.get(process) ?? 0;
    if (unsettled <= window * process.mostPeers) return;
    this.world.fail(`${process.name} has ${unsettled} unsettled jobs, its window is ${window}`);
  }

  protected settleDown(): void {
    for (const held of this.#held.splice(0)) this.#settle(held, "ack");
    for (const { process } of this.nodes) {
      if (process.socketType !== "PULL" || !process.isLive) continue;
      const socket = process.socket as PullSocket;
      try {
        this.#consume(process, socket, 2);
      } catch (error) {
        if (!MsgError.is(error, "MSG_INVALID_STATE")) throw error;
      }
    }
  }

  protected workOn(): void {
    for (let i = 0; i < 20; i++) this.#send(i, i, 1);
  }

  protected get unfinished(): string | undefined {
    for (const { process } of this.#ledgers.values()) {
      if (!process.isLive) continue;
      const { waiting, returned, unacknowledged } = process.socket.stats();
      const left = waiting + returned + unacknowledged;
      if (left > 0) return `${process.name} has ${left} jobs without an end`;
    }
    return undefined;
  }

  override tally(): void {
    for (const { reported } of this.#ledgers.values()) this.world.count("reported lost", reported);
  }

  /** What a PUSH that lived to the end was given was done, or it told that it was not. */
  protected checkEnd(): void {
    if (this.#atMostOnce) return;
    for (const job of this.#model.jobs) {
      if (!job.by.isLive || job.isRejected || job.isUndeliverable || job.isDone) continue;
      if (!job.isTry) this.world.fail(`${job.text} was accepted, nobody did it, nobody was told`);
    }
  }
}
