/**
 * Uses everything at once for a long time, and fails when a count does not agree or anything grows.
 *
 *   npm run soak -- [--minutes 15] [--seed N] [--svg soak.svg]
 *
 * One process has all patterns over all transports with all compressors; sockets come and go in it,
 * calls are aborted, and processes that ask it are killed. Its heap (once collected), resident memory,
 * handles, event-loop delay and processor time are looked at over time, the first fifth left out as warm-up, judged as
 * `trend.ts` says, and drawn.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { makeNetwork } from "../faults/make-network.ts";
import { transportNames } from "../faults/network.ts";
import { Worker } from "../faults/worker.ts";
import { Random } from "../fuzz/random.ts";
import type { Panel } from "./chart.ts";
import { timeChart } from "./chart.ts";
import type { Sample, SoakEnd, SoakSettings } from "./soak.ts";
import type { Series } from "./trend.ts";
import { significance, trendOf } from "./trend.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "15" },
    seed: { type: "string" },
    svg: { type: "string", default: "soak.svg" },
  },
});

const mebibyte = 2 ** 20;
const samplesWanted = 90;
const warmShare = 0.2;
const children = new URL("children/", import.meta.url);
const minutes = Number(values.minutes);
if (!(minutes > 0)) throw new Error(`--minutes is ${values.minutes}, must be over 0`);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const random = new Random(seed);
console.log(`seed ${seed}, ${minutes} minutes, node ${process.version}`);
const folder = mkdtempSync(join(tmpdir(), "msg-soak-"));
try {
  process.exitCode = (await soak()) ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function soak(): Promise<boolean> {
  const networks = await Promise.all(transportNames.map((name) => makeNetwork(name, folder)));
  const told: SoakSettings = { networks, seed };
  const soaked = new Worker("soaked", told, { children, flags: ["--expose-gc"] });
  const { service } = (await soaked.ready) as { service: string };
  const visits = { killed: 0, isOver: false };
  const visiting = killVisitors(service, visits);
  const samples = await takeSamples(soaked);
  visits.isOver = true;
  await visiting;
  const end = await soaked.ask<SoakEnd>("stop", null, 120_000);
  soaked.ask("close").catch(() => {});
  return report(samples, end, visits.killed);
}

async function takeSamples(soaked: Worker): Promise<Sample[]> {
  const samples: Sample[] = [];
  const endMs = performance.now() + minutes * 60_000;
  while (performance.now() < endMs) {
    await pause((minutes * 60_000) / samplesWanted);
    const sample = await soaked.ask<Sample>("sample");
    samples.push(sample);
    if (sample.failures.length > 0) break;
  }
  return samples;
}

/** Processes that ask, one after the other, each killed in the middle of it. */
async function killVisitors(
  service: string,
  visits: { killed: number; readonly isOver: boolean },
): Promise<void> {
  while (!visits.isOver) {
    const visitor = new Worker("visitor", service, { children });
    await visitor.ready;
    await pause(random.between(200, 2_000));
    await visitor.kill();
    visits.killed++;
  }
}

function report(samples: readonly Sample[], end: SoakEnd, killed: number): boolean {
  const panels = panelsOf(samples);
  const seconds = minutes * 60;
  writeFileSync(values.svg, timeChart(`soak, ${minutes} minutes, seed ${seed}`, seconds, panels));
  const counts = Object.entries(end.counts).map(([name, count]) => `${count} ${name}`);
  const churned = Object.entries(end.churned).map(([name, count]) => `${count} ${name}`);
  console.log(`${end.lanes} lanes: ${counts.join(", ")}`);
  console.log(`came and went: ${churned.join(", ")}, ${killed} processes killed`);
  for (const { series, trend } of panels) {
    const { name, unit, allowedGrowth } = series;
    const state = trend.isGrowing ? "GROWS" : "flat";
    console.log(
      `${name}: ${state}, ${trend.growth.toFixed(2)} ${unit} in ${seconds * (1 - warmShare)} s, allowed ${allowedGrowth.toFixed(0)}, p ${trend.chance.toPrecision(2)} (a trend below ${significance})`,
    );
  }
  for (const wrong of end.wrong) console.log(`FAILED ${wrong}`);
  console.log(`${values.svg} shows it; seed ${seed}`);
  return end.wrong.length === 0 && panels.every(({ trend }) => !trend.isGrowing);
}

/** Whoever else is busy on the machine, it is the same, unless something is searched that grows. */
function cpuPerMessage({ cpuMicros, ended }: Sample): number {
  return cpuMicros / Math.max(1, ended);
}

type PanelMaker = (
  name: string,
  unit: string,
  allowedGrowth: number,
  value: (sample: Sample) => number,
) => Panel;

/** What we cause is judged; the machine's is shown beside it, and judged only where nobody can tell. */
function delayPanels(samples: readonly Sample[], panel: PanelMaker): Panel[] {
  const isTold = samples.every(({ ownDelayMs }) => ownDelayMs !== undefined);
  const whole = panel(
    "event-loop delay with the machine's, 99 of 100",
    "ms",
    isTold ? Infinity : 500,
    ({ delayMs }) => delayMs,
  );
  if (!isTold) return [whole];
  const own = panel(
    "event-loop delay of ours, 99 of 100",
    "ms",
    25,
    ({ ownDelayMs }) => ownDelayMs ?? 0,
  );
  return [own, whole];
}

function panelsOf(samples: readonly Sample[]): Panel[] {
  const warm = Math.floor(samples.length * warmShare);
  const costs = samples.slice(warm).map(cpuPerMessage);
  const cost = costs.toSorted((a, b) => a - b)[Math.floor(costs.length / 2)] ?? 0;
  const panel: PanelMaker = (name, unit, allowedGrowth, value) => {
    const all = samples.map(value);
    const series: Series = { name, unit, allowedGrowth, values: all.slice(warm) };
    return { series, trend: trendOf(series), all };
  };
  return [
    panel("heap and external memory in use", "MiB", 4, ({ heapBytes }) => heapBytes / mebibyte),
    panel("resident memory", "MiB", 32, ({ residentBytes }) => residentBytes / mebibyte),
    panel("handles", "", 4, ({ handles }) => handles),
    ...delayPanels(samples, panel),
    panel("processor time for each message", "µs", cost / 2, cpuPerMessage),
  ];
}
