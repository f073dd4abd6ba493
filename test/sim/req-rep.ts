import type { Request } from "@msg-ts/core";
import { MsgError, ReplyError, RepSocket, ReqSocket } from "@msg-ts/core";
import { payloadOf } from "./payloads.ts";
import type { RequestRecord } from "./request-model.ts";
import { RequestModel } from "./request-model.ts";
import type { SimNode } from "./scenario.ts";
import { Scenario } from "./scenario.ts";
import type { Step, Weights } from "./schedule.ts";
import type { AnySocket, ProcessHandlers, SimProcess } from "./sim-process.ts";
import type { World } from "./world.ts";

/** A deadline is noticed up to so much late. */
const sweepMs = 5;

/** A request that an application holds. */
interface Held {
  readonly request: Request;
  readonly record: RequestRecord;
  readonly by: SimProcess;
  /** Its handler goes on until it is answered by hand, and throws then. */
  readonly end?: (error: Error) => void;
}

interface AskedOptions {
  readonly bytes: number;
  readonly retry: boolean;
  readonly failFast: boolean;
  readonly timeoutMs: number;
  readonly abort: AbortController | undefined;
}

type Bounds = Readonly<Record<"maxInFlight" | "maxQueued" | "maxQueuedBytes", number>>;
type RepBounds = Readonly<Record<"maxPending" | "maxPendingBytes" | "answerTimeoutMs", number>>;

/** REQ and REP: every request ends, by its deadline, with its own answer or an error that is true. */
export class ReqRepScenario extends Scenario {
  protected readonly weights: Weights = [
    ["ask", 18],
    ["burst", 3],
    ["abort", 2],
    ["take", 6],
    ["answer", 8],
  ];
  readonly #model: RequestModel;
  readonly #held: Held[] = [];
  readonly #bounds: Map<string, Bounds> = new Map();
  readonly #repBounds: Map<string, RepBounds> = new Map();

  constructor(world: World) {
    super(world);
    this.#model = new RequestModel(world);
    this.join("REQ", "REP");
  }

  protected makeSocket(node: SimNode): { socket: AnySocket; handlers: ProcessHandlers } {
    return node.type === "REQ" ? this.#makeReq(node) : this.#makeRep(node);
  }

