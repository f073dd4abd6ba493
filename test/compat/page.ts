/** What docs/zeromq-js.md shows of the recorded scenarios. */
import { readFileSync } from "node:fs";
import type { Result } from "./run.ts";
import { groups, notPlayed } from "./scenarios/all.ts";
import type { Difference, Scenario } from "./scenarios/scenario.ts";

/** One run of all scenarios, as it is kept. */
export interface RecordedScenarios {
  readonly date: string;
  readonly node: string;
  readonly results: readonly Result[];
}

/** Where the newest run is kept. */
export const record: URL = new URL("history/scenarios.json", import.meta.url);

/** The page that has the table. */
export const page: URL = new URL("../../docs/zeromq-js.md", import.meta.url);

const begin =
  "<!-- Written by `npm run test:compat -- --render` from test/compat/history: do not edit. -->";
const end = "<!-- Scenarios are written until here. -->";

export function readRecord(): RecordedScenarios {
  return JSON.parse(readFileSync(record, "utf8")) as RecordedScenarios;
}

/** @throws Error when the page lacks the two comments between which it is written. */
export function renderedPage(text: string, run: RecordedScenarios): string {
  const start = text.indexOf(begin);
  const stop = text.indexOf(end, start);
  if (start < 0 || stop < start) throw new Error(`docs/zeromq-js.md lacks the line ${begin}`);
  const written = [countsOf(run), ...tablesOf(run), ...notPlayedLines()].join("\n\n");
  return `${text.slice(0, start + begin.length)}\n\n${written}\n\n${text.slice(stop)}`;
}

function countsOf({ date, node, results }: RecordedScenarios): string {
  const all = groups.flatMap(({ scenarios }) => scenarios).map(({ difference }) => difference);
  const has = (kind: string): number =>
    all.filter((difference) => difference !== undefined && kind in difference).length;
  const same = all.filter((difference) => difference === undefined).length;
  return (
    `Played on ${date.slice(0, 10)} with Node.js ${node} and zeromq.js 6.8.0: ${results.length} plays of ` +
    `${all.length} scenarios; ${same} come out the same, ${has("better")} better here, ` +
    `${has("other")} otherwise by choice, ${has("worse")} are not offered here.`
  );
}

function tablesOf({ results }: RecordedScenarios): string[] {
  return groups.flatMap(({ title, scenarios }) => {
    const rows = scenarios.flatMap((scenario) => rowsOf(scenario, results));
    const table = [
      ["scenario", "over", "zeromq.js 6.8", "here", ""],
      ["---", "---", "---", "---", "---"],
      ...rows,
    ];
    return [`### ${title}`, table.map((row) => `| ${row.join(" | ")} |`).join("\n")];
  });
}

/** One row for all carriers over which the same came of it. */
function rowsOf(scenario: Scenario, results: readonly Result[]): string[][] {
  const own = results.filter(({ what }) => what === scenario.what);
  const outcomes = [...new Set(own.map(({ theirs, ours }) => `${theirs}\n${ours}`))];
  return outcomes.map((outcome) => {
    const like = own.filter(({ theirs, ours }) => `${theirs}\n${ours}` === outcome);
    const [{ theirs, ours } = { theirs: "", ours: "" }] = like;
    const over = like.map(({ carrier }) => carrier).join(", ");
    const here = theirs === ours ? "the same" : cell(ours);
    return [scenario.what, over, cell(theirs), here, remarkOf(scenario.difference)];
  });
}

function remarkOf(difference: Difference | undefined): string {
  if (difference === undefined) return "";
  if ("better" in difference) return `better: ${difference.better}`;
  if ("worse" in difference) return `not offered: ${difference.worse}`;
  return `by choice: ${difference.other}`;
}

function cell(text: string): string {
  return text
    .replaceAll("|", "\\|")
    .replaceAll(/[[\]<>]/g, "\\$&")
    .trim();
}

function notPlayedLines(): string[] {
  return [`Not played: ${notPlayed.map(({ what, why }) => `${what} (${why})`).join("; ")}.`];
}
