/**
 * Measures from which size on a compressor costs the main thread less when it works on a thread, and
 * for how long a very large payload holds the event loop.
 *
 * Run: node --conditions=@msg-ts/source --import ./dev/register.mjs bench/compression-crossover.ts
 * Names behind it, such as `snappy lz4`, leave out the others.
 *
 * Microseconds of the main thread for a call, and in brackets how long a result from a thread takes to
 * come. One call at a time. Times of the main thread are its CPU time since Node 23.9; before, they
 * have in them what else the machine does.
 */
import { randomFillSync } from "node:crypto";
import { cpus } from "node:os";
import { performance } from "node:perf_hooks";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { gzip } from "@msg-ts/compression/gzip";
import { lz4 } from "@msg-ts/compression/lz4";
import { snappy } from "@msg-ts/compression/snappy";
import { zstd } from "@msg-ts/compression/zstd";
import type { Compressor } from "msg-ts";

const sizes = [1_024, 2_048, 4_096, 8_192, 16_384, 32_768, 65_536, 131_072, 262_144, 1_048_576];
const warmUpMs = 50;
const measuredMs = 250;
const rounds = 5;

const veryLargeBytes = 50_000_000;
const veryLargeRuns = 5;
const settleMs = 20;

const algorithms: Readonly<
  Record<string, (options?: { readonly minAsyncBytes?: number }) => Compressor>
> = { gzip, zstd, snappy, lz4 };

interface Cost {
  readonly isAsync: boolean;
  readonly mainMicros: number;
  readonly wallMicros: number;
}

type Call = () => Uint8Array | Promise<Uint8Array>;

/** Lines of JSON, about a fifth of their size when compressed. */
function jsonLines(length: number): Uint8Array {
  const lines: string[] = [];
  for (let id = 0, total = 0; total < length; id++) {
    const price = ((id * 31_337) % 100_000) / 100;
    const line = `${JSON.stringify({ id, symbol: `S${(id * 7_919) % 97}`, price })}\n`;
    total += line.length;
    lines.push(line);
  }
  return new TextEncoder().encode(lines.join("").slice(0, length));
}

/** CPU time of the main thread, which @types/node of Node 20 does not have. */
const { threadCpuUsage } = process as unknown as { threadCpuUsage?: () => NodeJS.CpuUsage };

function cpuMs(): number | undefined {
  const usage = threadCpuUsage?.call(process);
  return usage === undefined ? undefined : (usage.user + usage.system) / 1000;
}

async function run(call: Call, forMs: number): Promise<Cost> {
  const utilisation = performance.eventLoopUtilization();
  const startCpuMs = cpuMs() ?? 0;
  const startMs = performance.now();
  let calls = 0;
  let isAsync = false;
  let wallMs = 0;
  while (wallMs < forMs) {
    const result = call();
    if (result instanceof Promise) {
      isAsync = true;
      await result;
    }
    calls++;
    wallMs = performance.now() - startMs;
  }
  const { active } = performance.eventLoopUtilization(utilisation);
  const endCpuMs = cpuMs();
  const busyMs = isAsync ? active : wallMs;
  const mainMs = endCpuMs === undefined ? busyMs : endCpuMs - startCpuMs;
  return { isAsync, mainMicros: (mainMs * 1000) / calls, wallMicros: (wallMs * 1000) / calls };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function medianCost(costs: readonly Cost[]): Cost {
  return {
    isAsync: costs.every(({ isAsync }) => isAsync),
    mainMicros: median(costs.map(({ mainMicros }) => mainMicros)),
    wallMicros: median(costs.map(({ wallMicros }) => wallMicros)),
  };
}

/** Interleaved rounds, so that what else the machine does falls on both. */
async function compare(inPlace: Call, onThread: Call): Promise<string> {
  const [sync, async]: [Cost[], Cost[]] = [[], []];
  await run(inPlace, warmUpMs);
  await run(onThread, warmUpMs);
  for (let round = 0; round < rounds; round++) {
    sync.push(await run(inPlace, measuredMs / rounds));
    async.push(await run(onThread, measuredMs / rounds));
  }
  const [blocked, later] = [medianCost(sync), medianCost(async)];
  const shownSync = blocked.isAsync ? "-" : rounded(blocked.mainMicros);
  return `${shownSync} | ${rounded(later.mainMicros)} (${rounded(later.wallMicros)})`;
}

function rounded(value: number): string {
  return value.toLocaleString("en", { maximumFractionDigits: value < 10 ? 1 : 0 });
}

async function printCrossover(name: string): Promise<void> {
  const inPlace = algorithms[name]?.({ minAsyncBytes: Infinity }) as Compressor;
  const onThread = algorithms[name]?.({ minAsyncBytes: 0 }) as Compressor;
  console.log(`\n${name}\n`);
  console.log("| plain bytes | compressed | compress sync | async | decompress sync | async |");
  console.log("| --: | --: | --: | --: | --: | --: |");
  for (const size of sizes) {
    const plain = jsonLines(size);
    const compressed = await inPlace.compress(plain);
    const up = await compare(
      () => inPlace.compress(plain),
      () => onThread.compress(plain),
    );
    const down = await compare(
      () => inPlace.decompress(compressed, size),
      () => onThread.decompress(compressed, size),
    );
    console.log(`| ${[size, compressed.length, up, down].join(" | ")} |`);
  }
}

/** The longest time without a turn of the event loop while one call ran: the median and the worst. */
async function holdsMs(call: Call): Promise<string> {
  const held: number[] = [];
  for (let time = 0; time < veryLargeRuns; time++) {
    let longestMs = 0;
    let lastMs = cpuMs() ?? performance.now();
    const ticker = setInterval(() => {
      const nowMs = cpuMs() ?? performance.now();
      longestMs = Math.max(longestMs, nowMs - lastMs);
      lastMs = nowMs;
    }, 1);
    await delay(settleMs);
    longestMs = 0;
    await call();
    await delay(settleMs);
    clearInterval(ticker);
    held.push(longestMs);
  }
  return `${rounded(median(held))} (${rounded(Math.max(...held))})`;
}

async function printHolds(names: readonly string[]): Promise<void> {
  const incompressible = randomFillSync(new Uint8Array(veryLargeBytes));
  const payloads = { JSON: jsonLines(veryLargeBytes), random: incompressible };
  console.log(
    `\nLongest hold of the event loop by ${veryLargeBytes} bytes, milliseconds, median and worst of ${veryLargeRuns}\n`,
  );
  console.log("| | payload | compress | decompress |\n| --- | --- | --: | --: |");
  for (const name of names) {
    const compressor = algorithms[name]?.() as Compressor;
    for (const [kind, plain] of Object.entries(payloads)) {
      const compressed = await compressor.compress(plain);
      const up = await holdsMs(() => compressor.compress(plain));
      const down = await holdsMs(() => compressor.decompress(compressed, veryLargeBytes));
      console.log(`| ${[name, kind, up, down].join(" | ")} |`);
    }
  }
}

const asked = process.argv.slice(2);
const names = Object.keys(algorithms).filter((name) => asked.length === 0 || asked.includes(name));
console.log(`Node ${process.version}, ${cpus()[0]?.model ?? "?"} x ${cpus().length}`);
for (const name of names) await printCrossover(name);
await printHolds(names);
