/** The recorded campaigns: `history.jsonl`, a line for each network and transport of a whole run. */
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { circumstances } from "../../bench/record.ts";
import type { MixedLoad, MixedReport } from "../network/mixed-load.ts";
import type { CampaignReport } from "./campaign.ts";

const file = new URL("history.jsonl", import.meta.url);

/** What one network did to one transport. */
export interface RecordedNetwork {
  readonly date: string;
  readonly commit: string;
  readonly node: string;
  readonly machine: string;
  readonly transport: string;
  readonly network: string;
  readonly seed: number;
  readonly packetsLost: number;
  readonly sent: number;
  readonly delivered: number;
  readonly reportedLost: number;
  readonly unaccounted: number;
  readonly p99Ms: number;
  readonly linksLost: number;
  /** Absent where the network never went away. */
  readonly recoveryMs?: number;
  readonly highestBytes: number;
}

/** Adds a line for each network that was survived to its end. */
export function record(
  transport: string,
  { outcomes }: CampaignReport,
  run: { readonly seed: number; readonly load: MixedLoad },
): void {
  for (const { name, report, recoveryMs, lostPackets, highestBytes } of outcomes) {
    if (report === undefined) continue;
    const line: RecordedNetwork = {
      ...circumstances(),
      transport,
      network: name,
      seed: run.seed,
      packetsLost: lostPackets,
      ...accountOf(report, run.load),
      p99Ms: Number(report.requests.p99Ms.toPrecision(4)),
      linksLost: report.disconnects,
      ...(Number.isNaN(recoveryMs) ? {} : { recoveryMs: Math.round(recoveryMs) }),
      highestBytes,
    };
    appendFileSync(file, `${JSON.stringify(line)}\n`);
  }
}

function accountOf({ requests, jobs, messages, unaccounted }: MixedReport, load: MixedLoad) {
  const delivered = requests.answered + jobs.done + messages.received;
  const sent = load.requests + load.jobs + load.messages;
  return { sent, delivered, reportedLost: sent - delivered - unaccounted, unaccounted };
}

/** Every line, the oldest first. */
export function readRecord(): RecordedNetwork[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line) as RecordedNetwork);
}
