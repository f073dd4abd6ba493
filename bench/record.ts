/** What every line of bench/history has, and how it is written. */
import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync } from "node:fs";
import { cpus, release } from "node:os";

export { figure } from "./harness/statistics.ts";
export type { Figure } from "./harness/statistics.ts";

/** When, of what and where it was measured. */
export function circumstances(): { date: string; commit: string; node: string; machine: string } {
  return {
    date: new Date().toISOString(),
    commit: git("rev-parse", "--short", "HEAD"),
    node: process.version,
    machine: `${cpus().length} x ${cpus()[0]?.model ?? "unknown"}, Linux ${release()}`,
  };
}

/** Adds a line to `bench/history/<scenario>.jsonl`. */
export function appendToHistory(scenario: string, line: object): void {
  mkdirSync(new URL("history/", import.meta.url), { recursive: true });
  appendFileSync(
    new URL(`history/${scenario}.jsonl`, import.meta.url),
    `${JSON.stringify(line)}\n`,
  );
}

function git(...args: string[]): string {
  return execFileSync("git", args, { encoding: "utf8" }).trim();
}
