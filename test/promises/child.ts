import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { waitFor } from "@msg-ts/testing";
import { onTestFinished } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** How a child is started. */
export interface ChildOptions {
  readonly args?: readonly string[];
  /** More flags for Node.js. */
  readonly flags?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** A real process that runs a file, and is killed when the test ends. */
export class Child {
  readonly #process: ChildProcess;
  readonly #messages: unknown[] = [];
  #errors = "";

  /** @param name - of a file of `children/`, without `.ts`; or where another is. */
  constructor(name: string | URL, { args = [], flags = [], env = {} }: ChildOptions = {}) {
    const url = typeof name === "string" ? new URL(`children/${name}.ts`, import.meta.url) : name;
    const file = fileURLToPath(url);
    this.#process = fork(file, args, {
      cwd: root,
      execArgv: ["--conditions=@msg-ts/source", "--import", "./dev/register.mjs", ...flags],
      // Vitest's own flags are not meant for what it starts.
      env: { ...process.env, NODE_OPTIONS: "", ...env },
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.#process.on("message", (message) => void this.#messages.push(message));
    this.#process.stderr?.on("data", (chunk) => (this.#errors += String(chunk)));
    onTestFinished(() => this.kill());
  }

  /** What it wrote to stderr. */
  get errors(): string {
    return this.#errors;
  }

  get exitCode(): number | null {
    return this.#process.exitCode;
  }

  get hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  say(message: object): void {
    this.#process.send(message);
  }

  /** The next message that it sends, or has sent. */
  async hear<Message>(what: string, withinMs = 30_000): Promise<Message> {
    const isThere = (): boolean => {
      if (this.#messages.length === 0 && this.hasEnded) {
        throw new Error(`the child ended before ${what}: ${this.#errors}`);
      }
      return this.#messages.length > 0;
    };
    await waitFor(isThere, { what: `the child says ${what}`, withinMs });
    return this.#messages.shift() as Message;
  }

  /** Resolves when it has ended, by itself or not. */
  async ended(withinMs = 30_000): Promise<number | null> {
    await waitFor(() => this.hasEnded, { what: "the child has ended", withinMs });
    return this.exitCode;
  }

  /** SIGKILL: it has no chance to say anything. */
  async kill(): Promise<void> {
    if (this.hasEnded) return;
    const exit = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await exit;
  }
}
