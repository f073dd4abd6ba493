/** The recorded checks: `history.jsonl`, a line for each check of a whole run, and their page. */
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import type { Circumstances } from "../../bench/harness/history.ts";
import { here } from "../../bench/harness/history.ts";
import type { Check, CheckResult } from "./check.ts";

const file = new URL("history.jsonl", import.meta.url);

/** The page that shows them. */
export const page: URL = new URL("../../docs/network.md", import.meta.url);

const begin =
  "<!-- Written by `npm run test:quic -- --render` from test/quic/history.jsonl: do not edit. -->";
const end = "<!-- Written until here. -->";

/** What one check said. */
export interface RecordedCheck extends Circumstances {
  readonly check: string;
  readonly title: string;
  readonly seed: number;
  readonly seconds: number;
  readonly lines: readonly string[];
}

/** Adds a line. A check that failed is not kept: its failure is to be looked at. */
export function record(
  { name, title }: Check,
  { lines, failures }: CheckResult,
  run: { readonly seed: number; readonly seconds: number },
): void {
  if (failures.length > 0) return;
  const line: RecordedCheck = { ...here(), check: name, title, ...run, lines };
  appendFileSync(file, `${JSON.stringify(line)}\n`);
}

/** Every line, the oldest first. */
export function readRecord(): RecordedCheck[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line) as RecordedCheck);
}

/** @throws Error when the page lacks the two comments between which it is written. */
export function renderedPage(text: string, checks: readonly RecordedCheck[]): string {
  const start = text.indexOf(begin);
  const stop = text.indexOf(end, start);
  if (start < 0 || stop < start) throw new Error(`docs/network.md lacks the line ${begin}`);
  const names = [...new Set(checks.map(({ check }) => check))];
  const newest = names.flatMap((name) => checks.findLast(({ check }) => check === name) ?? []);
  const written = newest.flatMap(section).join("\n");
  return `${text.slice(0, start + begin.length)}\n\n${written}\n${text.slice(stop)}`;
}

function section(recorded: RecordedCheck): string[] {
  const { check, title, lines, date, commit, machine, node, load, seed, seconds } = recorded;
  const where = `${date.slice(0, 10)}, commit ${commit}, ${machine}, Node.js ${node.slice(1)}`;
  return [
    `### ${check}: ${title}`,
    "",
    `${where}, load ${load ?? "unknown"}, seed ${seed}, ${seconds} s.`,
    "",
    "```text",
    ...lines,
    "```",
    "",
  ];
}
