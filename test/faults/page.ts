/** What docs/reliability.md shows of the recorded runs. */
import { campaigns } from "./campaigns.ts";
import type { RecordedRun } from "./record.ts";
import { sumOf } from "./report.ts";

/** The page that has the tables. */
export const page: URL = new URL("../../docs/reliability.md", import.meta.url);

const begin =
  "<!-- Written by `npm run test:faults -- --render` from test/faults/history: do not edit. -->";
const end = "<!-- Written until here. -->";

const number = new Intl.NumberFormat("en");

/** @throws Error when the page lacks the two comments between which it is written. */
export function renderedPage(text: string, runs: readonly RecordedRun[]): string {
  const start = text.indexOf(begin);
  const stop = text.indexOf(end, start);
  if (start < 0 || stop < start) throw new Error(`docs/reliability.md lacks the line ${begin}`);
  const rows = newestRuns(runs);
  const written = [...resultTable(rows), "", ...circumstancesOf(rows), "", ...noteList(rows)];
  return `${text.slice(0, start + begin.length)}\n\n${written.join("\n")}\n\n${text.slice(stop)}`;
}

/** The newest whole run of each campaign over each transport, in the order of the campaigns. */
export function newestRuns(runs: readonly RecordedRun[]): readonly RecordedRun[] {
  const newest = new Map<string, RecordedRun>();
  for (const run of runs) {
    if (!run.isShort) newest.set(`${run.campaign} ${run.transport}`, run);
  }
  return campaigns.flatMap(({ name, transports }) =>
    transports.flatMap((transport) => newest.get(`${name} ${transport}`) ?? []),
  );
}

const head = [
  "campaign",
  "transport",
  "faults",
  "messages sent",
  "delivered",
  "reported lost",
  "unaccounted",
  "most memory",
  "slowest recovery",
];

function resultTable(runs: readonly RecordedRun[]): string[] {
  const rows = runs.map((run) => {
    const { sent, delivered, reportedLost, unaccounted } = sumOf(run.accounts);
    return [
      `\`${run.campaign}\``,
      run.transport,
      number.format(run.faults),
      ...[sent, delivered, reportedLost, unaccounted].map((count) => number.format(count)),
      `${(run.highestBytes / 2 ** 20).toFixed(0)} MiB`,
      run.recoveryMs === undefined ? "" : `${number.format(run.recoveryMs)} ms`,
    ];
  });
  const ruler = head.map((_, at) => (at < 2 ? "---" : "---:"));
  return [head, ruler, ...rows].map((row) => `| ${row.join(" | ")} |`);
}

function circumstancesOf(runs: readonly RecordedRun[]): string[] {
  const nodes = [...new Set(runs.map(({ node }) => node))].join(", ");
  const machines = [...new Set(runs.map(({ machine }) => machine))].join("; ");
  const days = [...new Set(runs.map(({ date }) => date.slice(0, 10)))].join(", ");
  return [`Measured on ${days} with Node.js ${nodes} on ${machines}.`];
}

/** What the campaigns saw beside; the rounds of one say nearly the same. */
function noteList(runs: readonly RecordedRun[]): string[] {
  return runs.flatMap(({ campaign, transport, notes }) => {
    const [first, ...more] = notes.filter((note) => !note.includes("by the last client"));
    const shown = campaign === "killed-workers" ? [first, ...more] : [first];
    return shown
      .filter((note) => note !== undefined)
      .map((note) => `- \`${campaign}\` over ${transport}: ${note}.`);
  });
}
