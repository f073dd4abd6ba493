import type { Authorizer, AuthRequest, SocketOptions, SocketType } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import type { FaultMix } from "@msg-ts/testing";
import { seededFaults } from "@msg-ts/testing";
import { LateCompressor } from "./payloads.ts";
import type { Step, Weights } from "./schedule.ts";
import { breaking, drawSteps, mixes, networkSteps } from "./schedule.ts";
import type { AnySocket, ProcessHandlers } from "./sim-process.ts";
import { SimProcess } from "./sim-process.ts";
import type { World } from "./world.ts";

/** How long it may take, when all is well again, until everything has its end. */
const mostQuietMs = 60_000;

/** What a dialer may have heard last of an endpoint, before the application let go of it. */
const lastFailures: ReadonlySet<string> = new Set([
  "MSG_DIAL_FAILED",
  "MSG_PEER_LOST",
  "MSG_AUTH_REJECTED",
  "MSG_HANDSHAKE_TIMEOUT",
]);

/** A node: one socket at a time. */
export interface SimNode<S extends AnySocket = AnySocket> {
  readonly type: SocketType;
  readonly name: string;
  /** What it binds, or the addresses that it connects to. */
  readonly binds: boolean;
  readonly address: string;
  lives: number;
  process: SimProcess<S>;
}

/** Nodes of one pattern, what happens to them, and the model of what they may show. */
export abstract class Scenario {
  readonly world: World;
  protected readonly random: () => number;
  protected readonly nodes: SimNode[] = [];
  readonly #mix: FaultMix;
  protected readonly compresses: boolean;
  readonly #failChance: number;
  readonly #hasAuth: boolean;

  constructor(world: World) {
    this.world = world;
    this.random = world.dice("scenario");
    this.#mix = mixes[Math.floor(this.random() * mixes.length)] ?? {};
    this.compresses = this.random() < 0.4;
    this.#failChance = this.random() < 0.5 ? 0 : 0.05;
    this.#hasAuth = this.random() < 0.3;
    world.onRest(() => {
      for (const { process } of this.nodes) {
        if (process.isDead || !process.isTouched) continue;
        process.isTouched = false;
        process.check();
        this.check(process);
      }
      this.checkAll();
    });
  }

  /** What the steps are drawn from, beside those of every network. */
  protected abstract readonly weights: Weights;
  /** Makes the socket of a process. */
  protected abstract makeSocket(node: SimNode): { socket: AnySocket; handlers: ProcessHandlers };
  /** Takes a step of the pattern's own. */
  protected abstract take(step: Step): void | Promise<void>;
  /** Invariants of a process, looked at whenever all is at rest. */
  protected abstract check(process: SimProcess): void;
  /** Those of nobody in particular. */
  protected checkAll(): void {}
  /** Counts what came of everything, once it is over. */
  tally(): void {}
  /** All is well again: makes the applications do what is still to be done. */
  protected abstract settleDown(): void;
  /** Everybody is there and has nothing to do: gives them something that has to succeed. */
  protected abstract workOn(): void;
  /** Whether a socket may end a connection for what its peer does, also when all is well. */
  protected get endsPeers(): boolean {
    return false;
  }
  /** What was begun and has no end yet; absent when everything has. */
  protected abstract get unfinished(): string | undefined;
  /** What must hold once it is done, before anything is closed. */
  protected abstract checkEnd(): void;

  /** @param random - of the schedule alone. */
  steps(random: () => number): Step[] {
    return drawSteps([...this.weights, ...networkSteps], random);
  }

  /** Nodes of `bound` listen, those of `dialing` connect to all of them. */
  protected join(one: SocketType, other: SocketType): void {
    const [bound, dialing] = this.random() < 0.5 ? [one, other] : [other, one];
    const servers = 1 + Math.floor(this.random() * 2);
    const clients = 1 + Math.floor(this.random() * 3);
    for (let i = 0; i < servers; i++) this.#addNode(bound, i, true);
    for (let i = 0; i < clients; i++) this.#addNode(dialing, i, false);
  }

