import type { Account } from "./account.ts";
import type { Campaign, CampaignResult } from "./campaign.ts";
import type { TransportName } from "./network.ts";

/** One campaign over one transport. */
export interface Outcome {
  readonly campaign: Campaign;
  readonly transport: TransportName;
  /** A text says why it was skipped; absent when it failed before it had a result. */
  readonly result: CampaignResult | string | undefined;
  readonly wrong: readonly string[];
  readonly seconds: number;
}

/** The numbers of an account. */
export type Counts = Omit<Account, "problems">;

/** The sum of several accounts. */
export function sumOf(accounts: Readonly<Record<string, Counts>>): Counts {
  const sum = { sent: 0, delivered: 0, reportedLost: 0, unaccounted: 0 };
  for (const account of Object.values(accounts)) {
    sum.sent += account.sent;
    sum.delivered += account.delivered;
    sum.reportedLost += account.reportedLost;
    sum.unaccounted += account.unaccounted;
  }
  return sum;
}

const head = [
  "campaign",
  "transport",
  "faults",
  "sent",
  "delivered",
  "reported lost",
  "unaccounted",
  "memory",
  "recovery",
];

/** A table with a row for each campaign, and everything that went wrong. */
export function summaryLines(outcomes: readonly Outcome[]): readonly string[] {
  const rows = [head, ...outcomes.map(rowOf)];
  const widths = head.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const lines = rows.map((row) => row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join("  "));
  const wrong = outcomes.flatMap(({ campaign, transport, wrong: what }) =>
    what.map((text) => `FAILED ${campaign.name} over ${transport}: ${text}`),
  );
  return ["", ...lines.map((line) => line.trimEnd()), ...notesOf(outcomes), "", ...wrong];
}

function rowOf({ campaign, transport, result }: Outcome): string[] {
  if (typeof result === "string") return [campaign.name, transport, `skipped: ${result}`];
  if (result === undefined) return [campaign.name, transport, "FAILED"];
  const { sent, delivered, reportedLost, unaccounted } = sumOf(result.accounts);
  const recovery = result.recoveryMs === undefined ? "-" : `${result.recoveryMs.toFixed(0)} ms`;
  return [
    campaign.name,
    transport,
    String(result.faults),
    ...[sent, delivered, reportedLost, unaccounted].map(String),
    `${(result.highestBytes / 2 ** 20).toFixed(0)} MiB`,
    recovery,
  ];
}

function notesOf(outcomes: readonly Outcome[]): string[] {
  return outcomes.flatMap(({ campaign, transport, result }) =>
    typeof result === "object"
      ? result.notes.map((note) => `  ${campaign.name} over ${transport}: ${note}`)
      : [],
  );
}
