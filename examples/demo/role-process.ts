import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { FromRole, RoleSettings, ToRole } from "./control.ts";

/** How a child ended. */
export interface Exit {
  readonly name: string;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A child process as main sees it. The promises that nobody awaits never end main. */
export class RoleProcess<Progress, Report> {
  readonly name: string;
  /** Where it listens, when it is ready; rejects when it ends before. */
  readonly ready: Promise<string>;
  /** Rejects when it ends without one. */
  readonly report: Promise<Report>;
  readonly exited: Promise<Exit>;
  progress: Progress | undefined;
  #isKilled = false;
  readonly #child: ChildProcess;

  /** @param role - its file beside this one, without `.ts`. */
  constructor(name: string, role: string, settings: RoleSettings) {
    this.name = name;
    const file = fileURLToPath(new URL(`./${role}.ts`, import.meta.url));
    this.#child = fork(file, [JSON.stringify(settings)], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.exited = this.#exit();
    this.ready = this.#told("ready", ({ endpoint }) => endpoint ?? "");
    this.report = this.#told("report", ({ report }) => report);
    this.#child.on("message", (message: FromRole<Progress, Report>) => {
      if (message.kind === "progress") this.progress = message.progress;
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  tell(kind: ToRole["kind"]): void {
    // One that is gone is noticed by its exit.
    if (this.#child.connected) this.#child.send({ kind } satisfies ToRole, () => {});
  }

  /** True once {@link kill} was called: its end is no surprise. */
  get isKilled(): boolean {
    return this.#isKilled;
  }

  /** Ends it at once, as a crash would. */
  kill(): void {
    this.#isKilled = true;
    this.#child.kill("SIGKILL");
  }

  #exit(): Promise<Exit> {
    return new Promise((resolve) => {
      this.#child.once("error", () => resolve({ name: this.name, code: null, signal: null }));
      this.#child.once("exit", (code, signal) => resolve({ name: this.name, code, signal }));
    });
  }

  #told<Kind extends FromRole<Progress, Report>["kind"], Value>(
    kind: Kind,
    value: (message: Extract<FromRole<Progress, Report>, { readonly kind: Kind }>) => Value,
  ): Promise<Value> {
    const promise = new Promise<Value>((resolve, reject) => {
      this.#child.on("message", (message: FromRole<Progress, Report>) => {
        if (message.kind === kind) resolve(value(message as Parameters<typeof value>[0]));
      });
      void this.exited.then(({ code, signal }) =>
        reject(new Error(`${this.name} ended with ${signal ?? code} before it was "${kind}"`)),
      );
    });
    promise.catch(() => {});
    return promise;
  }
}
