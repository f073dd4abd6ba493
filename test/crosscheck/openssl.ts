import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { spawn } from "node:child_process";
import { waitFor } from "@msg-ts/testing";

/** Generous, because other processes may have the processor. */
const patienceMs = 30_000;

/** A running `openssl s_client` or `openssl s_server`, and what it says. */
export class OpenSsl {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #args: readonly string[];
  #output = "";
  #hasEnded = false;

  constructor(...args: string[]) {
    this.#args = args;
    this.#process = spawn("openssl", args);
    const { stdout, stderr, stdin } = this.#process;
    // One character for each byte, so that what the peer sent can be found in it.
    for (const stream of [stdout, stderr]) {
      stream.setEncoding("latin1");
      stream.on("data", (text) => (this.#output += String(text)));
    }
    // It may have ended before it took all.
    stdin.on("error", () => {});
    this.#process.on("close", () => (this.#hasEnded = true));
  }

  /** All of it, on either stream. */
  get output(): string {
    return this.#output;
  }

  get exitCode(): number | null {
    return this.#process.exitCode;
  }

  /** Sends bytes to the peer. */
  write(bytes: Uint8Array): void {
    this.#process.stdin.write(bytes);
  }

  /** Waits until it said `text`, or ended. */
  async says(text: string): Promise<void> {
    const isSaid = (): boolean => this.#output.includes(text) || this.#hasEnded;
    await this.#until(isSaid, `says ${JSON.stringify(text)}`);
  }

  /** Ends its input, upon which it leaves in order, and waits until it has. */
  async end(): Promise<void> {
    this.#process.stdin.end();
    await this.ended();
  }

  async ended(): Promise<void> {
    await this.#until(() => this.#hasEnded, "has ended");
  }

  kill(): void {
    this.#process.kill("SIGKILL");
  }

  async #until(condition: () => boolean, what: string): Promise<void> {
    const command = `openssl ${this.#args.join(" ")}`;
    try {
      await waitFor(condition, { what: `${command} ${what}`, withinMs: patienceMs });
    } catch (error) {
      this.kill();
      throw new Error(`${String(error)}; it said: ${this.#output.trim()}`, { cause: error });
    }
  }
}
