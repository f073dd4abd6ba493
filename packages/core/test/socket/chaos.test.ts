import assert from "node:assert/strict";
import process from "node:process";
import type { NaiveFrame } from "@msg-ts/testing";
import { naiveEncode } from "@msg-ts/testing";
import fc from "fast-check";
import { describe, it } from "vitest";
import type { Job } from "../../src/socket/push-pull/job.ts";
import { PullSocket } from "../../src/socket/push-pull/pull.ts";
import { PushSocket } from "../../src/socket/push-pull/push.ts";
import type { Request } from "../../src/socket/req-rep/request.ts";
import { Outcome, RawEnd, Scene } from "./scene.ts";
import { SlowCompressor } from "./slow-compressor.ts";

/** What an application does with a socket, one thing at a time. */
interface Subject {
  readonly socket: {
    bind(address: string): Promise<string>;
    connect(address: string): Promise<void>;
    close(options: { readonly lingerMs: number }): Promise<unknown>;
    readonly peers: readonly unknown[];
    stats(): object;
    on(name: "error", listener: () => void): () => void;
  };
  /** What a raw peer says first, when it has to say something. */
  readonly greeting: NaiveFrame | undefined;
  readonly calls: readonly ((random: number) => unknown)[];
  /** What must be 0 when all is over. */
  readonly empty: readonly string[];
}

/** Payloads of even length: what {@link SlowCompressor} takes away are zeros. */
function payloadOf(random: number): Uint8Array {
  return new Uint8Array((random % 50) * 2);
}

const topics = ["a", "a.b", "a.*", ">", "", "b"];

function topicOf(random: number): string {
  return topics[random % topics.length] ?? "";
}

function signalOf(random: number, signals: AbortController[]): { signal?: AbortSignal } {
  if (random % 3 !== 0) return {};
  const abort = new AbortController();
  signals.push(abort);
  return { signal: abort.signal };
}

/** A topic without wildcards. */
function publishable(random: number): string {
  return ["a", "a.b", "b", ""][random % 4] ?? "";
}

type Kind = "REQ" | "REP" | "PUB" | "SUB" | "PUSH" | "PULL";

function subjectOf(
  kind: Kind,
  scene: Scene,
  compressor: SlowCompressor,
  signals: AbortController[],
): Subject {
  const tight = {
    runtime: scene.runtime,
    compressor,
    minCompressBytes: 60,
    sendHighWaterBytes: 200,
    maxMessageBytes: 500,
    handshakeTimeoutMs: 200,
    reconnect: { minDelayMs: 5, maxDelayMs: 20 },
  };
  const abortAll = (): void => {
    for (const abort of signals.splice(0)) abort.abort(new Error("no more"));
  };
  switch (kind) {
    case "REQ": {
      const socket = scene.req({ ...tight, maxInFlight: 3, maxQueued: 5, timeoutMs: 100 });
      const calls = [
        (random: number) => socket.request(payloadOf(random), signalOf(random, signals)),
        (random: number) => socket.request(payloadOf(random), { retry: true }),
        () => socket.ready({ timeoutMs: 50 }),
        abortAll,
      ];
      const empty = ["pending", "queued", "queuedBytes", "inFlight"];
      return { socket, greeting: { type: "hello", socketType: 2, name: "" }, calls, empty };
    }
    case "REP": {
      const socket = scene.rep({ ...tight, maxPending: 3, answerTimeoutMs: 100, answerPing: true });
      const held: Request[] = [];
      const take = async (): Promise<void> => {
        held.push(await socket.receive({ timeoutMs: 20 }));
      };
      const answer = (random: number): void => {
        const request = held.shift();
        if (request === undefined) return;
        request.signal.addEventListener("abort", () => held.pop()?.fail("ABORTED", ""));
        if (random % 2 === 0) request.respond(payloadOf(random));
        else request.fail("NO", "because");
      };
      return { socket, greeting: undefined, calls: [take, answer], empty: ["pending", "queued"] };
    }
    case "PUB": {
      const whenSlow = (["drop-newest", "drop-oldest", "disconnect", "wait"] as const)[
        signals.length % 4
      ];
      const socket = scene.pub({
        ...tight,
        whenSlow,
        maxQueued: 3,
        maxWaiting: 5,
        heartbeatMs: 50,
      });
      const calls = [
        (random: number) =>
          socket.publish(publishable(random), payloadOf(random), signalOf(random, signals)),
        (random: number) => socket.waitForSubscriber(publishable(random), { timeoutMs: 30 }),
        abortAll,
      ];
      return { socket, greeting: undefined, calls, empty: ["queued", "waiting", "subscriptions"] };
    }
    case "SUB": {
      const socket = scene.sub({ ...tight, maxQueued: 4, heartbeatMs: 50 });
      const calls = [
        (random: number) => socket.subscribe(topicOf(random), { timeoutMs: 40 }),
        (random: number) => socket.unsubscribe(topicOf(random)),
        () => socket.receive({ timeoutMs: 10 }),
        (random: number) => socket.receive({ timeoutMs: 100, ...signalOf(random, signals) }),
        abortAll,
      ];
      const greeting = { type: "hello", socketType: 3, name: "" } as const;
      return { socket, greeting, calls, empty: ["queued"] };
    }
    case "PUSH": {
      const options = { ...tight, maxUnacked: 3, maxWaiting: 5, redeliveryDelayMs: 10 };
      const socket = scene.own(new PushSocket(scene.network, { ...options, maxDeliveries: 3 }));
      const calls = [
        (random: number) => socket.send(payloadOf(random), signalOf(random, signals)),
        (random: number) => socket.trySend(payloadOf(random)),
        abortAll,
      ];
      const greeting = { type: "hello", socketType: 6, name: "" } as const;
      return { socket, greeting, calls, empty: ["waiting", "returned", "unacknowledged"] };
    }
    default: {
      const socket = scene.own(new PullSocket(scene.network, { ...tight, window: 4 }));
      const held: Job[] = [];
      const calls = [
        async () => void held.push(await socket.receive({ timeoutMs: 20 })),
        () => held.shift()?.ack(),
        () => held.pop()?.nack(),
      ];
      const greeting = { type: "hello", socketType: 5, name: "" } as const;
      return { socket, greeting, calls, empty: ["queued", "unsettled"] };
    }
  }
}

