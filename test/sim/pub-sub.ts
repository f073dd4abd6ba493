import type { SocketEvents, SubOptions, TopicMessage, WhenSlow } from "@msg-ts/core";
import { MsgError, PubSocket, SubSocket } from "@msg-ts/core";
import { payloadOf } from "./payloads.ts";
import type { SimNode } from "./scenario.ts";
import { Scenario } from "./scenario.ts";
import type { Step, Weights } from "./schedule.ts";
import type { AnySocket, ProcessHandlers, SimProcess } from "./sim-process.ts";
import type { Feed } from "./topic-model.ts";
import { TopicModel } from "./topic-model.ts";
import type { World } from "./world.ts";

const topics = ["a", "a.b", "a.c", "b", ""];
const subscriptions = ["a", "a.b", "a.*", ">", "b", "", "a.>"];
const policies: readonly WhenSlow[] = ["drop-newest", "drop-oldest", "disconnect", "wait"];
const heartbeatMs = 100;
const mostBytes = 1_500;
/** Frames that may wait for a decompressor (docs/limits.md). */
const mostBacklog = 1_024;

interface PubBounds {
  readonly whenSlow: WhenSlow;
  readonly maxQueued: number;
  readonly maxQueuedBytes: number;
  readonly maxWaiting: number;
  readonly maxWaitingBytes: number;
}

/** What is kept of a SUB. */
interface SubState {
  readonly maxQueued: number;
  /** Dialed endpoints, and how often each was connected. */
  readonly endpoints: Map<string, number>;
  uncounted: number;
  isConsuming: boolean;
}

/** PUB and SUB: order, and that each loss is known to both ends, exactly. */
export class PubSubScenario extends Scenario {
  protected readonly weights: Weights = [
    ["publish", 16],
    ["burst", 5],
    ["subscribe", 4],
    ["unsubscribe", 1],
    ["take", 8],
    ["consume", 1],
    ["abort", 1],
    ["waitForSubscriber", 1],
  ];
  readonly #model: TopicModel;
  readonly #bounds: Map<SimProcess, PubBounds> = new Map();
  readonly #subs: Map<SimProcess, SubState> = new Map();
  readonly #aborts: AbortController[] = [];

  constructor(world: World) {
    super(world);
    this.#model = new TopicModel(world);
    this.join("PUB", "SUB");
  }

  protected makeSocket(node: SimNode): { socket: AnySocket; handlers: ProcessHandlers } {
    return node.type === "PUB" ? this.#makePub(node) : this.#makeSub(node);
  }

