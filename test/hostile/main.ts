/**
 * Attacks six sockets in a process of their own, while six well-behaved peers use them.
 *
 *   npm run test:hostile -- [--short] [--ms 2000] [--over tcp,tls] [--only text] [--seed N]
 *                           [--record] [--since 2026-11-29T18:00Z] [--render]
 *
 * Each attack must be told by the victim as an event of the right code, stay within its bound of
 * memory, leave nothing behind, and be noticed by no bystander. Exits with 1 when one is not so.
 * `--record` keeps each result in `history/` in place of the one before, and no other is touched;
 * `--since` leaves out those that were recorded well since then; `--render` alone writes all of them to
 * docs/reliability.md.
 * About 5 minutes; the short form, which runs the most telling ones, at most 45 s.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus as osCpus, release } from "node:os";
import process from "node:process";
import { parseArgs } from "node:util";
import type { AttackResult } from "./campaign/campaign.ts";
import { Campaign } from "./campaign/campaign.ts";
import type { Attack } from "./campaign/attack.ts";
import { attacks } from "./campaign/attacks.ts";
import type { TransportName } from "./campaign/network.ts";
import { transportNames } from "./campaign/network.ts";
import type { RecordedAttack } from "./page.ts";
import { addToRecord, page, readRecord, renderedPage } from "./page.ts";

const { values } = parseArgs({
  options: {
    short: { type: "boolean", default: false },
    ms: { type: "string" },
    over: { type: "string", default: transportNames.join(",") },
    only: { type: "string", default: "" },
    seed: { type: "string" },
    record: { type: "boolean", default: false },
    since: { type: "string" },
    render: { type: "boolean", default: false },
  },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const forMs = Number(values.ms ?? (values.short ? 400 : 3_000));
/** Of the short form, which says what it did not come to; each transport has its share. */
const wholeMs = values.short ? 40_000 : Infinity;
const startMs = performance.now();

/** Transport and attack, of those that need not be repeated. */
const isRecorded = new Set(recordedSince(values.since));
let done = 0;
let failed = 0;
let links = 0;
let skipped = 0;
const chosenTransports = transportNames.filter((name) => values.over.split(",").includes(name));
if (values.render) writeFileSync(page, renderedPage(readFileSync(page, "utf8"), readRecord()));
else await runAll();

async function runAll(): Promise<void> {
  console.log(
    `seed ${seed}, node ${process.version}, attacks without an end go on for ${forMs} ms`,
  );
  for (const [index, transport] of chosenTransports.entries()) {
    await runOver(transport, startMs + (wholeMs * (index + 1)) / chosenTransports.length);
  }
  const seconds = ((performance.now() - startMs) / 1_000).toFixed(0);
  const left = skipped === 0 ? "" : `, ${skipped} skipped for want of time`;
  const well = `${done - failed} of ${done} attacks well, ${links} connections${left}`;
  console.log(`hostile: ${well}, seed ${seed}, ${seconds} s`);
  // A run in which nothing was tried shows nothing.
  process.exitCode = failed === 0 && done > 0 ? 0 : 1;
}

function keep(transport: TransportName, result: AttackResult): void {
  const machine = `${availableParallelism()} x ${cpuModel()}, Linux ${release()}`;
  const date = new Date().toISOString();
  const run = { date, node: process.version, machine, seed, forMs };
  addToRecord({ transport, ...result, ...run } satisfies RecordedAttack);
}

function cpuModel(): string {
  return (osCpus()[0]?.model ?? "unknown").replaceAll(/\s+/g, " ").replace(" Processor", "").trim();
}

function recordedSince(since: string | undefined): readonly string[] {
  if (since === undefined) return [];
  const sinceMs = Date.parse(since);
  if (Number.isNaN(sinceMs)) throw new Error(`--since is ${since}, must be a date`);
  return readRecord()
    .filter(({ date, failures }) => Date.parse(date) >= sinceMs && failures.length === 0)
    .map(({ transport, name }) => `${transport} ${name}`);
}

function isChosen({ name, over, isCore }: Attack, transport: TransportName): boolean {
  if (over !== undefined && !over.includes(transport)) return false;
  if (values.short && isCore !== true) return false;
  return name.includes(values.only) && !isRecorded.has(`${transport} ${name}`);
}

async function runOver(transport: TransportName, endMs: number): Promise<void> {
  const chosen = attacks.filter((attack) => isChosen(attack, transport));
  if (chosen.length === 0) return;
  let longestMs = 0;
  const campaign = await Campaign.start(transport);
  try {
    for (const attack of chosen) {
      if (performance.now() + longestMs > endMs) {
        skipped++;
        continue;
      }
      const result = await campaign.attack(attack, seed, forMs);
      longestMs = Math.max(longestMs, result.ms);
      done++;
      links += result.links;
      if (result.failures.length > 0) failed++;
      if (values.record) keep(transport, result);
      print(transport, result);
    }
    const { residentMiB, boundMiB } = campaign.kept;
    console.log(
      `       ${transport}: ${residentMiB.toFixed(0)} MiB more are resident, ${boundMiB} may be`,
    );
    if (residentMiB > boundMiB) {
      failed++;
      console.log(`FAILED ${transport}: all attacks together left too much resident memory`);
    }
  } finally {
    await campaign.end();
  }
}

function print(transport: TransportName, result: AttackResult): void {
  const { name, counts, mostMiB, boundMiB, bystanders, failures } = result;
  const told = Object.entries(counts).map(([what, count]) => `${count} x ${what}`);
  const memory = `${Math.max(0, mostMiB).toFixed(0)} of ${boundMiB.toFixed(0)} MiB, ${result.residentMiB.toFixed(0)} resident`;
  const isWell = failures.length === 0;
  console.log(`${isWell ? "well  " : "FAILED"} ${transport} ${name}`);
  console.log(
    `       ${result.ms.toFixed(0)} ms, ${result.links} links, ${memory}, bystanders +${bystanders}`,
  );
  if (told.length > 0) console.log(`       ${told.join(", ")}`);
  for (const failure of failures.slice(0, 5)) console.log(`       ${failure}`);
}
