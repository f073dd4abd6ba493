import type { Outcome, Scene, Skip } from "./scene.ts";

interface Row {
  readonly suite: string;
  readonly pair: string;
  readonly transport: string;
  readonly whats: string[];
  readonly failures: string[];
  messages: number;
}

/** Keeps what came of the scenes, and puts it into words. */
export class Report {
  readonly #rows: Row[] = [];
  /** What was seen, and over which transports. */
  readonly #notes = new Map<string, string[]>();
  readonly #skips: string[] = [];

  get scenes(): number {
    return this.#sum((row) => row.whats.length);
  }

  get failures(): number {
    return this.#sum((row) => row.failures.length);
  }

  get skips(): number {
    return this.#skips.length;
  }

  /** Counts a scene that held. */
  held(suite: string, scene: Scene, { messages, note }: Outcome): void {
    const row = this.#rowOf(suite, scene);
    row.whats.push(scene.what);
    row.messages += messages;
    if (note === undefined) return;
    const seen = `${scene.pair}, ${scene.what}: ${note}`;
    this.#notes.set(seen, [...(this.#notes.get(seen) ?? []), scene.transport]);
  }

  /** Counts one that did not, and says so at once. */
  failed(suite: string, scene: Scene, error: unknown): void {
    const row = this.#rowOf(suite, scene);
    row.whats.push(scene.what);
    row.failures.push(scene.what);
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    console.log(`FAILED ${scene.pair}, ${scene.transport}, ${scene.what}: ${text}`);
  }

  skipped(suite: string, { what, why }: Skip): void {
    this.#skips.push(`SKIPPED ${suite}: ${what}: ${why}`);
  }

  /** Everything that was run, what was seen, and everything that was not run. */
  lines(): readonly string[] {
    const rows = this.#rows.map(lineOf);
    const seen = [...this.#notes].map(([note, over]) => `  ${note} (${over.join(", ")})`);
    const notes = seen.length === 0 ? [] : ["", "seen:", ...seen];
    const skips = this.#skips.length === 0 ? [] : ["", ...this.#skips];
    return [...rows, ...notes, ...skips];
  }

  /** One line of numbers. */
  totals(): string {
    const pairs = new Set(this.#rows.map((row) => row.pair)).size;
    const transports = new Set(this.#rows.map((row) => row.transport)).size;
    const messages = this.#sum((row) => row.messages).toLocaleString("en");
    const ran = `${this.scenes} scenes of ${pairs} pairs over ${transports} transports`;
    return `${ran}, ${messages} messages, ${this.failures} failed, ${this.skips} skipped`;
  }

  #rowOf(suite: string, { pair, transport }: Scene): Row {
    const isSame = (row: Row): boolean =>
      row.suite === suite && row.pair === pair && row.transport === transport;
    let row = this.#rows.find(isSame);
    if (row !== undefined) return row;
    row = { suite, pair, transport, whats: [], failures: [], messages: 0 };
    this.#rows.push(row);
    return row;
  }

  #sum(count: (row: Row) => number): number {
    return this.#rows.reduce((total, row) => total + count(row), 0);
  }
}

function lineOf({ suite, pair, transport, whats, failures, messages }: Row): string {
  const outcome = failures.length === 0 ? "well" : `FAILED: ${failures.join(", ")}`;
  const head = `${suite}  ${pair.padEnd(20)}  ${transport.padEnd(4)}`;
  return `${head}  ${messages.toLocaleString("en").padStart(9)} messages  ${outcome}: ${whats.join(", ")}`;
}
