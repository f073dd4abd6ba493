/** The process that is measured: all patterns over all transports with all compressors, without end. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import { onOrders, settings, tellReady } from "../../faults/child-side.ts";
import { Random } from "../../fuzz/random.ts";
import { churns } from "../churn.ts";
import { Lane } from "../lane.ts";
import { mainThreadWait, OwnDelay } from "../own-delay.ts";
import type { Sample, SoakEnd, SoakSettings } from "../soak.ts";
import { allTracks } from "../tracks.ts";

const { networks, seed } = settings() as SoakSettings;
const random = new Random(seed);
const lanes = allTracks(networks).map((track) => new Lane(track));
for (const lane of lanes) await lane.open();

const state = { isWorking: true };
const churned: Record<string, number> = {};
const failures: string[] = [];
const intervalMs = 10;
const delay = monitorEventLoopDelay({ resolution: intervalMs });
delay.enable();
const waited = mainThreadWait();
const ownDelay = waited === undefined ? undefined : new OwnDelay(intervalMs, waited);
setInterval(() => ownDelay?.tick(), intervalMs).unref();

async function workForEver(): Promise<void> {
  while (state.isWorking) {
    await random.pick(lanes).work(random);
    await pause(random.between(0, 4));
  }
}

async function churnForEver(): Promise<void> {
  while (state.isWorking) {
    const [name, churn] = random.pick(Object.entries(churns));
    await churn(random.pick(lanes), random);
    churned[name] = (churned[name] ?? 0) + 1;
    await pause(random.between(0, 20));
  }
}

function start(work: () => Promise<void>): Promise<void> {
  return work().catch((error: unknown) => {
    state.isWorking = false;
    failures.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  });
}

const working = [start(workForEver), start(workForEver), start(churnForEver), start(churnForEver)];

let cpuBefore = process.cpuUsage();
let endedBefore = 0;

function endedSoFar(): number {
  return lanes.reduce(
    (sum, { counts }) => sum + counts.answered + counts.done + counts.received,
    0,
  );
}

/** Heap that is in use once all that can be collected was. */
async function sample(): Promise<Sample> {
  const delayMs = delay.percentile(99) / 1e6;
  const ownDelayMs = ownDelay?.take(99);
  const { user, system } = process.cpuUsage(cpuBefore);
  const ended = endedSoFar() - endedBefore;
  endedBefore += ended;
  const { gc } = globalThis as { gc?: () => void };
  gc?.();
  await pause(1);
  gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  const handles = process.getActiveResourcesInfo().filter((kind) => kind.endsWith("Wrap")).length;
  delay.reset();
  ownDelay?.take(99);
  cpuBefore = process.cpuUsage();
  return {
    heapBytes: heapUsed + external,
    residentBytes: rss,
    handles,
    delayMs,
    ownDelayMs,
    cpuMicros: user + system,
    ended,
    failures,
  };
}

async function stop(): Promise<SoakEnd> {
  state.isWorking = false;
  await Promise.all(working);
  const counts = lanes.map(({ counts: each }) => each);
  const wrong = (await Promise.all(lanes.map((lane) => lane.close()))).flat();
  const sum = (name: keyof Lane["counts"]): number =>
    counts.reduce((total, each) => total + each[name], 0);
  return {
    wrong: [...failures, ...wrong],
    counts: {
      requests: sum("asked"),
      aborted: sum("aborted"),
      jobs: sum("jobs"),
      messages: sum("published"),
    },
    churned,
    lanes: lanes.length,
  };
}

onOrders({ sample, stop, close: () => process.disconnect() });
const [first] = lanes;
tellReady({ service: first?.address, jobs: first?.jobAddress });
