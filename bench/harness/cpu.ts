import { readdirSync, readFileSync } from "node:fs";

/**
 * CPU microseconds of another process, all its threads, the kernel's share too; undefined where the
 * host does not tell.
 */
export function cpuMicrosOf(pid: number): number | undefined {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const nanos = threads.map((thread) => {
      const text = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8");
      return Number(text.split(" ")[0]);
    });
    return nanos.reduce((sum, value) => sum + value, 0) / 1000;
  } catch {
    return undefined;
  }
}

/** What has to stand before a command so that it runs on one core only. */
export function pinned(command: readonly string[], core: number | undefined): readonly string[] {
  return core === undefined ? command : ["taskset", "--cpu-list", String(core), ...command];
}
