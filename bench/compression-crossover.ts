/**
 * Measures from which size on a compressor costs the main thread less when it works on a thread, and
 * for how long a very large payload holds the event loop.
 *
 * Run: node --conditions=@msg-ts/source --import ./dev/register.mjs bench/compression-crossover.ts
 * Names behind it, such as `snappy lz4`, leave out the others.
 *
 * Sync is what a call blocks for. Async is what the main thread still does for it (event loop
 * utilisation) and, in brackets, how long the result takes to come. One call at a time; microseconds.
 */
import { randomFillSync } from "node:crypto";
import { cpus } from "node:os";
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
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

async function run(call: Call, forMs: number): Promise<Cost> {
  const utilisation = performance.eventLoopUtilization();
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
  const mainMs = isAsync ? active : wallMs;
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

/** The longest time for which one call kept the event loop from a timer of 1 ms. */
async function holdMs(call: Call): Promise<number> {
  const held: number[] = [];
  for (let time = 0; time < veryLargeRuns; time++) {
    const histogram = monitorEventLoopDelay({ resolution: 1 });
    histogram.enable();
    await delay(settleMs);
    histogram.reset();
    await call();
    await delay(settleMs);
    histogram.disable();
    held.push(histogram.max / 1e6);
  }
  return Math.max(...held);
}

async function printHolds(names: readonly string[]): Promise<void> {
  const incompressible = randomFillSync(new Uint8Array(veryLargeBytes));
  const payloads = { JSON: jsonLines(veryLargeBytes), random: incompressible };
  console.log(`\nLongest hold of the event loop by ${veryLargeBytes} bytes, milliseconds\n`);
  console.log("| | payload | compress | decompress |\n| --- | --- | --: | --: |");
  for (const name of names) {
    const compressor = algorithms[name]?.() as Compressor;
    for (const [kind, plain] of Object.entries(payloads)) {
      const compressed = await compressor.compress(plain);
      const up = await holdMs(() => compressor.compress(plain));
      const down = await holdMs(() => compressor.decompress(compressed, veryLargeBytes));
      console.log(`| ${[name, kind, rounded(up), rounded(down)].join(" | ")} |`);
    }
  }
}

const asked = process.argv.slice(2);
const names = Object.keys(algorithms).filter((name) => asked.length === 0 || asked.includes(name));
console.log(`Node ${process.version}, ${cpus()[0]?.model ?? "?"} x ${cpus().length}`);
for (const name of names) await printCrossover(name);
await printHolds(names);
