import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import type { Memory } from "./ends.ts";

/** Collects garbage several times, because what finalizers free is collected in the next round. */
export async function memoryNow(): Promise<Memory> {
  for (let round = 0; round < 4; round++) {
    globalThis.gc?.();
    await pause(10);
  }
  const { heapUsed, rss } = process.memoryUsage();
  const handles = process
    .getActiveResourcesInfo()
    .filter((kind) => !/^(?:FSReq|Immediate)/.test(kind));
  return { heapBytes: heapUsed, residentBytes: rss, handles: handles.length };
}
