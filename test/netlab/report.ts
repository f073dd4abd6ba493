import { short, tableLines } from "../network/table.ts";
import type { CampaignReport, Outcome } from "./campaign.ts";

const header = [
  "transport",
  "network",
  "s",
  "packets lost",
  "requests",
  "failed",
  "p50 ms",
  "p99 ms",
  "jobs",
  "twice",
  "messages",
  "told lost",
  "gaps",
  "links lost",
  "recovery ms",
  "unaccounted",
];

/** True when all came to an end and nothing is unaccounted for. */
export function isWell({ error, report }: Outcome): boolean {
  return error === undefined && report?.unaccounted === 0;
}

/** The table of all campaigns, and the lines below it. */
export function reportLines(reports: ReadonlyMap<string, CampaignReport>): string[] {
  const rows = [...reports].flatMap(([transport, { outcomes }]) =>
    outcomes.map((outcome) => [transport, ...cells(outcome)]),
  );
  const failures = [...reports].flatMap(([transport, { outcomes }]) =>
    outcomes
      .filter(({ error }) => error !== undefined)
      .map(({ name, error }) => `FAILED: ${transport}, ${name}: ${error}`),
  );
  const workers = [...reports.values()].map(({ worker }) =>
    worker.isWell ? worker.text : `FAILED: ${worker.text}`,
  );
  return [...tableLines(header, rows), ...workers, ...failures];
}

function cells({ name, seconds, report, recoveryMs, lostPackets }: Outcome): string[] {
  if (report === undefined) return [name, seconds.toFixed(0), ...Array<string>(13).fill("-")];
  const { requests, jobs, messages } = report;
  const failed = Object.entries(requests.failed).map(([code, count]) => `${count} ${code}`);
  return [
    name,
    seconds.toFixed(1),
    String(lostPackets),
    String(requests.answered),
    failed.join(" ") || "0",
    short(requests.p50Ms),
    short(requests.p99Ms),
    String(jobs.done),
    String(jobs.duplicates),
    String(messages.received),
    String(messages.lost),
    String(messages.uncountedGaps),
    String(report.disconnects),
    short(recoveryMs),
    String(report.unaccounted),
  ];
}
