import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath, URL } from "node:url";
import { waitFor } from "@msg-ts/testing";
import { bundled } from "./bundle.ts";
import type { Order, Telling } from "./child-side.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** How long a child may take for what it is told. */
const patienceMs = 60_000;

const pageBytes = 4_096;

/** How a process is started. */
export interface WorkerOptions {
  /** At most so many file descriptors. */
  readonly maxDescriptors?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** More flags for Node.js. */
  readonly flags?: readonly string[];
  /** The folder of its file. @defaultValue `children/` beside this file */
  readonly children?: URL;
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A real process that runs a file of `children/`, and can be made to suffer. */
export class Worker {
  readonly name: string;
  /** What it said of itself when it was ready. */
  readonly ready: Promise<unknown>;
  progress: Readonly<Record<string, number>> = {};
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #orders = 0;
  #errors = "";
  #highestBytes = 0;

  /** @param name - of the file, without `.ts`. */
  constructor(name: string, settings: unknown, options: WorkerOptions = {}) {
    this.name = name;
    const { flags = [], children = new URL("children/", import.meta.url) } = options;
    const file = bundled(children, name);
    const command = [process.execPath, ...flags, file, JSON.stringify(settings)];
    const [program = "", ...args] =
      options.maxDescriptors === undefined
        ? command
        : ["/bin/sh", "-c", `ulimit -n ${options.maxDescriptors}; exec "$0" "$@"`, ...command];
    this.#process = spawn(program, args, {
      cwd: root,
      env: { ...process.env, ...options.env },
      stdio: ["ignore", "inherit", "pipe", "ipc"],
    });
    this.#process.stderr?.on("data", (chunk) => (this.#errors += String(chunk)));
    this.#process.on("error", () => {});
    this.ready = this.#ready();
    this.ready.catch(() => {});
  }

  get hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  /** What it wrote to stderr. */
  get errors(): string {
    return this.#errors;
  }

  /** The most memory it was seen to have, by {@link sampleMemory}. */
  get highestBytes(): number {
    return this.#highestBytes;
  }

  /** Carries out an order of `onOrders` in the child. */
  ask<Result>(
    order: string,
    value: unknown = null,
    withinMs: number = patienceMs,
  ): Promise<Result> {
    const number = ++this.#orders;
    let timer: NodeJS.Timeout | undefined;
    const answer = new Promise<Result>((resolve, reject) => {
      timer = setTimeout(
        () => reject(new Error(`${this.name} did not "${order}" within ${withinMs} ms`)),
        withinMs,
      );
      this.#waiting.set(number, { resolve: resolve as Waiting["resolve"], reject });
      this.#process.send({ order, number, value } satisfies Order, (error) => {
        if (error !== null) reject(error);
      });
    });
    return answer.finally(() => {
      clearTimeout(timer);
      this.#waiting.delete(number);
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** SIGKILL: it has no chance to say anything. */
  async kill(): Promise<void> {
    this.sampleMemory();
    if (this.hasEnded) return;
    const exit = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    // A stopped process dies of SIGKILL too.
    await exit;
  }

  /** Looks at how much memory it has; nothing where there is no `/proc`. */
  sampleMemory(): void {
    if (this.hasEnded || this.#process.pid === undefined) return;
    try {
      const [, pages] = readFileSync(`/proc/${this.#process.pid}/statm`, "utf8").split(" ");
      this.#highestBytes = Math.max(this.#highestBytes, Number(pages) * pageBytes);
    } catch {
      // It ended meanwhile, or the host tells it otherwise.
    }
  }

  #ready(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#process.on("message", (telling: Telling) => {
        if (telling.type === "ready") resolve(telling.detail);
        else this.#onTelling(telling);
      });
      this.#process.once("exit", (code, signal) => {
        const error = new Error(`${this.name} ended with ${signal ?? code}: ${this.#errors}`);
        reject(error);
        for (const { reject: fail } of this.#waiting.values()) fail(error);
      });
    });
  }

  #onTelling(telling: Exclude<Telling, { type: "ready" }>): void {
    if (telling.type === "progress") {
      this.progress = telling.progress;
      return;
    }
    const waiting = this.#waiting.get(telling.number);
    if (telling.type === "done") waiting?.resolve(telling.result);
    else waiting?.reject(new Error(`${this.name}: ${telling.error}`));
  }
}

/** How long it takes until what a child counts has grown beyond `from`. */
export async function growthMs(
  worker: Worker,
  counters: readonly string[],
  from: Readonly<Record<string, number>>,
  withinMs = 30_000,
): Promise<number> {
  const startMs = performance.now();
  const hasGrown = (): boolean =>
    counters.every((name) => (worker.progress[name] ?? 0) > (from[name] ?? 0));
  await waitFor(hasGrown, { what: `${worker.name} gets on with ${counters.join(", ")}`, withinMs });
  return performance.now() - startMs;
}
