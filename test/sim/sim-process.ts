import type {
  CloseReport,
  DrainReport,
  MsgError,
  PeerInfo,
  Runtime,
  SocketEvents,
  SocketStats,
  SocketType,
  TimerHandle,
} from "@msg-ts/core";
import { FaultTransport } from "@msg-ts/testing";
import type { FaultTransportOptions } from "@msg-ts/testing";
import type { Frame } from "./frames.ts";
import { SilenceModel } from "./silence.ts";
import type { TapLink, TapOwner } from "./tap-transport.ts";
import { TapTransport } from "./tap-transport.ts";
import type { World } from "./world.ts";

/** What the simulation does with any socket. */
export interface AnySocket {
  readonly type: string;
  readonly peers: readonly PeerInfo[];
  readonly isClosed: boolean;
  bind(address: string): Promise<string>;
  unbind(address: string): Promise<boolean>;
  connect(address: string): Promise<void>;
  ready(options: { readonly timeoutMs: number; readonly peers: number }): Promise<void>;
  disconnect(address: string, options?: { readonly lingerMs: number }): boolean;
  close(options: { readonly lingerMs: number }): Promise<CloseReport>;
  drain(options: { readonly timeoutMs: number }): Promise<DrainReport>;
  stats(): SocketStats;
  on<Name extends keyof SocketEvents>(
    name: Name,
    listener: (detail: SocketEvents[Name]) => void,
  ): () => void;
}

/** What a process tells its model. */
export interface ProcessHandlers {
  onSent?(link: TapLink, frame: Frame): void;
  onReceived?(link: TapLink, frame: Frame): void;
  onEvent?<Name extends keyof SocketEvents>(name: Name, detail: SocketEvents[Name]): void;
}

/** What must be 0 in the counters of a closed socket. */
const emptyWhenClosed: Readonly<Record<SocketType, readonly string[]>> = {
  REQ: ["peers", "pending", "queued", "queuedBytes", "inFlight"],
  REP: ["peers", "pending", "queued", "queuedBytes"],
  PUB: ["peers", "queued", "queuedBytes", "waiting", "subscriptions"],
  SUB: ["peers", "queued", "queuedBytes"],
  PUSH: ["peers", "waiting", "waitingBytes", "returned", "returnedBytes", "unacknowledged"],
  PULL: ["peers", "queued", "queuedBytes", "unsettled"],
};

const eventNames = [
  "listening",
  "connected",
  "disconnected",
  "retrying",
  "refused",
  "gap",
  "dropped",
  "draining",
  "closed",
  "error",
] as const;

/** How much later than its linger a `close()` may end: transports take their time. */
const closeSlackMs = 60;

/** A clock that knows which of its timers are armed. */
class OwnedRuntime implements Runtime {
  readonly #world: World;
  readonly #onUse: () => void;
  readonly #armed: Set<TimerHandle> = new Set();
  readonly random: () => number;

  /** @param onUse - its owner does something. */
  constructor(world: World, name: string, onUse: () => void) {
    this.#world = world;
    this.#onUse = onUse;
    this.random = world.dice(`runtime ${name}`);
  }

  get armed(): number {
    return this.#armed.size;
  }

  now(): number {
    return this.#world.clock.now();
  }

  wallClockMicros(): number {
    return this.#world.clock.wallClockMicros();
  }

  setTimer(callback: () => void, delayMs: number): TimerHandle {
    const timer = this.#world.clock.setTimer(() => {
      this.#armed.delete(timer);
      this.#onUse();
      callback();
    }, delayMs);
    this.#armed.add(timer);
    this.#onUse();
    return timer;
  }

  clearTimer(timer: TimerHandle): void {
    this.#armed.delete(timer);
    this.#onUse();
    this.#world.clock.clearTimer(timer);
  }

  endOfTick(callback: () => void): void {
    this.#onUse();
    this.#world.clock.endOfTick(callback);
  }

  nextTurn(callback: () => void): void {
    this.#onUse();
    this.#world.clock.nextTurn(callback);
  }
}

