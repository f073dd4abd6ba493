import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { waitFor } from "@msg-ts/testing";

/** What a peer writes: msg-rs/README.md says which event has which fields. */
export interface Line {
  readonly event: string;
  readonly [field: string]: unknown;
}

/** The counts of a SUB of msg-rs. */
export interface SubCounts {
  readonly received: number;
  readonly wrong: number;
  readonly repeated: number;
  readonly disordered: number;
  readonly dropped: number;
  readonly ranges: readonly (readonly [first: number, last: number])[];
  readonly topics: Readonly<Record<string, number>>;
}

/** The counts of a REP of msg-rs. */
export interface RepCounts {
  readonly requests: number;
  readonly clients: number;
  readonly repeated: number;
}

/** What came of requests that a REQ of msg-rs sent. */
export interface AskCounts {
  readonly sent: number;
  readonly right: number;
  readonly wrong: number;
  readonly failed: Readonly<Record<string, number>>;
}

/** How long it may take for one answer. */
const answerWithinMs = 50_000;
const shownErrorBytes = 2_000;

/** A process of msg-rs with one socket. It ends when this process does, because its input ends then. */
export class RustPeer {
  /** Where it is bound; empty for one that dials. */
  address = "";
  /** The last line `progress` of a SUB. */
  progress: SubCounts | undefined;
  readonly #role: string;
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: Line[] = [];
  #errors = "";
  #ending: string | undefined;

  constructor(program: string, role: string, args: readonly string[]) {
    this.#role = role;
    this.#process = spawn(program, [role, ...args]);
    createInterface({ input: this.#process.stdout }).on("line", (line) => this.#onLine(line));
    this.#process.stderr.on("data", (chunk) => {
      this.#errors = (this.#errors + String(chunk)).slice(-shownErrorBytes);
    });
    this.#process.stdin.on("error", () => {});
    this.#process.once("error", (error) => (this.#ending = error.message));
    this.#process.once("close", (code, signal) => (this.#ending ??= String(signal ?? code)));
  }

  /** Waits until it is bound, or dials. */
  async start(): Promise<this> {
    const { address } = await this.#next();
    if (typeof address === "string") this.address = address;
    return this;
  }

  /**
   * Gives it a command and waits for its answer.
   *
   * @throws Error when the answer is another event than `event`.
   */
  async ask(command: string, event: string): Promise<Line> {
    this.#process.stdin.write(`${command}\n`);
    const line = await this.#next();
    if (line.event === event) return line;
    throw new Error(`${this.#role} ${command}: ${JSON.stringify(line)}, expected ${event}`);
  }

  async subCounts(): Promise<SubCounts> {
    return (await this.ask("stats", "stats")) as unknown as SubCounts;
  }

  async repCounts(): Promise<RepCounts> {
    return (await this.ask("stats", "stats")) as unknown as RepCounts;
  }

  /** Connections that its PUB has. */
  async clients(): Promise<number> {
    return Number((await this.ask("stats", "stats"))["clients"]);
  }

  /** Sends numbered requests, and waits until each has an outcome. */
  async askAll(count: number, inFlight: number, size: number, first = 0): Promise<AskCounts> {
    const line = await this.ask(`run ${count} ${inFlight} ${size} ${first}`, "ran");
    return line as unknown as AskCounts;
  }

  get isAlive(): boolean {
    return this.#ending === undefined;
  }

  /** Ends it without a word, as a crash does. */
  async kill(): Promise<void> {
    if (this.#ending !== undefined) return;
    const closed = once(this.#process, "close");
    this.#process.kill("SIGKILL");
    await closed;
  }

  #onLine(text: string): void {
    const line = JSON.parse(text) as Line;
    if (line.event === "progress") this.progress = line as unknown as SubCounts;
    else this.#lines.push(line);
  }

  async #next(): Promise<Line> {
    const isThere = (): boolean => this.#lines.length > 0 || this.#ending !== undefined;
    await waitFor(isThere, { what: `a line of rust ${this.#role}`, withinMs: answerWithinMs });
    const line = this.#lines.shift();
    if (line !== undefined) return line;
    throw new Error(`rust ${this.#role} ended with ${this.#ending}: ${this.#errors.trim()}`);
  }
}
