import process from "node:process";

/** Calls back for each message of the parent; the channel keeps no process alive. */
export function onOrder(listener: (order: unknown) => void): void {
  process.on("message", listener);
}

/** Tells the parent. */
export function tell(message: object): void {
  process.send?.(message);
}

/** Heap and memory beside it in use, when all that can be collected was. Needs `--expose-gc`. */
export async function usedBytes(): Promise<number> {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) throw new Error("run with --expose-gc");
  for (let round = 0; round < 3; round++) {
    gc();
    await nextTurn();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Lets timers and I/O have their turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
