import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { waitFor } from "@msg-ts/testing";

const root = fileURLToPath(new URL("../..", import.meta.url));

const patienceMs = 60_000;

/** How a process is started. */
export interface ServiceOptions {
  readonly args?: readonly string[];
  /** More flags for Node.js. */
  readonly flags?: readonly string[];
}

/** A service that runs as a process of its own, is asked to end and started again. */
export class ServiceProcess {
  readonly #process: ChildProcess;
  readonly #heard: object[] = [];
  #errors = "";

  /** @param file - of TypeScript. */
  constructor(file: URL, { args = [], flags = [] }: ServiceOptions = {}) {
    this.#process = fork(fileURLToPath(file), args, {
      cwd: root,
      execArgv: ["--conditions=@msg-ts/source", "--import", "./dev/register.mjs", ...flags],
      // The flags of a test runner are not meant for what it starts.
      env: { ...process.env, NODE_OPTIONS: "" },
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.#process.on("message", (message) => void this.#heard.push(message as object));
    this.#process.stderr?.on("data", (chunk) => (this.#errors += String(chunk)));
  }

  /**
   * Starts one, and waits until it says that it is ready.
   *
   * @param name - of the file in `children/`, without `.ts`.
   */
  static async start(name: string, args: readonly string[]): Promise<ServiceProcess> {
    const service = new ServiceProcess(new URL(`children/${name}.ts`, import.meta.url), { args });
    await service.hear("that it is ready");
    return service;
  }

  say(message: object): void {
    this.#process.send(message);
  }

  /** What it says next. */
  async hear<Message extends object>(what: string): Promise<Message> {
    const isThere = (): boolean => {
      if (this.#heard.length === 0 && this.#hasEnded) {
        throw new Error(`the process ended before it said ${what}: ${this.#errors}`);
      }
      return this.#heard.length > 0;
    };
    await waitFor(isThere, { what: `the process says ${what}`, withinMs: patienceMs });
    return this.#heard.shift() as Message;
  }

  /** Asks it to end, and waits until it has; gives what it says of it. */
  async end<Report extends object>(): Promise<Report> {
    this.#process.kill("SIGTERM");
    const report = await this.hear<Report>("what it left");
    await waitFor(() => this.#hasEnded, { what: "the process ends", withinMs: patienceMs });
    if (this.#process.exitCode !== 0) throw new Error(`it ended with ${this.#errors}`);
    return report;
  }

  async kill(): Promise<void> {
    if (this.#hasEnded) return;
    const exit = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await exit;
  }

  get #hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }
}
