/**
 * Breaks real processes, and counts what became of every message.
 *
 *   npm run test:faults -- [--only restart-storm,stop-and-go] [--transport tcp] [--minutes N]
 *                          [--seed N] [--short] [--record] [--since 2026-11-29T18:00Z] [--render]
 *
 * Each campaign starts processes, does harm, lets everything come to its end, and compares what both
 * sides wrote down: sent = delivered + reported lost, and nothing unaccounted. `--short` does as much
 * as fits into a minute and a half, over one transport each. `--minutes` is for the campaign that runs
 * by the clock, and for restart storms, which end there. `--record` adds each result to `history/` as
 * soon as it is there, and `--render` alone writes the newest of each into docs/reliability.md. With
 * `--since`, what was recorded whole and well since then is left out: so a run that was cut short goes
 * on.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { Random } from "../fuzz/random.ts";
import type { Campaign, CampaignResult } from "./campaign.ts";
import { wrongs } from "./campaign.ts";
import { campaigns } from "./campaigns.ts";
import type { TransportName } from "./network.ts";
import { transportNames } from "./network.ts";
import { page, renderedPage } from "./page.ts";
import { isRecordedSince, readRecord, record } from "./record.ts";
import type { Outcome } from "./report.ts";
import { summaryLines } from "./report.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    transport: { type: "string" },
    minutes: { type: "string" },
    seed: { type: "string" },
    short: { type: "boolean", default: false },
    record: { type: "boolean", default: false },
    since: { type: "string" },
    render: { type: "boolean", default: false },
  },
});

if (values.render) {
  writeFileSync(page, renderedPage(readFileSync(page, "utf8"), readRecord()));
  process.exit();
}

const seed = numberOption("seed", values.seed ?? String(Math.floor(Math.random() * 2 ** 31)));
const minutes = values.minutes === undefined ? undefined : numberOption("minutes", values.minutes);
const startMs = performance.now();
console.log(`seed ${seed}, node ${process.version}${values.short ? ", short form" : ""}`);
const outcomes: Outcome[] = [];
const sinceMs = values.since === undefined ? undefined : Date.parse(values.since);
if (Number.isNaN(sinceMs)) throw new Error(`--since is ${values.since}, must be a date`);
const recorded = sinceMs === undefined ? [] : readRecord();
for (const campaign of chosen()) {
  for (const transport of transportsOf(campaign)) {
    const run = { campaign: campaign.name, transport };
    if (sinceMs !== undefined && isRecordedSince(recorded, run, sinceMs)) continue;
    const outcome = await runCampaign(campaign, transport);
    outcomes.push(outcome);
    if (values.record) record(outcome, { seed, isShort: values.short });
  }
}
for (const line of summaryLines(outcomes)) console.log(line);
const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
const failed = outcomes.filter(({ wrong }) => wrong.length > 0).length;
console.log(`${outcomes.length} campaigns, ${failed} failed, ${seconds} s, seed ${seed}`);
process.exitCode = failed === 0 ? 0 : 1;

function chosen(): readonly Campaign[] {
  const names = values.only?.split(",");
  const unknown = names?.find((name) => !campaigns.some((campaign) => campaign.name === name));
  if (unknown !== undefined) {
    const all = campaigns.map(({ name }) => name).join(", ");
    throw new Error(`there is no campaign ${unknown}: ${all}`);
  }
  return campaigns.filter(({ name }) => names?.includes(name) ?? true);
}

function transportsOf({ transports }: Campaign): readonly TransportName[] {
  if (values.transport !== undefined) {
    const wanted = values.transport.split(",");
    const unknown = wanted.find((name) => !transportNames.includes(name as TransportName));
    if (unknown !== undefined) throw new Error(`there is no transport ${unknown}`);
    return transports.filter((name) => wanted.includes(name));
  }
  return values.short ? transports.slice(0, 1) : transports;
}

async function runCampaign(campaign: Campaign, transport: TransportName): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), "msg-faults-"));
  const begunMs = performance.now();
  const random = Random.ofRun(seed, campaigns.indexOf(campaign));
  const context = { transport, folder, random, isShort: values.short, minutes };
  let result: CampaignResult | string | undefined;
  let wrong: readonly string[];
  try {
    result = await campaign.run(context);
    wrong = typeof result === "string" ? [] : wrongs(result);
  } catch (error) {
    wrong = [error instanceof Error ? (error.stack ?? error.message) : String(error)];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const tookSeconds = (performance.now() - begunMs) / 1000;
  const state =
    typeof result === "string" ? `skipped: ${result}` : wrong.length > 0 ? "FAILED" : "ok";
  console.log(`${campaign.name} over ${transport}: ${state}, ${tookSeconds.toFixed(0)} s`);
  return { campaign, transport, result, wrong, seconds: tookSeconds };
}

function numberOption(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value) && value >= 0) return value;
  throw new Error(`--${name} is ${text}, must be a number, 0 or more`);
}