  #makePub(node: SimNode): { socket: AnySocket; handlers: ProcessHandlers } {
    const random = this.nodeDice(node, "pub");
    const bounds: PubBounds = {
      whenSlow: policies[Math.floor(random() * policies.length)] ?? "drop-newest",
      maxQueued: 1 + Math.floor(random() * 8),
      maxQueuedBytes: 50 + Math.floor(random() * 1_000),
      maxWaiting: Math.floor(random() * 8),
      maxWaitingBytes: Math.floor(random() * 1_000),
    };
    const { process } = node;
    this.#bounds.set(process, bounds);
    const options = {
      ...this.socketOptions(node),
      ...this.gates.authorizer(process.name),
      authorization: { timeoutMs: 200, holdsForMs: 50 },
      ...bounds,
      heartbeatMs,
      codec: this.codecOf(process),
    };
    const handlers: ProcessHandlers = {
      onSent: (link, frame) => this.#model.onSaid(link, frame),
      onEvent: (name, detail) => this.#onPubEvent(name, detail),
    };
    return { socket: new PubSocket(process.transport, options), handlers };
  }

  #onPubEvent<Name extends keyof SocketEvents>(name: Name, detail: SocketEvents[Name]): void {
    if (name === "disconnected") {
      const { peer } = detail as SocketEvents["disconnected"];
      this.#model.feed(peer.address).isOver = true;
    }
    if (name !== "dropped") return;
    const { reason, count, peer } = detail as SocketEvents["dropped"];
    if (reason === "slow-subscriber" && peer !== undefined) {
      this.#model.feed(peer.address).lostToPub += count;
    }
  }

  #makeSub(node: SimNode): { socket: AnySocket; handlers: ProcessHandlers } {
    const random = this.nodeDice(node, "sub");
    const options: SubOptions = {
      maxQueued: 1 + Math.floor(random() * 6),
      maxQueuedBytes: 100 + Math.floor(random() * 2_000),
      heartbeatMs,
    };
    const { process } = node;
    const state: SubState = {
      maxQueued: options.maxQueued ?? 1,
      endpoints: new Map(),
      uncounted: 0,
      isConsuming: false,
    };
    this.#subs.set(process, state);
    const socket = new SubSocket(process.transport, {
      ...this.socketOptions(node),
      ...options,
      codec: this.codecOf(process),
    });
    const handlers: ProcessHandlers = {
      onSent: (link, frame) => this.#model.onAsked(link, frame),
      onReceived: (link, frame) => this.#model.onCame(link, frame),
      onEvent: (name, detail) => this.#onSubEvent(node, state, name, detail),
    };
    if (random() < 0.4) this.#consume(process, socket, state);
    this.#subscribe(process, socket, Math.floor(random() * 100), Infinity);
    return { socket, handlers };
  }

  #onSubEvent<Name extends keyof SocketEvents>(
    node: SimNode,
    state: SubState,
    name: Name,
    detail: SocketEvents[Name],
  ): void {
    if (name === "connected") {
      const { endpoint } = (detail as SocketEvents["connected"]).peer;
      if (!node.dials.includes(endpoint)) return;
      state.endpoints.set(endpoint, (state.endpoints.get(endpoint) ?? 0) + 1);
    }
    if (name === "disconnected") {
      const { peer } = detail as SocketEvents["disconnected"];
      this.#model.feed(peer.address).isOver = true;
    }
    if (name === "gap") {
      const { peer, lost } = detail as SocketEvents["gap"];
      if (lost === undefined) state.uncounted++;
      else this.#model.feed(peer.address).lostToSub += lost;
    }
    if (name === "dropped") {
      const { peer, reason } = detail as SocketEvents["dropped"];
      if (reason === "unreadable" && peer !== undefined) {
        this.#model.feed(peer.address).unreadable++;
      }
    }
  }

  #consume(process: SimProcess, socket: SubSocket, state: SubState): void {
    state.isConsuming = true;
    const { world } = this;
    const random = world.dice(`consume ${process.name}`);
    const isSlow = random() < 0.5;
    const lend = random() < 0.3;
    const onMessage = (message: TopicMessage): void | Promise<void> => {
      this.#onTaken(process, message);
      if (world.isQuiet || !isSlow || random() < 0.5) return;
      return new Promise((resolve) => {
        world.clock.setTimer(resolve, random() * 30);
      });
    };
    socket.consume(onMessage, { lend });
  }

  #onTaken(process: SimProcess, message: TopicMessage): void {
    if (process.isDead) return;
    this.codecOf(process)?.check(message);
    this.#model.onTaken(message);
  }

  protected take({ op, a, b, c }: Step): void {
    switch (op) {
      case "publish":
        this.#publish(a, b, c);
        return;
      case "burst":
        for (let i = 0; i < 3 + (c % 20); i++) this.#publish(a, b + i * 3, c + i);
        return;
      case "waitForSubscriber":
        this.#waitForSubscriber(a, b, c);
        return;
      case "abort":
        this.#aborts.splice(a % (this.#aborts.length + 1), 1)[0]?.abort(new Error("aborted"));
        return;
      default: {
        const process = this.live("SUB", a)?.process as SimProcess<SubSocket> | undefined;
        if (process !== undefined) this.#takeAtSub(process, op, b, c);
      }
    }
  }

  #waitForSubscriber(a: number, b: number, c: number): void {
    const process = this.live("PUB", a)?.process as SimProcess<PubSocket> | undefined;
    if (process === undefined) return;
    const timeoutMs = c % 300;
    const startMs = this.world.now;
    const promise = process.socket.waitForSubscriber(this.pick(topics, b), { timeoutMs });
    const byMs = (): number => (process.isGone ? 0 : startMs + timeoutMs);
    this.world.watch(`waitForSubscriber() of ${process.name}`, byMs, promise, {
      onValue: () => {},
      onError: (error) => {
        const isLate = MsgError.is(error, "MSG_TIMEOUT") && this.world.now >= startMs + timeoutMs;
        const isClosed = MsgError.is(error, "MSG_CLOSED") && process.isClosing;
        if (!isLate && !isClosed) this.world.fail(`waitForSubscriber: ${String(error)}`);
      },
    });
  }

  #takeAtSub(process: SimProcess<SubSocket>, op: string, b: number, c: number): void {
    const { socket } = process;
    const state = this.#subs.get(process);
    if (op === "subscribe") this.#subscribe(process, socket, b, 20 + (c % 300));
    else if (op === "unsubscribe") socket.unsubscribe(this.pick(subscriptions, b));
    else if (op === "consume") {
      if (state?.isConsuming === false) this.#consume(process, socket, state);
    } else {
      const startMs = this.world.now;
      const promise = socket.receive({ timeoutMs: b % 50 });
      this.world.watch(`receive at ${process.name}`, () => startMs + 50, promise, {
        onValue: (message) => this.#onTaken(process, message),
        onError: (error) => {
          const isRight = MsgError.is(error, "MSG_TIMEOUT") || MsgError.is(error, "MSG_CLOSED");
          if (!isRight) this.world.fail(`receive rejects: ${String(error)}`);
        },
      });
    }
  }

  #subscribe(process: SimProcess, socket: SubSocket, b: number, timeoutMs: number): void {
    const topic = this.pick(subscriptions, b);
    const startMs = this.world.now;
    const promise = socket.subscribe(topic, { timeoutMs });
    const byMs = (): number => (process.isGone ? 0 : startMs + timeoutMs);
    this.world.watch(`subscribe("${topic}") at ${process.name}`, byMs, promise, {
      onValue: () => {},
      onError: (error) => {
        const isLate = MsgError.is(error, "MSG_TIMEOUT") && this.world.now >= startMs + timeoutMs;
        const isClosed = MsgError.is(error, "MSG_CLOSED") && process.isClosing;
        const isDenied = MsgError.is(error, "MSG_FORBIDDEN") && this.#model.isDenied(topic);
        if (!isLate && !isClosed && !isDenied) {
          this.world.fail(`subscribe rejects: ${String(error)}`);
        }
      },
    });
  }

  #publish(a: number, b: number, c: number): void {
    const process = this.live("PUB", a)?.process as SimProcess<PubSocket> | undefined;
    const bounds = process === undefined ? undefined : this.#bounds.get(process);
    if (process === undefined || bounds === undefined) return;
    const { socket } = process;
    const topic = this.pick(topics, b);
    const record = this.#model.add(process, topic, c % 9 === 0 ? mostBytes : c % 90);
    const abort = c % 6 === 0 ? new AbortController() : undefined;
    if (abort !== undefined) this.#aborts.push(abort);
    const peers = socket.peers;
    let result: Promise<void> | undefined;
    const before = socket.stats().waiting;
    try {
      const payload = payloadOf(record.text, record.bytes);
      result = socket.publish(topic, payload, { signal: abort?.signal });
    } catch (error) {
      const isFull = MsgError.is(error, "MSG_HIGH_WATER_MARK") && before > 0;
      const mayBeFull = bounds.maxWaiting === 0 || bounds.maxWaitingBytes === 0;
      if (isFull || (MsgError.is(error, "MSG_HIGH_WATER_MARK") && mayBeFull)) return;
      if (!MsgError.is(error, "MSG_COMPRESS_FAILED")) this.world.fail(`publish: ${String(error)}`);
      return;
    }
    record.isLate = result !== undefined;
    for (const peer of peers) this.#model.onPublished(this.#model.feed(peer.address), record);
    if (result === undefined) return;
    const byMs = (): number => (process.isGone ? 0 : Infinity);
    this.world.watch(`publish of ${record.text}`, byMs, result, {
      onValue: () => {},
      onError: (error) => {
        const isRight =
          (MsgError.is(error, "MSG_CLOSED") && process.isClosing) ||
          MsgError.is(error, "MSG_COMPRESS_FAILED") ||
          (abort?.signal.aborted === true && error === abort.signal.reason);
        if (!isRight) this.world.fail(`publish of ${record.text} rejects: ${String(error)}`);
      },
    });
  }

  protected check(process: SimProcess): void {
    const bounds = this.#bounds.get(process);
    const state = this.#subs.get(process);
    if (bounds !== undefined) this.#checkPub(process as SimProcess<PubSocket>, bounds);
    if (state !== undefined) this.#checkSub(process as SimProcess<SubSocket>, state);
  }

  protected override checkAll(): void {
    for (const feed of this.#model.feeds.values()) {
      if (feed.lostToSub > feed.lost) {
        this.world.fail(`link ${feed.link} lost ${feed.lost}, its SUB tells of ${feed.lostToSub}`);
      }
    }
  }

  #checkPub(process: SimProcess<PubSocket>, bounds: PubBounds): void {
    const { queued, queuedBytes, waiting, peers } = process.stats;
    const { maxQueued, maxQueuedBytes, maxWaiting } = bounds;
    if (queued > maxQueued * peers) {
      this.world.fail(`${process.name} queues ${queued}, ${maxQueued} for each of ${peers}`);
    }
    if (queuedBytes > (maxQueuedBytes + mostBytes) * peers) {
      this.world.fail(`${process.name} queues ${queuedBytes} bytes, ${maxQueuedBytes} for each`);
    }
    // One that a compressor has need not wait for anybody else.
    if (waiting > Math.max(1, maxWaiting)) {
      this.world.fail(`${waiting} calls of publish wait, maxWaiting is ${maxWaiting}`);
    }
  }

  #checkSub(process: SimProcess<SubSocket>, state: SubState): void {
    const { uncountedGaps, queued } = process.stats;
    let again = 0;
    for (const count of state.endpoints.values()) again += count - 1;
    if (uncountedGaps !== again || state.uncounted !== again) {
      this.world.fail(
        `${process.name} connected ${again} times again, tells of ${state.uncounted} losses`,
      );
    }
    // What peers that are gone left is bounded as one more's; and what was read from a peer that is
    // lost, and is being decompressed, comes on top.
    const unread = this.compresses ? mostBacklog : 0;
    const most = state.maxQueued * (process.mostPeers + 1) + unread;
    if (queued > most) this.world.fail(`${process.name} queues ${queued}, ${most} may be`);
  }

  protected settleDown(): void {
    for (const [process, state] of this.#subs) {
      const socket = process.socket as SubSocket;
      if (process.isLive && !state.isConsuming) this.#consume(process, socket, state);
    }
  }

  /** More at once than a queue holds: the last of it is lost to some. */
  protected workOn(): void {
    for (let i = 0; i < 60; i++) this.#publish(i, i, 1 + 2 * i);
  }

  protected override get endsPeers(): boolean {
    return [...this.#bounds.values()].some(({ whenSlow }) => whenSlow === "disconnect");
  }

  /** Everything written has to come, all that waits to be written, all that is wanted to be active. */
  protected get unfinished(): string | undefined {
    for (const { link, saidSequence, nextSequence } of this.#liveFeeds) {
      const count = saidSequence - nextSequence;
      if (count !== 0) return `${count} messages are under way on link ${link}`;
    }
    for (const process of this.#bounds.keys()) {
      if (!process.isLive) continue;
      const { queued, waiting } = (process.socket as PubSocket).stats();
      if (queued + waiting > 0) return `${process.name} has ${queued + waiting} messages that wait`;
    }
    return this.#notSubscribed;
  }

  /** What a SUB wants becomes active, or is denied, at every publisher, however often each came and went. */
  get #notSubscribed(): string | undefined {
    for (const process of this.#subs.keys()) {
      if (!process.isLive) continue;
      const { peers, subscriptions: wanted } = process.socket as SubSocket;
      for (const { address } of peers) {
        const feed = this.#model.feed(address);
        const missing = wanted.find((topic) => {
          const { asked, acknowledged, denied } = feed.subscription(topic);
          return asked === 0 || asked !== acknowledged + denied;
        });
        if (missing === undefined) continue;
        return `${process.name} is not subscribed to "${missing}" on link ${feed.link}`;
      }
    }
    return undefined;
  }

  /** Of the connections that SUBs have now. */
  get #liveFeeds(): Feed[] {
    const live = [...this.#subs.keys()].filter(({ isLive }) => isLive);
    const addresses = live.flatMap(({ socket }) => socket.peers.map(({ address }) => address));
    return addresses.map((address) => this.#model.feed(address)).filter(({ isOver }) => !isOver);
  }

  override tally(): void {
    for (const feed of this.#model.feeds.values()) {
      this.world.count("sent", feed.came.size + feed.lost);
      this.world.count("delivered", feed.came.size);
      this.world.count("reported lost", feed.lost);
    }
  }

  protected checkEnd(): void {
    for (const feed of this.#liveFeeds) this.#model.checkEnd(feed);
  }
}