const smallId = fc.oneof(fc.nat(6), fc.constantFrom(0xffff_ffff, 0xffff_fffe));
const compression = fc.constantFrom(0, 0, 0, 5, 6);
const payload = fc.uint8Array({ maxLength: 60 });
const topic = fc.constantFrom(...topics, "MSG.odd");

const frames: fc.Arbitrary<NaiveFrame> = fc.oneof(
  fc.record({ type: fc.constant("request" as const), id: smallId, compression, payload }),
  fc.record({ type: fc.constant("reply" as const), id: smallId, compression, payload }),
  fc.record({
    type: fc.constant("error reply" as const),
    id: smallId,
    code: fc.constantFrom("MSG_DRAINING", "MSG_NO_ANSWER", "MINE", ""),
    message: fc.string({ maxLength: 5 }),
  }),
  fc.record({
    type: fc.constant("message" as const),
    topic,
    timeMicros: fc.nat(),
    sequence: smallId,
    compression,
    payload,
  }),
  fc.record({
    type: fc.constantFrom("subscribe" as const, "unsubscribe" as const),
    topic,
    timeMicros: fc.constant(0),
  }),
  fc.constant({ type: "extensions" as const }),
  fc.record({
    type: fc.constantFrom("mark" as const, "publisher drains" as const),
    sequence: smallId,
  }),
  fc.record({ type: fc.constant("subscribed" as const), topic, sequence: smallId }),
  fc.record({
    type: fc.constant("job" as const),
    sequence: fc.nat(6),
    earlierDeliveries: fc.nat(15),
    compression,
    payload,
  }),
  fc.record({ type: fc.constant("window" as const), count: fc.nat(5) }),
  fc.record({
    type: fc.constantFrom("ack" as const, "nack" as const),
    sequence: fc.nat(6),
    count: fc.integer({ min: 1, max: 3 }),
  }),
  fc.constant({ type: "pull drains" as const }),
);

/** Which frames a socket may legally be sent: the others end the connection at once. */
const legal: Readonly<Record<Kind, readonly NaiveFrame["type"][]>> = {
  REQ: ["reply", "error reply"],
  REP: ["request"],
  PUB: ["subscribe", "unsubscribe", "extensions"],
  SUB: ["message", "mark", "subscribed", "publisher drains"],
  PUSH: ["window", "ack", "nack", "pull drains"],
  PULL: ["job"],
};

type Step =
  | { readonly do: "call" | "pass" | "dial" | "compress"; readonly random: number }
  | { readonly do: "frame"; readonly random: number; readonly frame: NaiveFrame }
  | { readonly do: "cut" | "end" | "pause" | "resume" | "bytes"; readonly random: number };

function stepsFor(kind: Kind): fc.Arbitrary<Step[]> {
  const random = fc.nat(1_000);
  const good = frames.filter(({ type }) => legal[kind].includes(type));
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 8, arbitrary: fc.record({ do: fc.constant("call" as const), random }) },
    { weight: 8, arbitrary: fc.record({ do: fc.constant("frame" as const), random, frame: good }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constantFrom("dial" as const, "compress" as const), random }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("pass" as const), random }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constantFrom("pause" as const, "resume" as const), random }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constantFrom("cut" as const, "end" as const), random }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant("frame" as const), random, frame: frames }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("bytes" as const), random }) },
  );
  return fc.array(step, { minLength: 5, maxLength: 60 });
}

