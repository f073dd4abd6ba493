import { seededRandom, SimNetwork, SimulatedRuntime } from "@msg-ts/testing";
import { Trace } from "./trace.ts";

/** Over this many callbacks at one time something feeds itself. */
const maxCallbacks = 500_000;

/** Of what a run must never show. */
export class Violation extends Error {
  override readonly name = "Violation";
}

/** A call whose promise has to end. */
interface Wait {
  readonly what: string;
  readonly byMs: () => number;
}

/** What `World.watch` is told of a promise. */
export interface Ends<T> {
  onValue(value: T): void;
  onError(error: unknown): void;
}

/** Clock, network, chance and the record of one run. */
export class World {
  readonly seed: number;
  readonly clock: SimulatedRuntime;
  readonly network: SimNetwork;
  readonly trace: Trace;
  /** What was done to whom, and what came of it. */
  readonly counts: Map<string, number> = new Map();
  /** Set at the end: what can go well goes well from there on. */
  isQuiet = false;
  /** Nothing breaks any more: no connection has a reason to end. */
  isCalm = false;
  readonly #checks: (() => void)[] = [];
  readonly #waits: Set<Wait> = new Set();
  readonly #order: () => number;
  readonly #drainChance: number;
  #violation: Violation | undefined;

  constructor(seed: number, keepsLines: boolean) {
    this.seed = seed;
    this.clock = new SimulatedRuntime({ seed: seed ^ 0x51ed270b });
    this.network = new SimNetwork(this.clock);
    this.trace = new Trace(keepsLines);
    this.#order = this.dice("order");
    this.#drainChance = [0, 0.2, 1][Math.floor(this.#order() * 3)] ?? 0;
    const linkDice = this.dice("links");
    this.network.linkOptions = {
      capacityBytes: 100 + Math.floor(linkDice() * 3_000),
      placesReads: linkDice() < 0.5,
      keepsWrites: false,
      ...(linkDice() < 0.3 ? { pieceBytes: () => 1 + Math.floor(linkDice() * 40) } : {}),
    };
  }

  get now(): number {
    return this.clock.now();
  }

  /** Chance of its own for whatever `name` says, the same whatever else is drawn. */
  dice(name: string): () => number {
    let mixed = Math.imul(this.seed ^ 0x27d4eb2f, 0x9e3779b1);
    for (let i = 0; i < name.length; i++) {
      mixed = Math.imul(mixed ^ name.charCodeAt(i), 0x85ebca6b);
      mixed ^= mixed >>> 15;
    }
    return seededRandom(mixed);
  }

  count(what: string, by = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + by);
  }

  note(text: string): void {
    this.trace.note(`${this.now} ${text}`);
  }

  /** Something is wrong: the first such ends the run. Also from where a throw would be caught. */
  fail(text: string): void {
    this.#violation ??= new Violation(`${text} (at ${this.now} ms)`);
  }

  /** Runs whenever everything is at rest. */
  onRest(check: () => void): void {
    this.#checks.push(check);
  }

  /** Has a promise end by a time, which may move while it is under way. */
  watch<T>(what: string, byMs: () => number, promise: Promise<T>, ends: Ends<T>): void {
    const wait: Wait = { what, byMs };
    this.#waits.add(wait);
    const end = (settle: () => void): void => {
      this.#waits.delete(wait);
      settle();
    };
    promise.then(
      (value) => end(() => ends.onValue(value)),
      (error: unknown) => end(() => ends.onError(error)),
    );
  }

  /** Runs what is queued, promise reactions too, until nothing moves; time stands still. */
  async settle(): Promise<void> {
    for (let count = 0; ;) {
      while (!this.clock.isAtRest) {
        if (++count > maxCallbacks) throw new Violation("something feeds itself without end");
        this.clock.runOne();
        if (this.#drainChance > 0 && this.#order() < this.#drainChance) await reactions();
      }
      await reactions();
      if (this.clock.isAtRest) break;
    }
    this.check();
  }

  /** Lets time pass, one timer after the other. */
  async pass(ms: number): Promise<void> {
    const endMs = this.now + ms;
    await this.settle();
    while (this.clock.runTimer(endMs - this.now)) await this.settle();
    this.check();
  }

  /** @throws Violation */
  check(): void {
    for (const { what, byMs } of this.#waits) {
      if (this.now > byMs()) this.fail(`${what} has no end by ${byMs()} ms`);
    }
    for (const check of this.#checks) check();
    if (this.#violation !== undefined) throw this.#violation;
  }
}

/** A turn of the real loop: all promise reactions that can run have run after it. */
function reactions(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