  #addNode(type: SocketType, index: number, binds: boolean): void {
    const name = `${type}${index}`;
    const node = { type, name, binds, address: name.toLowerCase(), lives: 0 } as SimNode;
    this.nodes.push(node);
    this.begin(node);
  }

  /** A new process for a node. */
  protected begin(node: SimNode): void {
    const { world } = this;
    const name = `${node.name}.${node.lives++}`;
    const seeded = seededFaults(Math.floor(world.dice(`faults ${name}`)() * 2 ** 31), this.#mix);
    node.process = new SimProcess(world, name, node.type, {
      faults: (number, side) => (world.isQuiet ? undefined : seeded.faults(number, side)),
      dialFaults: (number, to) => (world.isQuiet ? undefined : seeded.dialFaults(number, to)),
    });
    world.note(`${name} begins`);
    const { process } = node;
    const { socket, handlers } = this.makeSocket(node);
    process.begin(socket, handlers);
    if (node.binds) this.#bind(node);
    else
      for (const { address } of this.nodes.filter(({ binds }) => binds))
        void socket.connect(address);
  }

  #bind({ process, address }: SimNode): void {
    this.world.watch(`bind of ${process.name}`, () => Infinity, process.socket.bind(address), {
      onValue: () => {},
      onError: (error) => {
        if (!process.isClosing && !process.isDead) {
          this.world.fail(`bind of ${process.name} rejects: ${String(error)}`);
        }
      },
    });
  }

  /** What every socket of this scenario is told. */
  protected socketOptions({ process, binds }: SimNode): SocketOptions {
    const { world } = this;
    const random = world.dice(`options ${process.name.replace(/\.\d+$/, "")}`);
    return {
      runtime: process.runtime,
      reconnect: { minDelayMs: 5, maxDelayMs: 50 },
      handshakeTimeoutMs: 200,
      maxMessageBytes: 4_000,
      sendHighWaterBytes: 100 + Math.floor(random() * 1_000),
      ...(this.compresses
        ? {
            compressor: new LateCompressor(world, process.name, this.#failChance),
            minCompressBytes: 30,
          }
        : {}),
      ...this.#authOptions(process.name, binds),
    };
  }

  #authOptions(name: string, binds: boolean): SocketOptions {
    if (!this.#hasAuth) return {};
    if (!binds) return { authToken: this.random() < 0.5 ? "token" : async () => "token" };
    const random = this.world.dice(`auth ${name}`);
    return { authenticator: (request) => this.#authenticate(request, random()) };
  }

  /** Allows nearly always, at once or later; with `denies` it may also say no, throw, or be late. */
  protected authorizer(name: string, denies: boolean): { authorize?: Authorizer } {
    const random = this.world.dice(`authorizer ${name}`);
    if (random() < 0.7) return {};
    return {
      authorize: () => {
        const how = this.world.isQuiet ? 1 : random();
        if (denies && how < 0.1) return false;
        if (denies && how < 0.15) throw new Error("cannot tell");
        if (how > 0.6) return true;
        const lateMs = denies && how < 0.2 ? 300 : how * 40;
        return new Promise((resolve) => {
          this.world.clock.setTimer(() => resolve(true), lateMs);
        });
      },
    };
  }

  /** Lets in, refuses, throws, takes its time, or never says anything. */
  #authenticate({ signal }: AuthRequest, how: number): boolean | Promise<boolean> {
    if (this.world.isQuiet || how < 0.7) return true;
    if (how < 0.8) return false;
    if (how < 0.85) throw new Error("no");
    return new Promise((resolve, reject) => {
      const later = this.world.clock.setTimer(() => resolve(true), how < 0.95 ? 30 : 1e9);
      signal.addEventListener("abort", () => {
        this.world.clock.clearTimer(later);
        reject(new Error("gone"));
      });
    });
  }

  /** Takes a step, and looks at everybody behind it. */
  async step(step: Step): Promise<void> {
    await this.#take(step);
    for (const { process } of this.nodes) process.isTouched = true;
    await this.world.settle();
  }

  async #take(step: Step): Promise<void> {
    const { a, b, c } = step;
    if (breaking.has(step.op)) this.world.count("faults");
    switch (step.op) {
      case "pass":
        await this.world.pass(a % 10 === 0 ? b % 1_500 : b % 60);
        return;
      case "cut":
        this.#someLink(a)?.cut();
        return;
      case "flap":
        for (const link of this.pick(this.nodes, a).process.faults.links) link.cut();
        // Those who dial are back.
        await this.world.pass(60);
        return;
      case "hold":
        this.#someLink(a)?.hold(b % 2 === 0 ? "incoming" : "outgoing");
        return;
      case "release":
        this.#someLink(a)?.release(b % 2 === 0 ? "incoming" : "outgoing");
        return;
      case "dark":
        this.#darken(a);
        return;
      case "kill": {
        const { process } = this.pick(this.nodes, a);
        if (!process.isDead && !process.isGone) {
          process.kill(b % 2 === 0 ? "reset" : "end", c % 300);
        }
        return;
      }
      case "close": {
        const { process } = this.pick(this.nodes, a);
        if (process.isLive) process.close([0, 1, 30, 200, 1_000][b % 5] ?? 0);
        return;
      }
      case "drain": {
        const { process } = this.pick(this.nodes, a);
        if (process.isLive) process.drain([0, 50, 300, 1_500][b % 4] ?? 0);
        return;
      }
      case "ready":
        this.#ready(this.pick(this.nodes, a), b, c);
        return;
      case "restart":
        this.#restart(this.pick(this.nodes, a));
        return;
      case "disconnect":
      case "reconnect":
      case "rebind":
        this.#moveEndpoint(this.pick(this.nodes, a), step.op, b, c);
        return;
      default:
        await this.take(step);
    }
  }

  /** Ends the faults, waits until all has its end, closes everything. */
  async finish(): Promise<void> {
    this.world.note("quiet");
    this.world.isQuiet = true;
    await this.world.pass(0);
    await this.#untilDone();
    this.world.isCalm = !this.endsPeers;
    this.workOn();
    await this.#untilDone();
    this.checkEnd();
    this.world.check();
    this.world.isCalm = false;
    await this.#closeAll();
  }

  async #untilDone(): Promise<void> {
    const startMs = this.world.now;
    for (;;) {
      this.#heal();
      this.settleDown();
      await this.world.pass(400);
      const why = this.#missing ?? this.unfinished;
      if (why === undefined) return;
      if (this.world.now - startMs < mostQuietMs) continue;
      this.world.fail(`${mostQuietMs} ms after all was well again: ${why}`);
      this.world.check();
    }
  }

  async #closeAll(): Promise<void> {
    const order = this.world.dice("closing");
    const drawn = this.nodes.map((node) => ({ node, at: order() }));
    for (const { node } of drawn.toSorted((one, other) => one.at - other.at)) {
      const { process } = node;
      if (process.isLive) process.close([0, 50, 1_000][Math.floor(order() * 3)] ?? 0);
      if (order() < 0.5) await this.world.pass(order() * 100);
    }
    await this.world.pass(1_500);
    for (const { process } of this.nodes) {
      if (!process.isGone) this.world.fail(`${process.name} is not closed`);
    }
    if (this.world.network.openPairs.length > 0) this.world.fail("links are left in the network");
    if (this.world.clock.timersInMs.length > 0) this.world.fail("timers are left");
    this.world.check();
  }

  protected pick<T>(from: readonly T[], number: number): T {
    const found = from[number % from.length];
    if (found === undefined) throw new Error("nothing to choose from");
    return found;
  }

  /** A live process of a type. */
  protected live(type: SocketType, number: number): SimNode | undefined {
    const found = this.nodes.filter((node) => node.type === type && node.process.isLive);
    return found[number % found.length];
  }

  #ready({ process }: SimNode, b: number, c: number): void {
    if (!process.isLive) return;
    const timeoutMs = b % 500;
    const startMs = this.world.now;
    const promise = process.socket.ready({ timeoutMs, peers: 1 + (c % 3) });
    const byMs = (): number => (process.isGone ? 0 : startMs + timeoutMs);
    this.world.watch(`ready() of ${process.name}`, byMs, promise, {
      onValue: () => {},
      onError: (error) => {
        const isLate = MsgError.is(error, "MSG_TIMEOUT") && this.world.now >= startMs + timeoutMs;
        const isClosed = MsgError.is(error, "MSG_CLOSED") && process.isClosing;
        // Nobody is left to come; it tells of the last who was not there, went, or said no.
        const isFailure = MsgError.is(error) && lastFailures.has(error.code);
        const isAlone = isFailure && process.hasLetGo;
        if (!isLate && !isClosed && !isAlone) this.world.fail(`ready() rejects: ${String(error)}`);
      },
    });
  }

  #someLink(number: number) {
    const links = this.nodes.flatMap(({ process }) => process.faults.links);
    return links[number % links.length];
  }

  /** Both ends of one link hear nothing of each other any more. */
  #darken(number: number): void {
    const chosen = this.#someLink(number);
    const name = chosen?.remoteAddress.replace(/:\w+$/, "");
    for (const { process } of this.nodes) {
      for (const link of process.faults.links) {
        if (link.remoteAddress.replace(/:\w+$/, "") === name) link.goDark();
      }
    }
  }

  #restart(node: SimNode): void {
    if (node.process.isDead || node.process.isGone) this.begin(node);
  }

  #moveEndpoint({ process, binds, address }: SimNode, op: string, b: number, c: number): void {
    if (!process.isLive) return;
    const { socket } = process;
    if (binds && op === "rebind") {
      void socket.unbind(address).then((wasBound) => {
        if (wasBound && process.isLive) void socket.bind(address);
      });
    } else if (!binds) {
      const to = this.pick(
        this.nodes.filter((node) => node.binds),
        b,
      ).address;
      if (op === "disconnect") process.hasLetGo = true;
      if (op === "disconnect") socket.disconnect(to, { lingerMs: [0, 20, 1_000][c % 3] ?? 0 });
      else void socket.connect(to);
    }
  }

  /** What a host's keep-alive would find is found, what was held goes on, who is down comes back. */
  #heal(): void {
    for (const node of this.nodes) {
      this.#restart(node);
      for (const link of node.process.faults.links) {
        link.release("incoming");
        link.release("outgoing");
        if (link.isDoomed) link.cut();
      }
      if (node.binds || !node.process.isLive) continue;
      for (const { binds, address } of this.nodes) {
        if (binds) void node.process.socket.connect(address);
      }
    }
  }

  /** Everybody is to be connected to everybody of the other kind, once. */
  get #missing(): string | undefined {
    for (const { process, binds } of this.nodes) {
      const wanted = this.nodes.filter((other) => other.binds !== binds).length;
      const { length } = process.socket.peers;
      if (!process.isLive) return `${process.name} is not there`;
      if (length !== wanted) return `${process.name} has ${length} peers of ${wanted}`;
    }
    return undefined;
  }

  /** The part of options that all lives of a node share. */
  protected nodeDice(node: SimNode, what: string): () => number {
    return this.world.dice(`${what} ${node.name}`);
  }
}
