import type { SocketOptions, SocketType } from "@msg-ts/core";
import type { FaultMix } from "@msg-ts/testing";
import { seededFaults } from "@msg-ts/testing";
import { Gates } from "./gates.ts";
import { Harm } from "./harm.ts";
import { LateCompressor } from "./payloads.ts";
import type { Step, Weights } from "./schedule.ts";
import { breaking, drawSteps, mixes, networkSteps } from "./schedule.ts";
import type { AnySocket, ProcessHandlers } from "./sim-process.ts";
import { SimProcess } from "./sim-process.ts";
import { WatchedCodec } from "./watched-codec.ts";
import type { World } from "./world.ts";

/** How long it may take, when all is well again, until everything has its end. */
const mostQuietMs = 60_000;

/** A node: one socket at a time. */
export interface SimNode<S extends AnySocket = AnySocket> {
  readonly type: SocketType;
  readonly name: string;
  /** What it binds, if it does. */
  readonly binds: boolean;
  readonly address: string;
  /** What it connects to. */
  readonly dials: readonly string[];
  lives: number;
  process: SimProcess<S>;
}

function addressOf(type: SocketType, index: number): string {
  return `${type}${index}`.toLowerCase();
}

/** Nodes of one pattern, what happens to them, and the model of what they may show. */
export abstract class Scenario {
  readonly world: World;
  protected readonly random: () => number;
  protected readonly nodes: SimNode[] = [];
  readonly #mix: FaultMix;
  protected readonly compresses: boolean;
  readonly #failChance: number;
  protected readonly gates: Gates;
  readonly #harm: Harm;
  /** Absent in runs whose payloads are bytes. */
  readonly #codecFailChance: number | undefined;
  /** In some runs there are sockets that take silence for an end. */
  readonly #mayEndSilent: boolean;
  readonly #codecs: Map<string, WatchedCodec> = new Map();

  constructor(world: World) {
    this.world = world;
    this.random = world.dice("scenario");
    this.#mix = mixes[Math.floor(this.random() * mixes.length)] ?? {};
    this.compresses = this.random() < 0.4;
    this.#failChance = this.random() < 0.5 ? 0 : 0.05;
    this.gates = new Gates(world, this.random, this.random() < 0.3);
    this.#harm = new Harm(world, this.nodes, (node) => this.begin(node));
    this.#mayEndSilent = world.dice("silence")() < 0.3;
    const codecDice = world.dice("codecs");
    this.#codecFailChance = codecDice() < 0.75 ? undefined : codecDice() < 0.5 ? 0 : 0.1;
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

  /**
   * Nodes of one type listen, those of the other connect to all of them. In some runs there is also
   * one of each that does both, so that the two have two connections.
   */
  protected join(one: SocketType, other: SocketType): void {
    const [bound, dialing] = this.random() < 0.5 ? [one, other] : [other, one];
    const servers = 1 + Math.floor(this.random() * 2);
    const clients = 1 + Math.floor(this.random() * 3);
    const isMixed = this.world.dice("topology")() < 0.2;
    const listening = Array.from({ length: servers }, (_, i) => addressOf(bound, i));
    const mixed = isMixed ? [addressOf(dialing, 0)] : [];
    listening.forEach((_, i) => this.#addNode(bound, i, true, i === 0 ? mixed : []));
    for (let i = 0; i < clients; i++) this.#addNode(dialing, i, isMixed && i === 0, listening);
    for (const node of this.nodes) this.begin(node);
  }

  #addNode(type: SocketType, index: number, binds: boolean, dials: readonly string[]): void {
    const [name, address] = [`${type}${index}`, addressOf(type, index)];
    this.nodes.push({ type, name, binds, address, dials, lives: 0 } as Omit<
      SimNode,
      "process"
    > as SimNode);
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
    for (const address of node.dials) void socket.connect(address);
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
  protected socketOptions({ process, type, name, binds, dials }: SimNode): SocketOptions {
    const { world } = this;
    process.maxAttempts = this.#maxAttempts(name);
    process.silence.limitMs = this.#idlePeerTimeoutMs(type, name);
    const random = world.dice(`options ${process.name.replace(/\.\d+$/, "")}`);
    return {
      runtime: process.runtime,
      reconnect: { minDelayMs: 5, maxDelayMs: 50, maxAttempts: process.maxAttempts },
      handshakeTimeoutMs: 200,
      idlePeerTimeoutMs: process.silence.limitMs,
      maxMessageBytes: 4_000,
      sendHighWaterBytes: 100 + Math.floor(random() * 1_000),
      ...(this.compresses
        ? {
            compressor: new LateCompressor(world, process.name, this.#failChance),
            minCompressBytes: 30,
          }
        : {}),
      ...this.gates.authOptions(process.name, { binds, dials: dials.length > 0 }),
    };
  }

  /** Whether anybody ends a connection on which nothing is said. */
  get #endsSilent(): boolean {
    return this.nodes.some(({ process }) => process.silence.limitMs < Infinity);
  }

  /** Some take the silence of a peer for its end. A PUB hears nothing from who is well. */
  #idlePeerTimeoutMs(type: SocketType, name: string): number {
    const random = this.world.dice(`silence ${name}`);
    if (!this.#mayEndSilent || type === "PUB" || random() < 0.5) return Infinity;
    return 700 + Math.floor(random() * 1_500);
  }

  /** In some runs, of values: each socket has one of its own. */
  protected codecOf({ name }: SimProcess): WatchedCodec | undefined {
    let codec = this.#codecs.get(name);
    if (codec === undefined && this.#codecFailChance !== undefined) {
      codec = new WatchedCodec(this.world, name, this.#codecFailChance);
      this.#codecs.set(name, codec);
    }
    return codec;
  }

  /**
   * Some give up: their application connects anew when all is well. Not where peers end connections
   * on which nothing is said, which would be failures without an end.
   */
  #maxAttempts(name: string): number {
    const random = this.world.dice(`attempts ${name}`);
    return this.#mayEndSilent || random() < 0.7 ? Infinity : 1 + Math.floor(random() * 4);
  }

  /** Takes a step, and looks at everybody behind it. */
  async step(step: Step): Promise<void> {
    await this.#take(step);
    for (const { process } of this.nodes) process.isTouched = true;
    await this.world.settle();
  }

  async #take(step: Step): Promise<void> {
    if (breaking.has(step.op)) this.world.count("faults");
    if (!(await this.#harm.take(step))) await this.take(step);
  }

  /** Ends the faults, waits until all has its end, closes everything. */
  async finish(): Promise<void> {
    this.world.note("quiet");
    this.world.isQuiet = true;
    await this.world.pass(0);
    await this.#untilDone();
    this.world.isCalm = !this.endsPeers && !this.#endsSilent;
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
      this.#harm.heal();
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

  /** Everybody is to be connected to everybody that it dials, and that dials it, once. */
  get #missing(): string | undefined {
    for (const { process, address, dials } of this.nodes) {
      const dialing = this.nodes.filter((other) => other.dials.includes(address));
      const wanted = dials.length + dialing.length;
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
