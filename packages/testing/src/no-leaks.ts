import { createHook } from "node:async_hooks";
import process from "node:process";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { waitFor } from "./wait-for.ts";

/** How {@link expectNoLeaks} judges. */
export interface NoLeaksOptions {
  /** How long what is being closed may take. @defaultValue 2_000 */
  readonly withinMs?: number;
}

/** Kinds that come and go by themselves, and timers, which are watched one by one. */
const uncounted = /^(?:FSReq|Immediate|TickObject|Microtask|Timeout)/;

/** Between the code that sets a timer and the watch. */
const innerFrame = /\bnode:|\/no-leaks\.ts/;

/**
 * Who may leave a timer: the test runner, whose timers outlive tests and would hide a test's own in
 * a mere count, and the polling by which leaks are looked for.
 */
const foreignFrame = /node_modules\/(?:@vitest|vitest|vite)\/|\/wait-for\.ts/;

/**
 * Watches for what keeps a process alive and was not there when the watch began: timers, with where
 * they were set, and sockets, servers and other handles, counted by kind.
 */
export class LeakWatch {
  readonly #before: ReadonlyMap<string, number> = countHandles();
  readonly #timers: Map<number, { readonly timer: NodeJS.Timeout; readonly where: string }> =
    new Map();
  readonly #hook = createHook({
    init: (id, type, _trigger, resource) => {
      if (type === "Timeout") this.#onTimer(id, resource as NodeJS.Timeout);
    },
    destroy: (id) => this.#timers.delete(id),
  });

  constructor() {
    this.#hook.enable();
  }

  /** What is left now, such as `TCPSocketWrap +2` or `a timer set at file.ts:7:3`. */
  leaks(): string[] {
    const leaks: string[] = [];
    for (const { timer, where } of this.#timers.values()) {
      if (timer.hasRef()) leaks.push(`a timer set ${where}`);
    }
    for (const [kind, count] of countHandles()) {
      const extra = count - (this.#before.get(kind) ?? 0);
      if (extra > 0) leaks.push(`${kind} +${extra}`);
    }
    return leaks;
  }

  /** Ends the watch; what {@link leaks} says afterwards means nothing. */
  stop(): void {
    this.#hook.disable();
    this.#timers.clear();
  }

  #onTimer(id: number, timer: NodeJS.Timeout): void {
    const frames = (new Error("where").stack ?? "").split("\n").slice(1);
    const where = frames.find((frame) => !innerFrame.test(frame))?.trim() ?? "inside Node.js";
    if (!foreignFrame.test(where)) this.#timers.set(id, { timer, where });
  }
}

function countHandles(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    if (!uncounted.test(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

/**
 * Fails each test of the file or `describe` it is called in that leaves timers, sockets or other
 * handles behind. Call it first: what a test registers with `onTestFinished` has run before it looks.
 *
 * Of tests that run at the same time nobody can tell whose a handle is: {@link expectNoLeaksOfFile}
 * looks behind the last of them.
 */
export function expectNoLeaks(options: NoLeaksOptions = {}): void {
  const { withinMs = 2_000 } = options;
  beforeEach(({ onTestFinished, task }) => {
    if (task.concurrent === true) return;
    const watch = new LeakWatch();
    onTestFinished(() => assertClean(watch, "the test", withinMs));
  });
}

/** Fails a file that leaves something behind when all its tests and their hooks have ended. */
export function expectNoLeaksOfFile(options: NoLeaksOptions = {}): void {
  const { withinMs = 2_000 } = options;
  let watch: LeakWatch | undefined;
  beforeAll(() => {
    watch = new LeakWatch();
  });
  afterAll(async () => {
    if (watch !== undefined) await assertClean(watch, "the file", withinMs);
  });
}

/** Waits until nothing is left, and ends the watch. */
async function assertClean(watch: LeakWatch, who: string, withinMs: number): Promise<void> {
  const isClean = (): boolean => watch.leaks().length === 0;
  const error = await waitFor(isClean, { what: "nothing is left behind", withinMs }).catch(
    () => new Error(`${who} left behind after ${withinMs} ms: ${watch.leaks().join(", ")}`),
  );
  watch.stop();
  if (error !== undefined) throw error;
}
