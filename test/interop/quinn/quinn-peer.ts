import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { waitFor } from "@msg-ts/testing";

/** How long it may take for one line. */
const lineWithinMs = 50_000;
const shownErrorBytes = 2_000;

/** A process of quinn: `../msg-rs/src/quinn_peer/mod.rs` says what it writes. */
export class QuinnPeer {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: string[] = [];
  #errors = "";
  #ending: string | undefined;

  constructor(program: string, args: readonly string[]) {
    this.#process = spawn(program, ["quinn", ...args]);
    createInterface({ input: this.#process.stdout }).on("line", (line) => this.#lines.push(line));
    this.#process.stderr.on("data", (chunk) => {
      this.#errors = (this.#errors + String(chunk)).slice(-shownErrorBytes);
    });
    this.#process.once("error", (error) => (this.#ending = error.message));
    this.#process.once("close", (code, signal) => (this.#ending ??= String(signal ?? code)));
  }

  /** The rest of the next line that begins with this word; others are passed over. */
  async line(word: string): Promise<string> {
    const find = (): number => this.#lines.findIndex((line) => line.split(" ")[0] === word);
    await waitFor(() => find() >= 0 || this.#ending !== undefined, {
      what: `the line ${word} of quinn`,
      withinMs: lineWithinMs,
    });
    const index = find();
    if (index < 0) throw new Error(`quinn ended with ${this.#ending}: ${this.#errors.trim()}`);
    const [line = ""] = this.#lines.splice(0, index + 1).slice(-1);
    return line.slice(word.length + 1);
  }

  /** Waits for its end; what it complained of, empty when all was well. */
  async failure(): Promise<string> {
    await waitFor(() => this.#ending !== undefined, {
      what: "the end of quinn",
      withinMs: lineWithinMs,
    });
    return this.#ending === "0" ? "" : this.#errors.trim();
  }

  kill(): void {
    this.#process.kill("SIGKILL");
  }
}
