import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Interface } from "node:readline";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const script: string = fileURLToPath(new URL("forwarder.py", import.meta.url));

/** What a {@link Forwarder} starts with. */
export interface ForwarderStart {
  readonly devices: readonly string[];
  /** The addresses of each host, as hexadecimal bytes. */
  readonly hosts: readonly (readonly string[])[];
  readonly seed: number;
}

/** The process that carries packets. It ends when this one does. */
export class Forwarder {
  readonly #process: ChildProcess;
  readonly #lines: Interface;
  readonly #waiting: ((answer: unknown) => void)[] = [];
  #errors = "";

  private constructor() {
    this.#process = spawn("python3", [script], { stdio: ["pipe", "pipe", "pipe"] });
    const { stdout, stderr, stdin } = this.#process;
    if (stdout === null || stderr === null) throw new Error("the forwarder has no pipes");
    this.#lines = createInterface({ input: stdout });
    this.#lines.on("line", (line) => this.#waiting.shift()?.(JSON.parse(line)));
    stderr.on("data", (chunk) => (this.#errors += String(chunk)));
    // Its exit tells.
    stdin?.on("error", () => {});
  }

  /** Resolves when its devices are there. */
  static async start(start: ForwarderStart): Promise<Forwarder> {
    const forwarder = new Forwarder();
    await forwarder.order(start);
    return forwarder;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Sends a line and resolves to the answer. Rejects when the process has ended. */
  async order(line: object): Promise<unknown> {
    const answer = new Promise<unknown>((resolve, reject) => {
      const onExit = (): void => reject(new Error(`the forwarder ended: ${this.#errors}`));
      if (this.#process.exitCode !== null) onExit();
      this.#process.once("close", onExit);
      this.#waiting.push((value) => {
        this.#process.off("close", onExit);
        resolve(value);
      });
    });
    this.#process.stdin?.write(`${JSON.stringify(line)}\n`);
    return answer;
  }

  async close(): Promise<void> {
    this.#lines.close();
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exit = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await exit;
  }
}
