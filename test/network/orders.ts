import process from "node:process";

/** What a process can be asked to do; arguments and results are what JSON carries. */
export type Calls = Readonly<Record<string, (argument: never) => unknown>>;

/** What the parent sends. */
export interface Order {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

/** What comes back. */
export interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** Obeys the parent until it is gone. */
export function obey(calls: Calls): void {
  process.on("message", (message) => {
    const { id, name, argument } = message as Order;
    const call = calls[name] as ((argument: unknown) => unknown) | undefined;
    Promise.resolve()
      .then(() => {
        if (call === undefined) throw new Error(`there is no call ${name}`);
        return call(argument);
      })
      .then(
        (result) => answer({ id, result }),
        (error: unknown) => answer({ id, error: String((error as Error).stack) }),
      );
  });
  process.on("disconnect", () => process.exit());
}

function answer(message: Answer): void {
  if (process.connected) process.send?.(message);
}
