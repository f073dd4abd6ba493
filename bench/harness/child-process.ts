/** The parent's side of an end: lines of JSON out of it, words into it. */
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** What an end writes: numbers by name, or its address. */
export type Line = Readonly<Record<string, unknown>>;

/** How long an end may take for one answer. */
const answerWithinMs = 60_000;
const shownErrorBytes = 2_000;

/** One process of a round. It ends when this process does, because its input ends then. */
export class EndProcess {
  readonly pid: number;
  /** Resolves when it is gone. */
  readonly closed: Promise<void>;
  readonly #label: string;
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: Line[] = [];
  #errors = "";
  #failure: Error | undefined;
  #onLine: (() => void) | undefined;

  /** @param command - a program and its arguments */
  constructor(label: string, command: readonly string[], folder: string) {
    const [program = "", ...args] = command;
    this.#label = label;
    this.#process = spawn(program, args, {
      cwd: folder,
      env: { ...process.env, NODE_OPTIONS: "" },
    });
    this.pid = this.#process.pid ?? -1;
    createInterface({ input: this.#process.stdout }).on("line", (line) => this.#onText(line));
    this.#process.stderr.on("data", (chunk) => {
      this.#errors = (this.#errors + String(chunk)).slice(-shownErrorBytes);
    });
    this.#process.stdin.on("error", () => {});
    this.#process.once("error", (error) => this.#fail(error.message));
    this.closed = new Promise((resolve) => {
      this.#process.once("close", (code, signal) => {
        this.#fail(`ended with ${signal ?? code}`);
        resolve();
      });
    });
  }

  /** @throws Error when the process ended, or says nothing for a minute. */
  async next(): Promise<Line> {
    const deadline = setTimeout(() => this.#fail("said nothing for a minute"), answerWithinMs);
    try {
      for (;;) {
        const line = this.#lines.shift();
        if (line !== undefined) return line;
        if (this.#failure !== undefined) throw this.#failure;
        await new Promise<void>((resolve) => {
          this.#onLine = resolve;
        });
      }
    } finally {
      clearTimeout(deadline);
    }
  }

  /** Says a word and waits for the answer. */
  ask(word: string): Promise<Line> {
    this.#process.stdin.write(`${word}\n`);
    return this.next();
  }

  /** Every end takes that as its own end. */
  endInput(): void {
    this.#process.stdin.end();
  }

  /** Resolves when it is gone. */
  kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    return this.closed;
  }

  /** Anything that is no JSON is for people, and belongs to the errors. */
  #onText(text: string): void {
    if (text.startsWith("{")) this.#lines.push(JSON.parse(text) as Line);
    else this.#errors = `${this.#errors}${text}\n`.slice(-shownErrorBytes);
    this.#onLine?.();
  }

  #fail(what: string): void {
    this.#failure ??= new Error(`${this.#label} ${what}\n${this.#errors}`.trimEnd());
    this.#onLine?.();
  }
}
