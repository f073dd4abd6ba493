import { closeSync, openSync } from "node:fs";
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import { plant } from "./planted.ts";

/** What a parent says. */
export interface Order {
  readonly order: string;
  readonly number: number;
  readonly value: unknown;
}

/** What a child says. */
export type Telling =
  | { readonly type: "ready"; readonly detail: unknown }
  | { readonly type: "progress"; readonly progress: Readonly<Record<string, number>> }
  | { readonly type: "done"; readonly number: number; readonly result: unknown }
  | { readonly type: "failed"; readonly number: number; readonly error: string };

/** Carries out an order; what it gives goes back to the parent. */
export type OrderHandler = (value: never) => unknown;

/** Progress is told this often: what is measured with it is no more exact. */
const progressMs = 20;

// Before any socket is made.
plant(process.env);

/** What this process was started with. */
export function settings(): unknown {
  return JSON.parse(process.argv[2] ?? "null");
}

/** Says that this process can be used, and from then on how it goes. */
export function tellReady(
  detail: unknown,
  progress?: () => Readonly<Record<string, number>>,
): void {
  tell({ type: "ready", detail });
  if (progress === undefined) return;
  setInterval(() => tell({ type: "progress", progress: progress() }), progressMs).unref();
}

/** Listens to the parent. When that is gone, this process ends. */
export function onOrders(handlers: Readonly<Record<string, OrderHandler>>): void {
  process.on("disconnect", () => process.exit(1));
  process.on("message", ({ order, number, value }: Order) => {
    const handler = { ...commonOrders, ...handlers }[order];
    Promise.resolve()
      .then(() => {
        if (handler === undefined) throw new Error(`there is no order ${order}`);
        return handler(value as never);
      })
      .then((result) => tell({ type: "done", number, result }))
      .catch((error: unknown) => {
        const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
        tell({ type: "failed", number, error: text });
      });
  });
}

const realNow = Date.now;
const taken: number[] = [];

/** What every process can be told to suffer. */
const commonOrders: Readonly<Record<string, OrderHandler>> = {
  /** Nothing else runs here for so long. */
  block: (ms: number) => {
    const end = performance.now() + ms;
    while (performance.now() < end);
  },
  /** The wall clock is wrong by so much from now on. */
  shiftClock: (ms: number) => {
    Date.now = () => realNow() + ms;
  },
  /** How much of the processor it needed in the next so many milliseconds: 1 is all of one core. */
  cpuShare: async (ms: number) => {
    const [before, startMs] = [process.cpuUsage(), performance.now()];
    await pause(ms);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000 / (performance.now() - startMs);
  },
  /** Takes every file descriptor that is left. */
  useDescriptors: () => {
    try {
      for (;;) taken.push(openSync("/dev/null", "r"));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EMFILE") throw error;
    }
    return taken.length;
  },
  freeDescriptors: () => {
    for (const file of taken.splice(0)) closeSync(file);
  },
  wallClock: () => Date.now(),
  /** Processor time that it used so far. */
  cpuMs: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
};

function tell(telling: Telling): void {
  if (process.connected) process.send?.(telling, undefined, {}, () => {});
}