/** One life of a node: a socket with its transport, from its start to its close or its death. */
export class SimProcess<S extends AnySocket = AnySocket> implements TapOwner {
  readonly name: string;
  readonly socketType: SocketType;
  readonly faults: FaultTransport;
  readonly runtime: Runtime;
  readonly transport: TapTransport;
  readonly startedMs: number;
  readonly #world: World;
  readonly #owned: OwnedRuntime;
  readonly #connected: Set<number> = new Set();
  readonly #everConnected: Set<number> = new Set();
  #socket: S | undefined;
  #handlers: ProcessHandlers = {};
  #closedEvents = 0;
  #stats: ReturnType<S["stats"]> | undefined;
  /** It may have done something since it was looked at last. */
  isTouched = true;
  /** It was killed: what it does from then on counts for nothing. */
  isDead = false;
  /** Its `close()` was called. */
  isClosing = false;
  /** Its application let an endpoint go. */
  hasLetGo = false;
  /** One of its dialers told that it gave up. */
  hasGivenUp = false;
  /** How often its dialers try. */
  maxAttempts = Infinity;
  /** What each of them counted last, by endpoint. */
  readonly #attempts: Map<string, number> = new Map();
  readonly silence: SilenceModel;
  report: CloseReport | undefined;
  /** The most peers it had at a time. */
  mostPeers = 0;