  #makeReq(node: SimNode): { socket: AnySocket; handlers: ProcessHandlers } {
    const random = this.nodeDice(node, "req");
    const bounds: Bounds = {
      maxInFlight: 1 + Math.floor(random() * 8),
      maxQueued: Math.floor(random() * 25),
      maxQueuedBytes: Math.floor(random() * 4_000),
    };
    const { process } = node;
    this.#bounds.set(process.name, bounds);
    const socket = new ReqSocket(process.transport, {
      ...this.socketOptions(node),
      ...bounds,
      codec: this.codecOf(process),
    });
    return { socket, handlers: {} };
  }

  #makeRep(node: SimNode): { socket: AnySocket; handlers: ProcessHandlers } {
    const random = this.nodeDice(node, "rep");
    const bounds: RepBounds = {
      maxPending: 1 + Math.floor(random() * 8),
      maxPendingBytes: 50 + Math.floor(random() * 1_500),
      answerTimeoutMs: [20, 100, 1_000][Math.floor(random() * 3)] ?? 20,
    };
    const { process } = node;
    this.#repBounds.set(process.name, bounds);
    const socket = new RepSocket(process.transport, {
      ...this.socketOptions(node),
      ...bounds,
      ...this.gates.authorizer(process.name),
      codec: this.codecOf(process),
      authorization: { timeoutMs: 200, holdsForMs: 50 },
      maxUnsentReplyBytes: 200 + Math.floor(random() * 3_000),
    });
    if (random() < 0.6) this.#serve(process, socket, [1, 2, 256][Math.floor(random() * 3)] ?? 1);
    const handlers: ProcessHandlers = {
      onReceived: (link, frame) => this.#model.onAsked(link, frame),
      onSent: (link, frame) => this.#model.onAnswered(link, frame),
    };
    return { socket, handlers };
  }

  #serve(process: SimProcess, socket: RepSocket, concurrency: number): void {
    socket.on("error", () => {});
    socket.serve((request) => this.#handle(process, request), { concurrency });
  }

  /** Answers at once, later, wrongly, or not at all: each by its number. */
  #handle(process: SimProcess, request: Request): Uint8Array | Promise<Uint8Array> {
    const record = this.#onRequest(process, request);
    if (record === undefined) return new Promise(() => {});
    const how = this.world.dice(`handle ${record.number} ${record.seen}`)();
    if (this.world.isQuiet || how < 0.4) return this.#answerOf(record);
    if (how < 0.5) throw new ReplyError("NOPE", "not this one");
    if (how < 0.55) throw new Error("a secret");
    if (how < 0.6) {
      request.respond(this.#answerOf(record));
      throw new Error("answered, and threw");
    }
    if (how < 0.7) {
      return new Promise((_, end) => this.#held.push({ request, record, by: process, end }));
    }
    return new Promise((resolve, reject) => {
      this.world.clock.setTimer(() => {
        if (how < 0.75) reject(new ReplyError("NOPE", "later"));
        else resolve(this.#answerOf(record));
      }, how * 60);
    });
  }

  #onRequest(process: SimProcess, request: Request): RequestRecord | undefined {
    if (process.isDead) return undefined;
    this.codecOf(process)?.check(request);
    const record = this.#model.onGiven(process, request.peer.id, request.payload);
    this.world.note(`${process.name} is given ${record?.text ?? ""}`);
    return record;
  }

  #answerOf(record: RequestRecord): Uint8Array {
    const size = this.world.dice(`size ${record.number}`)();
    const { text, bytes } = this.#model.answer(record, size < 0.1 ? 1_500 : Math.floor(size * 80));
    return payloadOf(text, bytes);
  }

  protected take({ op, a, b, c }: Step): void {
    switch (op) {
      case "ask":
        this.#ask(a, b, c);
        return;
      case "burst":
        for (let i = 0; i < 2 + (c % 10); i++) this.#ask(a, b + i, c + i * 13);
        return;
      case "abort": {
        const waiting = this.#model.requests.filter((one) => !one.hasEnded && one.abort);
        const chosen = waiting[a % waiting.length];
        if (chosen !== undefined) chosen.abortedMs = this.world.now;
        chosen?.abort?.abort(new Error("aborted"));
        return;
      }
      case "take":
        this.#receive(a);
        return;
      case "answer":
        this.#answer(this.#held.splice(a % (this.#held.length + 1), 1)[0], b);
    }
  }

  #ask(a: number, b: number, c: number): void {
    const process = this.live("REQ", a)?.process as SimProcess<ReqSocket> | undefined;
    if (process === undefined) return;
    this.#request(process, {
      bytes: [0, 30, 100, 500][b % 4] ?? 0,
      retry: c % 3 === 0,
      failFast: c % 11 === 0,
      timeoutMs: [0, 40, 200, 1_000, 5_000][c % 5] ?? 40,
      abort: c % 7 === 0 ? new AbortController() : undefined,
    });
  }

  #request(process: SimProcess<ReqSocket>, asked: AskedOptions): RequestRecord {
    const { timeoutMs, ...rest } = asked;
    const deadlineMs = this.world.now + timeoutMs;
    const record = this.#model.add({ ...rest, by: process, deadlineMs });
    const { retry, failFast, text, bytes, abort } = record;
    const before = process.socket.stats();
    const reply = process.socket.request(payloadOf(text, bytes), {
      timeoutMs,
      retry,
      failFast,
      signal: abort?.signal,
    });
    this.#checkQueued(process, before.queued, before.queuedBytes, record);
    const byMs = (): number =>
      process.isGone ? 0 : Math.min(deadlineMs + sweepMs, record.abortedMs);
    this.world.watch(text, byMs, reply, {
      onValue: (message) => {
        this.codecOf(process)?.check(message);
        this.#model.onReply(record, message.payload);
      },
      onError: (error) => this.#model.onError(record, error),
    });
    return record;
  }

  /** The queue may grow beyond its bound only by what comes back. */
  #checkQueued(
    process: SimProcess<ReqSocket>,
    queued: number,
    queuedBytes: number,
    record: RequestRecord,
  ): void {
    const { maxQueued, maxQueuedBytes } = this.#boundsOf(process);
    const after = process.socket.stats();
    if (after.queued > Math.max(queued, maxQueued)) {
      this.world.fail(`${process.name} queues ${after.queued}, maxQueued is ${maxQueued}`);
    }
    if (after.queuedBytes <= Math.max(queuedBytes, maxQueuedBytes)) return;
    if (queuedBytes > 0 || after.queuedBytes > record.bytes) {
      this.world.fail(
        `${process.name} queues ${after.queuedBytes} bytes, ${maxQueuedBytes} may be`,
      );
    }
  }

  #boundsOf({ name }: SimProcess): Bounds {
    return this.#bounds.get(name) ?? { maxInFlight: 0, maxQueued: 0, maxQueuedBytes: 0 };
  }

  #receive(a: number): void {
    const process = this.live("REP", a)?.process as SimProcess<RepSocket> | undefined;
    if (process === undefined) return;
    const startMs = this.world.now;
    const promise = process.socket.receive({ timeoutMs: a % 50 });
    this.world.watch(`receive at ${process.name}`, () => startMs + 50, promise, {
      onValue: (request) => {
        const record = this.#onRequest(process, request);
        if (record !== undefined) this.#held.push({ request, record, by: process });
      },
      onError: (error) => {
        const isRight = MsgError.is(error, "MSG_TIMEOUT") || MsgError.is(error, "MSG_CLOSED");
        if (!isRight) this.world.fail(`receive rejects: ${String(error)}`);
      },
    });
  }

  #answer(held: Held | undefined, b: number): void {
    if (held === undefined || held.by.isDead) return;
    const { request, record, end } = held;
    end?.(new Error("answered by hand"));
    if (b % 5 === 0) request.fail("NOPE", "said by hand");
    else request.respond(this.#answerOf(record));
    try {
      request.respond(this.#answerOf(record));
      this.world.fail(`${record.text} can be answered twice`);
    } catch (error) {
      if (!MsgError.is(error, "MSG_ALREADY_ANSWERED")) throw error;
    }
  }

  protected check(process: SimProcess): void {
    if (process.socketType === "REQ") this.#checkReq(process as SimProcess<ReqSocket>);
    else this.#checkRep(process as SimProcess<RepSocket>);
  }

  #checkReq(process: SimProcess<ReqSocket>): void {
    const { pending, queued, inFlight } = process.stats;
    const { maxInFlight, maxQueued } = this.#boundsOf(process);
    const known = this.#model.openOf(process);
    if (known !== pending) {
      this.world.fail(`${process.name} has ${pending} requests, ${known} have no end`);
    }
    const most = maxInFlight * process.mostPeers;
    if (inFlight > most)
      this.world.fail(`${process.name} has ${inFlight} in flight, ${most} may be`);
    if (queued > maxQueued + most) {
      this.world.fail(`${process.name} queues ${queued}, ${maxQueued} may wait, ${most} come back`);
    }
  }

  #checkRep(process: SimProcess<RepSocket>): void {
    const { pending, queued } = process.stats;
    const { maxPending = 0 } = this.#repBounds.get(process.name) ?? {};
    if (queued > pending) this.world.fail(`${process.name} queues ${queued} of ${pending} pending`);
    if (pending > maxPending * process.mostPeers) {
      this.world.fail(`${process.name} has ${pending} pending, maxPending is ${maxPending}`);
    }
  }

  protected settleDown(): void {
    for (const held of this.#held.splice(0)) this.#answer(held, 1);
    for (const { process } of this.nodes) {
      if (process.socketType !== "REP" || !process.isLive) continue;
      try {
        this.#serve(process, process.socket as RepSocket, 256);
      } catch (error) {
        if (!MsgError.is(error, "MSG_INVALID_STATE")) throw error;
      }
    }
  }

  /** May be asked twice, so that what is left of a lost connection is no reason to fail. */
  protected workOn(): void {
    for (const { process } of this.nodes) {
      if (process.socketType !== "REQ") continue;
      const record = this.#request(process as SimProcess<ReqSocket>, {
        bytes: 100,
        retry: true,
        failFast: false,
        timeoutMs: 10_000,
        abort: undefined,
      });
      record.mustSucceed = true;
    }
  }

  protected get unfinished(): string | undefined {
    const open = this.#model.requests.find(({ hasEnded, by }) => !hasEnded && !by.isDead);
    if (open !== undefined) return `${open.text} has no end`;
    for (const { process } of this.nodes) {
      if (process.socketType !== "REP" || !process.isLive) continue;
      const { pending } = (process.socket as RepSocket).stats();
      if (pending > 0) return `${process.name} has ${pending} requests without an end`;
    }
    return undefined;
  }

  /** That all have their end is all there is to it. */
  protected checkEnd(): void {}
}
