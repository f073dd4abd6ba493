/** What docs/network.md shows of bench/history: transports beside one another, a row for each network. */
import type { HistoryLine } from "../harness/history.ts";
import { measureOf } from "../harness/measures.ts";
import { measuresOf, short } from "../harness/print.ts";
import {
  badNetworks,
  bulkTransfer,
  lossyNetworks,
  manyRequests,
  oneByOne,
  quicVsTcp,
} from "./contests.ts";
import type { Contest, Network } from "./contest.ts";

/** The page that has the tables. */
export const networkPage: URL = new URL("../../docs/network.md", import.meta.url);

const begin = "<!-- Written by `npm run bench:render` from bench/history: do not edit. -->";
const end = "<!-- Written until here. -->";

/** Contests, and the networks that they are run over. */
export const networkTables: readonly (readonly [Contest, readonly Network[]])[] = [
  [quicVsTcp("full"), lossyNetworks],
  [oneByOne("full"), lossyNetworks],
  [bulkTransfer("full"), badNetworks],
  [manyRequests("full"), badNetworks],
];

/** What is not in docs/performance.md, because it is here. */
export const networkScenarios: ReadonlySet<string> = new Set(
  networkTables.map(([{ scenario }]) => scenario),
);

/** @throws Error when the page lacks the two comments between which it is written. */
export function renderedNetworkPage(text: string, lines: readonly HistoryLine[]): string {
  const [start, stop] = [text.indexOf(begin), text.indexOf(end)];
  if (start < 0 || stop < start) throw new Error(`docs/network.md lacks the line ${begin}`);
  const sections = networkTables.flatMap(([contest, networks]) =>
    section(contest, networks, lines),
  );
  return `${text.slice(0, start + begin.length)}\n\n${sections.join("\n")}\n${text.slice(stop)}`;
}

function section(
  { scenario, title }: Contest,
  networks: readonly Network[],
  lines: readonly HistoryLine[],
): string[] {
  const rows = networks.flatMap(({ name }) => {
    const line = lines.findLast((each) => each.scenario === scenario && each.transport === name);
    return line === undefined ? [] : [line];
  });
  const [first] = rows;
  if (first === undefined) return [];
  const { date, commit, machine, node, load, rounds } = first;
  const where = [
    `${rounds} ${rounds === 1 ? "round" : "rounds"}`,
    date.slice(0, 10),
    `commit ${commit}`,
    machine,
    `Node.js ${node.slice(1)}`,
    `load ${load ?? "unknown"}`,
  ];
  return [`### ${title}`, "", `${scenario}: ${where.join(", ")}.`, "", ...markdown(rows), ""];
}

/** The transports of each measure side by side; of the first measure the quotients too. */
function markdown(rows: readonly HistoryLine[]): string[] {
  const [first] = rows;
  if (first === undefined) return [];
  const labels = Object.keys(first.contenders);
  const measures = measuresOf(first);
  const [headline = ""] = measures;
  const others = Object.keys(first.ratios["quic"] ?? {});
  const header = [
    "network",
    ...measures.flatMap((measure) => labels.map((label) => `${label} ${titleOf(measure)}`)),
    ...others.map((other) => `${measureOf(headline).title}, quic / ${other}`),
  ];
  const cells = rows.map((row) => [
    row.transport,
    ...measures.flatMap((measure) =>
      labels.map((label) => short(row.contenders[label]?.[measure]?.median ?? Number.NaN)),
    ),
    ...others.map((other) => quotient(row, other, headline)),
  ]);
  const rule = header.map((_, at) => (at === 0 ? "---" : "--:"));
  return [header, rule, ...cells].map((line) => `| ${line.join(" | ")} |`);
}

function titleOf(measure: string): string {
  const { title, unit } = measureOf(measure);
  return unit === "/s" ? title : `${title}, ${unit}`;
}

/** With its spread, where there were several rounds. */
function quotient({ ratios, rounds }: HistoryLine, other: string, measure: string): string {
  const figure = ratios["quic"]?.[other]?.[measure];
  if (figure === undefined) return "";
  const { median, min, max } = figure;
  return rounds === 1 ? short(median) : `${short(median)} (${short(min)} to ${short(max)})`;
}
