/**
 * Measures from which size on a compressor costs the main thread less when it works on a thread.
 *
 * Run: node --conditions=@msg-ts/source --import ./dev/register.mjs bench/compression-crossover.ts
 *
 * Sync is what a call blocks for. Async is what the main thread still does for it (event loop
 * utilisation) and, in brackets, how long the result takes to come. One call at a time; microseconds.
 */
import { cpus } from "node:os";
import { performance } from "node:perf_hooks";
import process from "node:process";
import { gzip } from "@msg-ts/compression/gzip";

const sizes = [256, 1_024, 2_048, 4_096, 8_192, 16_384, 32_768, 65_536, 131_072, 262_144];
const warmUpMs = 100;
const measuredMs = 400;
const rounds = 5;

interface Cost {
  readonly mainMicros: number;
  readonly wallMicros: number;
}

type Call = () => Uint8Array | Promise<Uint8Array>;

/** Lines of JSON, about a fifth of their size when compressed. */
function jsonLines(length: number): Uint8Array {
  let text = "";
  for (let id = 0; text.length < length; id++) {
    const price = ((id * 31_337) % 100_000) / 100;
    text += `${JSON.stringify({ id, symbol: `S${(id * 7_919) % 97}`, price })}\n`;
  }
  return new TextEncoder().encode(text.slice(0, length));
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
  return { mainMicros: (mainMs * 1000) / calls, wallMicros: (wallMs * 1000) / calls };
}

function median(costs: readonly Cost[], of: (cost: Cost) => number): number {
  return costs.map(of).toSorted((a, b) => a - b)[Math.floor(costs.length / 2)] ?? Number.NaN;
}

/** Interleaved rounds, so that what else the machine does falls on both. */
async function compare(inPlace: Call, onThread: Call): Promise<readonly [Cost, Cost]> {
  const costs: [Cost[], Cost[]] = [[], []];
  await run(inPlace, warmUpMs);
  await run(onThread, warmUpMs);
  for (let round = 0; round < rounds; round++) {
    costs[0].push(await run(inPlace, measuredMs / rounds));
    costs[1].push(await run(onThread, measuredMs / rounds));
  }
  const medians = costs.map((list) => ({
    mainMicros: median(list, (cost) => cost.mainMicros),
    wallMicros: median(list, (cost) => cost.wallMicros),
  }));
  return [medians[0] as Cost, medians[1] as Cost];
}

function micros(value: number): string {
  return Math.round(value).toLocaleString("en");
}

function shown(sync: Cost, async: Cost): string {
  return `${micros(sync.mainMicros)} | ${micros(async.mainMicros)} (${micros(async.wallMicros)})`;
}

const inPlace = gzip({ minAsyncBytes: Infinity });
const onThread = gzip({ minAsyncBytes: 0 });

console.log(
  `gzip, level 6, Node ${process.version}, ${cpus()[0]?.model ?? "?"} x ${cpus().length}\n`,
);
console.log("| plain bytes | compressed | compress sync | async | decompress sync | async |");
console.log("| --: | --: | --: | --: | --: | --: |");
for (const size of sizes) {
  const plain = jsonLines(size);
  const compressed = await inPlace.compress(plain);
  const [syncUp, asyncUp] = await compare(
    () => inPlace.compress(plain),
    () => onThread.compress(plain),
  );
  const [syncDown, asyncDown] = await compare(
    () => inPlace.decompress(compressed, size),
    () => onThread.decompress(compressed, size),
  );
  const columns = [size, compressed.length, shown(syncUp, asyncUp), shown(syncDown, asyncDown)];
  console.log(`| ${columns.join(" | ")} |`);
}
