/** The accepted runs: `bench/history/<scenario>.jsonl`, a line for each row. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadavg } from "node:os";
import { circumstances } from "../record.ts";
import type { Row } from "./row.ts";

/** When, of what and where something was measured. */
export interface Circumstances {
  readonly date: string;
  readonly commit: string;
  readonly node: string;
  readonly machine: string;
  /** How many processes wanted a core in the minute before; the oldest lines do not say. */
  readonly load?: number;
}

/** Now, here. */
export function here(): Circumstances {
  return { ...circumstances(), load: Number((loadavg()[0] ?? 0).toFixed(1)) };
}

/** One line. */
export type HistoryLine = Circumstances & Row;

const folder = fileURLToPath(new URL("../history/", import.meta.url));

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