  constructor(world: World, name: string, type: SocketType, faults: FaultTransportOptions) {
    this.#world = world;
    this.name = name;
    this.socketType = type;
    this.startedMs = world.now;
    this.silence = new SilenceModel(world, name);
    this.#owned = new OwnedRuntime(world, name, () => {
      this.isTouched = true;
    });
    this.runtime = this.#owned;
    this.faults = new FaultTransport(world.network, { ...faults, runtime: world.clock });
    this.transport = new TapTransport(this.faults, this);
  }

  /** Gives it its socket, made with its runtime and transport. */
  begin(socket: S, handlers: ProcessHandlers): void {
    this.#socket = socket;
    this.#handlers = handlers;
    for (const name of eventNames) socket.on(name, (detail) => this.#onEvent(name, detail));
  }

  get socket(): S {
    this.isTouched = true;
    if (this.#socket === undefined) throw new Error(`${this.name} has no socket`);
    return this.#socket;
  }

  /** Whether its application still does anything. */
  get isLive(): boolean {
    return !this.isDead && !this.isClosing;
  }

  get isGone(): boolean {
    return this.report !== undefined;
  }

  close(lingerMs: number): void {
    this.isClosing = true;
    const startMs = this.#world.now;
    this.#world.note(`${this.name} closes within ${lingerMs} ms`);
    this.#world.watch(
      `close of ${this.name}`,
      () => startMs + lingerMs + closeSlackMs,
      this.socket.close({ lingerMs }),
      {
        onValue: (report) => this.#onClosed(report),
        onError: (error) => this.#world.fail(`close of ${this.name} rejects: ${String(error)}`),
      },
    );
  }

  /** Finishes its work and closes, within a time. */
  drain(timeoutMs: number): void {
    this.isClosing = true;
    const startMs = this.#world.now;
    this.#world.note(`${this.name} drains within ${timeoutMs} ms`);
    this.#world.watch(
      `drain of ${this.name}`,
      () => startMs + timeoutMs + closeSlackMs,
      this.socket.drain({ timeoutMs }),
      {
        onValue: (report) => this.#onClosed(report),
        onError: (error) => this.#world.fail(`drain of ${this.name} rejects: ${String(error)}`),
      },
    );
  }

  /** Ends the process: its links break, or end as those of a killed process do. */
  kill(how: "reset" | "end", zombieMs: number): void {
    this.#world.note(`${this.name} is killed (${how})`);
    this.isDead = true;
    this.transport.die();
    for (const link of this.faults.links) {
      if (how === "reset") link.cut();
      else {
        link.drop("incoming");
        link.end();
      }
    }
    // A close that is under way takes its time; a drain is cut short.
    if (this.socket.isClosed) return;
    if (how === "reset") this.close(0);
    else this.#world.clock.setTimer(() => this.#bury(), zombieMs);
  }

  #bury(): void {
    if (!this.socket.isClosed) this.close(0);
  }

  now(): number {
    return this.#world.now;
  }

  onLink(link: TapLink): void {
    this.silence.onLink(link);
    if (link.isDialer) this.#world.count("links");
    this.#world.note(`${this.name} link ${link.number}`);
  }

  onSent(link: TapLink, frame: Frame): void {
    this.#world.note(`${this.name} ${link.number} > ${frame.type}`);
    if (!this.isDead) this.#handlers.onSent?.(link, frame);
  }

  onReceived(link: TapLink, frame: Frame): void {
    this.isTouched = true;
    this.#world.note(`${this.name} ${link.number} < ${frame.type}`);
    if (!this.isDead && !link.hasEnded) this.#handlers.onReceived?.(link, frame);
  }

  /** Its counters when everything was at rest last. */
  get stats(): ReturnType<S["stats"]> {
    this.#stats ??= this.#socket?.stats() as ReturnType<S["stats"]>;
    return this.#stats;
  }

  /** Holds at any time at which everything is at rest. */
  check(): void {
    this.#stats = undefined;
    const { stats } = this;
    const peers = this.#socket?.peers ?? [];
    const { size } = this.#connected;
    this.mostPeers = Math.max(this.mostPeers, size);
    if (stats.peers !== size || peers.length !== size) {
      this.#fail(`has ${stats.peers} peers, events tell of ${size}`);
    }
    if (this.isLive) this.silence.check();
    const { connects, disconnects } = stats;
    if (connects - disconnects !== size) {
      this.#fail(`counts ${connects} connects and ${disconnects} disconnects, has ${size} peers`);
    }
  }

  #onClosed(report: CloseReport): void {
    if (this.report !== undefined) return;
    this.report = report;
    this.#world.note(`${this.name} closed ${report.unsent} ${report.unacknowledged}`);
    if (this.#closedEvents !== 1) this.#fail(`told ${this.#closedEvents} times that it is closed`);
    if (this.#connected.size > 0) this.#fail("closed with peers that never disconnected");
    if (this.#owned.armed > 0) this.#fail(`left ${this.#owned.armed} timers armed`);
    if (this.faults.links.length > 0) this.#fail(`left ${this.faults.links.length} links open`);
    const stats = this.socket.stats() as unknown as Readonly<Record<string, unknown>>;
    for (const name of emptyWhenClosed[this.socketType]) {
      if (stats[name] !== 0) this.#fail(`closed with ${name} ${String(stats[name])}`);
    }
  }

  #onEvent<Name extends keyof SocketEvents>(name: Name, detail: SocketEvents[Name]): void {
    if (this.#closedEvents > 0) this.#fail(`event "${name}" after "closed"`);
    const { peer, error, reason } = detail as {
      readonly peer?: PeerInfo;
      readonly error?: MsgError;
      readonly reason?: MsgError;
    };
    const cause = error ?? (reason instanceof Error ? reason : undefined);
    if (name === "disconnected") this.#world.count("connections lost");
    if (name === "refused") this.#world.count("refused");
    this.#world.note(`${this.name} ${name} ${peer?.address ?? ""} ${cause?.code ?? ""}`);
    if (cause !== undefined) this.#checkError(name, cause);
    if (name === "retrying") this.#onRetrying(detail as SocketEvents["retrying"]);
    if (name === "error" && cause !== undefined) this.#onDialerError(cause);
    if (name === "connected" && peer !== undefined) this.#onConnected(peer);
    if (name === "disconnected" && peer !== undefined && !this.#connected.delete(peer.id)) {
      this.#fail(`"disconnected" of a peer that was not connected: ${peer.address}`);
    }
    if (name === "disconnected" && peer !== undefined) {
      this.silence.onDisconnected(peer.address, cause?.message ?? "");
    }
    if (name === "disconnected" && this.#world.isCalm && this.isLive) {
      this.#fail(`lost ${peer?.address} though all is well: ${cause?.message ?? "it ended"}`);
    }
    if (name === "closed") this.#closedEvents++;
    if (!this.isDead) this.#handlers.onEvent?.(name, detail);
  }

  #onConnected(peer: PeerInfo): void {
    if (this.#everConnected.has(peer.id)) this.#fail(`"connected" twice of ${peer.address}`);
    this.#everConnected.add(peer.id);
    this.silence.onConnected(peer.address);
    this.#connected.add(peer.id);
    this.mostPeers = Math.max(this.mostPeers, this.#connected.size);
  }

  #onRetrying({ endpoint, attempt }: SocketEvents["retrying"]): void {
    this.#attempts.set(endpoint, attempt);
    const { maxAttempts } = this;
    if (attempt >= maxAttempts)
      this.#fail(`tries again after ${attempt} failures, maxAttempts is ${maxAttempts}`);
  }

  /** One gives up when it has failed as often as it may in a row, and says so once. */
  #onDialerError({ message }: MsgError): void {
    const [, endpoint] = /^gave up connecting to \w+:\/\/(.+)$/.exec(message) ?? [];
    if (endpoint === undefined) return;
    this.hasGivenUp = true;
    const failures = (this.#attempts.get(endpoint) ?? 0) + 1;
    this.#attempts.delete(endpoint);
    const { maxAttempts } = this;
    if (failures !== maxAttempts)
      this.#fail(`gives up after ${failures} failures, maxAttempts is ${maxAttempts}`);
  }

  /** Among honest peers only a stream that ends within a frame breaks the protocol. */
  #checkError(name: string, error: MsgError): void {
    if (error.code === "MSG_PROTOCOL" && !/bytes into a frame/.test(error.message)) {
      this.#fail(`event "${name}" tells of ${error.message}`);
    }
  }

  #fail(text: string): void {
    this.#world.fail(`${this.name} ${text}`);
  }
}
