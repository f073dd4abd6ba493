import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { LabHost } from "@msg-ts/testing";
import type { Answer, Calls, Order } from "./orders.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const nodeFlags = ["--conditions=@msg-ts/source", "--import", "./dev/register.mjs", "--expose-gc"];

/** A process with sockets, on a host of a network lab or on this machine itself. */
export class End<C extends Calls> {
  readonly #process: ChildProcess;
  readonly #waiting: Map<number, { resolve(value: unknown): void; reject(error: Error): void }> =
    new Map();
  #nextId = 0;
  #errors = "";

  /** @param name - of the file in `children/`, without `.ts`. */
  constructor(name: string, host?: LabHost) {
    const file = fileURLToPath(new URL(`children/${name}.ts`, import.meta.url));
    const [execPath = "", ...execArgv] = [...(host?.prefix ?? []), process.execPath, ...nodeFlags];
    this.#process = fork(file, [], {
      cwd: root,
      execPath,
      execArgv,
      env: { ...process.env, NODE_OPTIONS: "" },
      stdio: ["ignore", "inherit", "pipe", "ipc"],
    });
    this.#process.stderr?.on("data", (chunk) => (this.#errors += String(chunk)));
    this.#process.on("message", (answer) => this.#onAnswer(answer as Answer));
    this.#process.once("exit", () => this.#onExit());
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** What it wrote to stderr. */
  get errors(): string {
    return this.#errors;
  }

  /** Calls one of its functions. Rejects with its error, when it has ended, or after `withinMs`. */
  call<Name extends keyof C & string>(
    name: Name,
    argument: Parameters<C[Name]>[0],
    withinMs = 300_000,
  ): Promise<Awaited<ReturnType<C[Name]>>> {
    const id = this.#nextId++;
    const order: Order = { id, name, argument };
    return new Promise((resolve, reject) => {
      const late = new Error(`${name} took over ${withinMs} ms`);
      const timer = setTimeout(() => this.#settle(id)?.reject(late), withinMs);
      this.#waiting.set(id, {
        resolve: (value) => {
          clearTimeout(timer);
          resolve(value as Awaited<ReturnType<C[Name]>>);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
      if (this.#hasEnded) this.#onExit();
      else this.#process.send(order);
    });
  }

  /** Ends it now. */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    if (this.#hasEnded) return;
    const exit = once(this.#process, "exit");
    this.#process.kill(signal);
    await exit;
  }

  get #hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  #settle(id: number) {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  #onAnswer({ id, error, result }: Answer): void {
    if (error === undefined) this.#settle(id)?.resolve(result);
    else this.#settle(id)?.reject(new Error(error));
  }

  #onExit(): void {
    const { exitCode, signalCode } = this.#process;
    const error = new Error(`the process ended: ${exitCode ?? signalCode}: ${this.#errors}`);
    for (const id of this.#waiting.keys()) this.#settle(id)?.reject(error);
  }
}
