/** What docs/performance.md shows of bench/history, and its charts. */
import { barChart } from "./chart.ts";
import { goals, rowOf } from "./goals.ts";
import type { HistoryLine } from "./history.ts";
import { measureOf } from "./measures.ts";
import { everything } from "./plan.ts";
import { heading, measuresOf, short, times } from "./print.ts";
import type { Row } from "./row.ts";
import { networkScenarios } from "../network/page.ts";
import { scenarios } from "../scenarios/names.ts";
import type { Figure } from "./statistics.ts";

/** The page that has the tables. */
export const page: URL = new URL("../../docs/performance.md", import.meta.url);

/** Where its charts are. */
export const chartFolder: URL = new URL("../../docs/performance/", import.meta.url);

const begin = "<!-- Written by `npm run bench:render` from bench/history: do not edit. -->";
const end = "<!-- Written until here. -->";

/** Rows that have a chart too, by the name of its file. */
const charts: Readonly<Record<string, Parameters<typeof rowOf>[1]>> = {
  "push-pull-64": { scenario: "push-pull" },
  "push-pull-1024": { scenario: "push-pull", sizeBytes: 1_024 },
  "req-rep-1": { scenario: "req-rep-1", pin: "one" },
  "req-rep-64": { scenario: "req-rep-64" },
  "pub-sub-64": { scenario: "pub-sub-64" },
};

/** @throws Error when the page lacks the two comments between which it is written. */
export function renderedPage(text: string, lines: readonly HistoryLine[]): string {
  const [start, stop] = [text.indexOf(begin), text.indexOf(end)];
  if (start < 0 || stop < start) throw new Error(`docs/performance.md lacks the line ${begin}`);
  return `${text.slice(0, start + begin.length)}\n\n${tables(lines)}\n${text.slice(stop)}`;
}

/** SVG by the name of the file. */
export function renderedCharts(lines: readonly HistoryLine[]): ReadonlyMap<string, string> {
  const drawn = new Map<string, string>();
  for (const [name, choice] of Object.entries(charts)) {
    const row = rowOf(lines, choice);
    if (row !== undefined) drawn.set(`${name}.svg`, chartOf(row));
  }
  return drawn;
}

function tables(lines: readonly HistoryLine[]): string {
  return ["## Goals", "", ...goalTable(lines), "", "## Figures", "", ...figureTables(lines)].join(
    "\n",
  );
}

function goalTable(lines: readonly HistoryLine[]): string[] {
  const rows = goals.map(({ title, aim, measure }) => {
    const outcome = measure(lines);
    if (outcome === undefined) return [title, aim, "", "not measured"];
    return [title, aim, outcome.text, outcome.isReached ? "reached" : "**not reached**"];
  });
  return markdown(["what", "goal", "measured", ""], rows);
}

/** Every row that was measured, in the order of the plan, then those that are in no plan. */
function figureTables(lines: readonly HistoryLine[]): string[] {
  const planned = everything.map(({ settings }) => rowOf(lines, settings));
  const own = lines.filter(({ scenario }) => !networkScenarios.has(scenario));
  const others = own.map((line) => rowOf(lines, line as Parameters<typeof rowOf>[1]));
  const rows = new Set([...planned, ...others]);
  return [...rows].flatMap((row) => (row === undefined ? [] : section(row as HistoryLine)));
}

function section(row: HistoryLine): string[] {
  const chart = Object.entries(charts).find(([, choice]) => rowOf([row], choice) !== undefined);
  const { date, commit, machine, node, load, rounds } = row;
  const title = scenarios[row.scenario]?.title;
  const where = `${rounds} ${rounds === 1 ? "round" : "rounds"}, ${date.slice(0, 10)}, commit ${commit}, ${machine}, Node.js ${node.slice(1)}${load === undefined ? "" : `, load ${load}`}.`;
  return [
    `### ${heading(row)}`,
    "",
    `${title === undefined ? "" : `${capital(title)}. `}${where}`,
    "",
    ...(chart === undefined ? [] : [`![${heading(row)}](performance/${chart[0]}.svg)`, ""]),
    ...figureTable(row),
    "",
  ];
}

function figureTable(row: Row): string[] {
  const labels = Object.keys(row.contenders);
  const names = measuresOf(row);
  const [headline = ""] = names;
  const ours = Object.keys(row.ratios);
  const { better } = measureOf(headline);
  const header = [
    "",
    ...names.map((name) => columnTitle(name)),
    ...ours.map((label) => `${label} is`),
  ];
  const cells = labels.map((label) => [
    label,
    ...names.map((name) => cell(row.contenders[label]?.[name], name === headline)),
    ...ours.map((own) => times(row.ratios[own]?.[label]?.[headline], better)),
  ]);
  return markdown(header, cells);
}

function columnTitle(name: string): string {
  const { title, unit } = measureOf(name);
  return unit === "/s" ? title : `${title}, ${unit}`;
}

/** Of the headline the spread too. */
function cell(figure: Figure | undefined, isSpread: boolean): string {
  if (figure === undefined) return "";
  const { median, min, max } = figure;
  return isSpread ? `${short(median)} (${short(min)} to ${short(max)})` : short(median);
}

function chartOf(row: Row): string {
  const [name = ""] = measuresOf(row);
  const { title, unit } = measureOf(name);
  const bars = Object.entries(row.contenders).map(([label, figures]) => {
    const value = figures[name]?.median ?? 0;
    const text = unit === "/s" ? short(value) : `${short(value)} ${unit}`;
    return { label, value, text, isOurs: label.startsWith("ours") };
  });
  const isRate = measureOf(name).better === "higher";
  return barChart(`${heading(row)}: ${title}, ${isRate ? "more" : "less"} is better`, bars);
}

function markdown(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const rule = header.map((_, column) => (column === 0 ? "---" : "--:"));
  return [header, rule, ...rows].map((cells) => `| ${cells.join(" | ")} |`);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
