/** What every line of bench/history has, and how it is written. */
import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync } from "node:fs";
import { cpus, release } from "node:os";

/** A number of several rounds. */
export interface Figure {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Sums up the rounds, to four digits. */
export function figure(samples: readonly number[]): Figure {
  const sorted = samples.toSorted((a, b) => a - b);
  return {
    median: fourDigits(sorted[Math.floor(sorted.length / 2)]),
    min: fourDigits(sorted[0]),
    max: fourDigits(sorted.at(-1)),
  };
}

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

function fourDigits(value = 0): number {
  return Number(value.toPrecision(4));
}

function git(...args: string[]): string {
  return execFileSync("git", args, { encoding: "utf8" }).trim();
}
