/** Speed and ratio of the compressors alone: calls of `compress` and `decompress` in one process. */
import type { Compressor } from "msg-ts";
import type { DataKind } from "./compression-data.ts";
import { payloadsOf } from "./compression-data.ts";
import type { Variant } from "./compression-variants.ts";
import { compressorOf, variants } from "./compression-variants.ts";
import { figure } from "./record.ts";
import type { Figure } from "./record.ts";

/** How fast calls in one direction are. */
export interface Speed {
  /** Whether threads do the work, several calls at once, or the main thread, one by one. */
  readonly isOnThreads: boolean;
  /** 10^6 plain bytes a second: moves with what else the machine does. */
  readonly mbPerSecond: Figure;
  /** 10^6 plain bytes for each second of CPU, all threads: what one core manages. */
  readonly mbPerCpuSecond: Figure;
}

/** One compressor on one kind of data in payloads of one size. */
export interface CallFigures {
  readonly data: DataKind;
  readonly sizeBytes: number;
  readonly compressor: Variant;
  /** Plain bytes for each compressed byte, over all payloads. */
  readonly ratio: number;
  readonly compress: Speed;
  readonly decompress: Speed;
}

/** How many calls are under way at a time, where threads do the work: as many as libuv has. */
const lanes = 4;
const warmUpMs = 40;
/** So many plain bytes go between two looks at the clock. */
const bytesPerLook = 64 * 1024;

type Call = (at: number) => Uint8Array | Promise<Uint8Array>;

interface Sample {
  readonly isOnThreads: boolean;
  readonly mbPerSecond: number;
  readonly mbPerCpuSecond: number;
}

interface Subject {
  readonly variant: Variant;
  readonly ratio: number;
  readonly compress: Call;
  readonly decompress: Call;
  readonly compressing: Sample[];
  readonly decompressing: Sample[];
}

/** Measures every compressor, `rounds` times in turn, so that what else the machine does hits all. */
export async function measureCalls(
  data: DataKind,
  sizeBytes: number,
  rounds: number,
  roundMs: number,
): Promise<readonly CallFigures[]> {
  const payloads = payloadsOf(data, sizeBytes);
  const subjects: Subject[] = [];
  for (const variant of variants) subjects.push(await subjectOf(variant, payloads));
  for (const { compress, decompress } of subjects) {
    await sample(compress, sizeBytes, warmUpMs);
    await sample(decompress, sizeBytes, warmUpMs);
  }
  for (let round = 0; round < rounds; round++) {
    for (const { compress, decompress, compressing, decompressing } of subjects) {
      compressing.push(await sample(compress, sizeBytes, roundMs));
      decompressing.push(await sample(decompress, sizeBytes, roundMs));
    }
  }
  return subjects.map(({ variant, ratio, compressing, decompressing }) => ({
    data,
    sizeBytes,
    compressor: variant,
    ratio,
    compress: speed(compressing),
    decompress: speed(decompressing),
  }));
}

async function subjectOf(variant: Variant, payloads: readonly Uint8Array[]): Promise<Subject> {
  const compressor: Compressor = compressorOf(variant);
  const pairs: { readonly plain: Uint8Array; readonly compressed: Uint8Array }[] = [];
  let [plainBytes, compressedBytes] = [0, 0];
  for (const plain of payloads) {
    const compressed = await compressor.compress(plain);
    pairs.push({ plain, compressed });
    plainBytes += plain.length;
    compressedBytes += compressed.length;
  }
  const pair = (at: number): (typeof pairs)[number] =>
    pairs[at % pairs.length] as (typeof pairs)[number];
  return {
    variant,
    ratio: Number((plainBytes / compressedBytes).toPrecision(4)),
    compress: (at) => compressor.compress(pair(at).plain),
    decompress: (at) => compressor.decompress(pair(at).compressed, pair(at).plain.length),
    compressing: [],
    decompressing: [],
  };
}

/** Calls for `forMs`; all that was begun counts, and the time until the last of it is there. */
async function sample(call: Call, sizeBytes: number, forMs: number): Promise<Sample> {
  const callsPerLook = Math.max(1, Math.floor(bytesPerLook / sizeBytes));
  let calls = 0;
  let isOnThreads = false;
  const startCpu = process.cpuUsage();
  const startMs = performance.now();
  // A lane that never waits keeps the others from beginning: then calls go one by one.
  const lane = async (): Promise<void> => {
    while (performance.now() - startMs < forMs) {
      for (let left = callsPerLook; left > 0; left--) {
        const result = call(calls++);
        if (result instanceof Uint8Array) continue;
        isOnThreads = true;
        await result;
      }
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  const seconds = (performance.now() - startMs) / 1000;
  const { user, system } = process.cpuUsage(startCpu);
  const megabytes = (calls * sizeBytes) / 1e6;
  return {
    isOnThreads,
    mbPerSecond: megabytes / seconds,
    mbPerCpuSecond: (megabytes * 1e6) / (user + system),
  };
}

function speed(samples: readonly Sample[]): Speed {
  return {
    isOnThreads: samples.some(({ isOnThreads }) => isOnThreads),
    mbPerSecond: figure(samples.map(({ mbPerSecond }) => mbPerSecond)),
    mbPerCpuSecond: figure(samples.map(({ mbPerCpuSecond }) => mbPerCpuSecond)),
  };
}
