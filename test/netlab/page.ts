/** What docs/reliability.md shows of the recorded networks. */
import { networkTransports } from "../network/transports.ts";
import { conditions } from "./conditions.ts";
import type { RecordedNetwork } from "./record.ts";

/** The page that has the table. */
export const page: URL = new URL("../../docs/reliability.md", import.meta.url);

const begin =
  "<!-- Written by `npm run test:netlab -- --render` from test/netlab/history.jsonl: do not edit. -->";
const end = "<!-- Written until here. -->";

const number = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

const head = [
  "network",
  "transport",
  "packets lost",
  "messages sent",
  "delivered",
  "reported lost",
  "unaccounted",
  "p99 of requests",
  "links lost",
  "recovery",
  "most memory",
];

/** @throws Error when the page lacks the two comments between which it is written. */
export function renderedPage(text: string, runs: readonly RecordedNetwork[]): string {
  const start = text.indexOf(begin);
  const stop = text.indexOf(end, start);
  if (start < 0 || stop < start) throw new Error(`docs/reliability.md lacks the line ${begin}`);
  const written = [...table(newest(runs)), "", ...circumstancesOf(newest(runs))].join("\n");
  return `${text.slice(0, start + begin.length)}\n\n${written}\n\n${text.slice(stop)}`;
}

/** The newest line of each network and transport, in the order in which they run. */
export function newest(runs: readonly RecordedNetwork[]): RecordedNetwork[] {
  return conditions.flatMap(({ name }) =>
    networkTransports.flatMap(
      (transport) =>
        runs.findLast((run) => run.network === name && run.transport === transport) ?? [],
    ),
  );
}

function table(runs: readonly RecordedNetwork[]): string[] {
  const rows = runs.map((run) => [
    run.network,
    run.transport,
    ...[run.packetsLost, run.sent, run.delivered, run.reportedLost, run.unaccounted].map((count) =>
      number.format(count),
    ),
    `${number.format(run.p99Ms)} ms`,
    number.format(run.linksLost),
    run.recoveryMs === undefined ? "" : `${number.format(run.recoveryMs)} ms`,
    `${(run.highestBytes / 2 ** 20).toFixed(0)} MiB`,
  ]);
  const ruler = head.map((_, at) => (at < 2 ? "---" : "---:"));
  return [head, ruler, ...rows].map((row) => `| ${row.join(" | ")} |`);
}

function circumstancesOf(runs: readonly RecordedNetwork[]): string[] {
  if (runs.length === 0) return ["Nothing is recorded."];
  const days = distinct(runs.map(({ date }) => date.slice(0, 10)));
  const nodes = distinct(runs.map(({ node }) => node));
  return [
    `Measured on ${days} with Node.js ${nodes} on ${distinct(runs.map(({ machine }) => machine))}.`,
  ];
}

function distinct(values: readonly string[]): string {
  return [...new Set(values)].join(", ");
}
