/** One end of loop-delay.ts: `<sender|receiver> <address> <transport> <payload> <compressor> <size>`. */
import { randomFillSync } from "node:crypto";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { Ipc, PullSocket, PushSocket, Tcp } from "msg-ts";
import type { Compressor } from "@msg-ts/core";

/** How long the loop took to come round, in milliseconds; about 1 when nothing holds it. */
export interface LoopDelay {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** The most CPU time of the main thread in one round, which nobody else's work adds to. */
  readonly cpuMax?: number | undefined;
}

/** The first one is not counted: code is compiled, and memory taken, that stay. */
const jobCount = 4;
/** What comes after the last job belongs to it too. */
const tailMs = 100;

const [
  end = "",
  address = "",
  transportName = "",
  payloadName = "",
  compressorName = "",
  size = "",
] = process.argv.slice(2);
const transport = transportName === "ipc" ? new Ipc() : new Tcp();
const compressor = await loadCompressor(compressorName);
const histogram = monitorEventLoopDelay({ resolution: 1 });

/** From Node.js 22.19 on. */
const { threadCpuUsage } = process as unknown as { threadCpuUsage?: () => NodeJS.CpuUsage };
let lastCpuMs = 0;
let longestCpuMs = 0;

if (end === "sender") await sendJobs();
else await receiveJobs();

async function sendJobs(): Promise<void> {
  const push = new PushSocket(transport, { compressor });
  const payload = payloadName === "json" ? jsonLines(Number(size)) : randomBytes(Number(size));
  await push.connect(address);
  await push.ready();
  for (let count = 0; count < jobCount; count++) {
    await push.send(payload);
    await push.settled({ timeoutMs: 120_000 });
    if (count === 0) startWatching();
  }
  await report();
}

async function receiveJobs(): Promise<void> {
  const decompressors = compressor === undefined ? [] : [compressor];
  const pull = new PullSocket(transport, { decompressors });
  await pull.bind(address);
  process.send?.(pull.address);
  for (let count = 0; count < jobCount; count++) {
    const job = await pull.receive();
    if (job.payload.length !== Number(size)) throw new Error(`got ${job.payload.length} bytes`);
    job.ack();
    if (count === 0) startWatching();
  }
  await report();
}

function startWatching(): void {
  histogram.enable();
  histogram.reset();
  lastCpuMs = cpuMs();
  setInterval(watchCpu, 1);
}

function watchCpu(): void {
  const nowMs = cpuMs();
  longestCpuMs = Math.max(longestCpuMs, nowMs - lastCpuMs);
  lastCpuMs = nowMs;
}

function cpuMs(): number {
  const usage = threadCpuUsage?.call(process);
  return usage === undefined ? 0 : (usage.user + usage.system) / 1000;
}

async function report(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, tailMs));
  histogram.disable();
  const delay: LoopDelay = {
    p50: histogram.percentile(50) / 1e6,
    p99: histogram.percentile(99) / 1e6,
    max: histogram.max / 1e6,
    cpuMax: threadCpuUsage === undefined ? undefined : longestCpuMs,
  };
  process.send?.(delay);
}

async function loadCompressor(name: string): Promise<Compressor | undefined> {
  if (name === "none") return undefined;
  const module = (await import(`@msg-ts/compression/${name}`)) as Record<string, () => Compressor>;
  return module[name]?.();
}

/** Lines of JSON, about a fifth of their size when compressed. */
function jsonLines(length: number): Uint8Array {
  const bytes = Buffer.alloc(length);
  for (let id = 0, offset = 0; offset < length; id++) {
    const price = ((id * 31_337) % 100_000) / 100;
    offset += bytes.write(
      `${JSON.stringify({ id, symbol: `S${(id * 7_919) % 97}`, price })}\n`,
      offset,
    );
  }
  return bytes;
}

function randomBytes(length: number): Uint8Array {
  return randomFillSync(Buffer.alloc(length));
}