class Chaos {
  readonly #scene = new Scene({ takesDown: false });
  readonly #compressor = new SlowCompressor();
  readonly #signals: AbortController[] = [];
  readonly #ends: RawEnd[] = [];
  readonly #outcomes: Outcome<unknown>[] = [];
  readonly #subject: Subject;

  constructor(kind: Kind) {
    this.#scene.network.linkOptions = { capacityBytes: 300 };
    this.#subject = subjectOf(kind, this.#scene, this.#compressor, this.#signals);
  }

  async run(steps: readonly Step[], lingerMs: number): Promise<void> {
    const { socket } = this.#subject;
    socket.on("error", () => {});
    await socket.bind("here");
    await this.#scene.network.listen("there", {
      onLink: (link) => void this.#ends.push(new RawEnd(link)),
      onError: () => {},
      onRefused: () => {},
    });
    await socket.connect("there");
    await this.#dial();
    for (const step of steps) {
      await this.#take(step);
      await this.#scene.settle();
    }
    const closing = new Outcome(socket.close({ lingerMs }));
    await this.#scene.pass(lingerMs);
    this.#compressor.finish();
    await this.#scene.settle();
    assert.ok(closing.isSettled, "close() took longer than its linger");
    assert.equal(closing.error, undefined);
    for (const end of this.#ends) end.link.destroy();
    await this.#scene.settle();
    this.#compressor.finish();
    await this.#scene.settle();
    const left = this.#outcomes.filter(({ isSettled }) => !isSettled);
    assert.equal(left.length, 0, "promises left when the socket is closed");
    assert.deepEqual(this.#scene.runtime.timersInMs, [], "timers left");
    assert.equal(this.#scene.network.openPairs.length, 0, "links left");
    const stats = socket.stats() as Record<string, unknown>;
    for (const name of [...this.#subject.empty, "peers"]) assert.equal(stats[name], 0, name);
    assert.equal(stats["connects"], stats["disconnects"]);
  }

  async #dial(): Promise<void> {
    const link = await this.#scene.network.dial("here", new AbortController().signal);
    const end = new RawEnd(link);
    this.#ends.push(end);
    if (this.#subject.greeting !== undefined) end.send(this.#subject.greeting);
    await this.#scene.settle();
  }

  async #take(step: Step): Promise<void> {
    const end = this.#ends[step.random % this.#ends.length];
    if (end === undefined) return;
    switch (step.do) {
      case "call":
        this.#call(step.random);
        return;
      case "pass":
        await this.#scene.pass(step.random % 120);
        return;
      case "dial":
        await this.#dial();
        return;
      case "compress":
        if (step.random % 5 === 0) this.#compressor.fail(new Error("damaged"));
        else this.#compressor.finish(1 + (step.random % 3));
        return;
      case "frame":
        if (!end.isOver) end.link.write([naiveEncode(step.frame)]);
        return;
      case "bytes":
        if (!end.isOver) end.link.write([new Uint8Array([2, 3, 4, step.random & 0xff])]);
        return;
      case "cut":
        end.link.destroy();
        return;
      case "end":
        end.link.end();
        return;
      default:
        if (!end.isClosed) end.link.setReading(step.do === "resume");
    }
  }

  #call(random: number): void {
    const call = this.#subject.calls[random % this.#subject.calls.length];
    try {
      const result = call?.(Math.floor(random / 7));
      if (result instanceof Promise) this.#outcomes.push(new Outcome(result));
    } catch (error) {
      assert.ok(error instanceof Error && "code" in error, String(error));
      assert.equal(error.code, "MSG_HIGH_WATER_MARK");
    }
  }
}

describe("whatever peers, network and application do, in whatever order", () => {
  for (const kind of ["REQ", "REP", "PUB", "SUB", "PUSH", "PULL"] as const) {
    it(`a ${kind} closes in time and leaves nothing behind`, { timeout: 60_000 }, async () => {
      const unhandled: unknown[] = [];
      const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
      process.on("unhandledRejection", onUnhandled);
      const property = fc.asyncProperty(
        stepsFor(kind),
        fc.constantFrom(0, 1, 50, 1_000),
        async (steps, lingerMs) => {
          await new Chaos(kind).run(steps, lingerMs);
          assert.deepEqual(unhandled, []);
        },
      );
      try {
        await fc.assert(property, { numRuns: Number(process.env["CHAOS_RUNS"] ?? 40) });
      } finally {
        process.off("unhandledRejection", onUnhandled);
      }
    });
  }
});
