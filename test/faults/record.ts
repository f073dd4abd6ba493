/** The recorded results: `history/<campaign>.jsonl`, a line for each run. */
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { circumstances } from "../../bench/record.ts";
import type { Counts, Outcome } from "./report.ts";

const folder = new URL("history/", import.meta.url);

/** One run of one campaign over one transport. */
export interface RecordedRun {
  readonly date: string;
  readonly commit: string;
  readonly node: string;
  readonly machine: string;
  readonly campaign: string;
  readonly what: string;
  readonly transport: string;
  readonly seed: number;
  readonly isShort: boolean;
  readonly seconds: number;
  readonly faults: number;
  readonly accounts: Readonly<Record<string, Counts>>;
  readonly highestBytes: number;
  readonly recoveryMs?: number;
  readonly notes: readonly string[];
  readonly wrong: readonly string[];
}

/** Adds a line; a campaign that was skipped has none. */
export function record(
  { campaign, transport, result, wrong, seconds }: Outcome,
  run: { readonly seed: number; readonly isShort: boolean },
): void {
  if (typeof result !== "object") return;
  const { faults, highestBytes, recoveryMs, notes } = result;
  const accounts = Object.fromEntries(
    Object.entries(result.accounts).map(([name, account]) => {
      const { sent, delivered, reportedLost, unaccounted } = account;
      return [name, { sent, delivered, reportedLost, unaccounted }];
    }),
  );
  const line: RecordedRun = {
    ...circumstances(),
    campaign: campaign.name,
    what: campaign.what,
    transport,
    ...run,
    seconds: Math.round(seconds),
    faults,
    accounts,
    highestBytes,
    ...(recoveryMs === undefined ? {} : { recoveryMs: Math.round(recoveryMs) }),
    notes,
    wrong,
  };
  mkdirSync(folder, { recursive: true });
  appendFileSync(new URL(`${campaign.name}.jsonl`, folder), `${JSON.stringify(line)}\n`);
}

/** Whether a whole run in which all was well was recorded since then. */
export function isRecordedSince(
  runs: readonly RecordedRun[],
  { campaign, transport }: Pick<RecordedRun, "campaign" | "transport">,
  sinceMs: number,
): boolean {
  return runs.some(
    (run) =>
      run.campaign === campaign &&
      run.transport === transport &&
      !run.isShort &&
      run.wrong.length === 0 &&
      Date.parse(run.date) >= sinceMs,
  );
}

/** Every line of every campaign, the oldest first. */
export function readRecord(): RecordedRun[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith(".jsonl"))
    .flatMap((file) => readFileSync(new URL(file, folder), "utf8").trim().split("\n"))
    .map((line) => JSON.parse(line) as RecordedRun)
    .toSorted((a, b) => a.date.localeCompare(b.date));
}
