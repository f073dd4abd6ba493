/** The accepted runs: `bench/history/<scenario>.jsonl`, a line for each row. */
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Circumstances } from "./circumstances.ts";
import type { Row } from "./row.ts";

/** One line. */
export type HistoryLine = Circumstances & Row;

const folder = fileURLToPath(new URL("../history/", import.meta.url));

/** Adds a line. */
export function appendToHistory(where: Circumstances, row: Row): void {
  mkdirSync(folder, { recursive: true });
  appendFileSync(`${folder}${row.scenario}.jsonl`, `${JSON.stringify({ ...where, ...row })}\n`);
}

/** Every line of every scenario, oldest first; what is of another form is left out. */
export function readHistory(): HistoryLine[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((file) => file.endsWith(".jsonl"));
  const lines = files.flatMap((file) =>
    readFileSync(folder + file, "utf8")
      .trim()
      .split("\n"),
  );
  return lines
    .map((line) => JSON.parse(line) as HistoryLine)
    .filter((line) => (line.contenders as Row["contenders"] | undefined) !== undefined)
    .toSorted((a, b) => a.date.localeCompare(b.date));
}
