import type { Target, OpenTarget, Case } from "./case.ts";
import { Coverage } from "./coverage.ts";
import type { FuzzCounts } from "./fuzzer.ts";
import { Fuzzer } from "./fuzzer.ts";
import { mutated } from "./mutations.ts";
import { Random } from "./random.ts";

/** So many inputs are taken in before V8 is asked what they reached. */
const batchSize = 64;

/** A longer input is not kept: it is slow, and a part of it mostly does as well. */
const maxKeptBytes = 2_048;

/** Inputs are never longer. */
const maxInputBytes = 20_000;

/** How a guided run goes. */
export interface GuidedPlan {
  readonly seed: number;
  readonly seconds: number;
  /** What to begin with. */
  readonly corpus: readonly Uint8Array[];
}

/** What a guided run found. */
export interface GuidedReport {
  readonly counts: FuzzCounts;
  readonly blocks: number;
  /** Inputs of which each reached something that those before it did not. */
  readonly corpus: readonly Uint8Array[];
}

/** What is told while it runs. */
export interface GuidedHooks {
  /** Is told each input before it is taken in. */
  readonly beforeInput?: (input: Uint8Array) => void;
}

/**
 * Changes inputs that reached new code, over and over: an input that reaches more is changed further.
 * A random walk from one seed; two runs of one length differ only by how many inputs they had time for.
 */
export class GuidedFuzzer {
  readonly #open: OpenTarget;
  readonly #hooks: GuidedHooks;
  readonly #coverage = new Coverage();
  readonly #corpus: Uint8Array[] = [];
  readonly #counts: FuzzCounts;
  readonly #fuzzer: Fuzzer;
  #next: Case;
  #runs = 0;

  constructor(target: Target, open: OpenTarget, hooks: GuidedHooks = {}) {
    this.#open = open;
    this.#hooks = hooks;
    this.#next = open.caseOf(new Uint8Array(0));
    this.#fuzzer = new Fuzzer(target, () => this.#next);
    this.#counts = this.#fuzzer.counts;
  }

  async run({ seed, seconds, corpus }: GuidedPlan): Promise<GuidedReport> {
    const random = new Random(seed);
    const endMs = performance.now() + 1000 * seconds;
    this.#coverage.skip();
    await this.#search(corpus);
    while (performance.now() < endMs) {
      const batch = Array.from({ length: batchSize }, () => this.#makeInput(random));
      await this.#search(batch);
    }
    return { counts: this.#counts, blocks: this.#coverage.blocks, corpus: this.#corpus };
  }

  #makeInput(random: Random): Uint8Array {
    const kept = this.#corpus;
    if (kept.length === 0 || random.oneIn(8)) {
      return this.#open.makeCase(random).input.subarray(0, maxInputBytes);
    }
    // What was found last leads further most often.
    const parent = kept[kept.length - 1 - random.small(kept.length)] ?? random.pick(kept);
    const other = (): Uint8Array => random.pick(kept);
    const { payload } = mutated(parent, random, other, this.#open.editLength);
    return payload.subarray(0, maxInputBytes);
  }

  /** Takes all of them in. When one of them reached something, halves tell which. */
  async #search(inputs: readonly Uint8Array[]): Promise<void> {
    for (const input of inputs) await this.#take(input);
    const [only] = inputs;
    if (inputs.length > 1) {
      if (this.#coverage.newBlocks(false) === 0) return;
      const half = inputs.length >> 1;
      await this.#search(inputs.slice(0, half));
      await this.#search(inputs.slice(half));
    } else if (only !== undefined && this.#coverage.newBlocks(true) > 0) {
      if (only.length <= maxKeptBytes) this.#corpus.push(new Uint8Array(only));
    }
  }

  async #take(input: Uint8Array): Promise<void> {
    this.#hooks.beforeInput?.(input);
    this.#next = this.#open.caseOf(input);
    const run = this.#runs++;
    await this.#fuzzer.run({ seed: 0, from: run, to: run + 1 });
  }
}
