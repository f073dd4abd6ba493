/**
 * Measures how long large payloads hold the event loop of either end: a PUSH and a PULL, each a
 * process of its own that does nothing else, several jobs one behind the other.
 *
 *   npm run bench:loop-delay -- [--size 52428800] [--rounds 3] [--transport tcp,ipc]
 *     [--payload json,random] [--compressor none,gzip,zstd,snappy,lz4] [--json] [--record]
 *
 * Each end watches its own loop with `monitorEventLoopDelay`, resolution 1 ms: an idle loop shows
 * about 1 ms. What else the machine does shows too, so let it do nothing. The most CPU time of the
 * main thread in one turn is free of that; Node.js tells it from 22.19 on. A compressor that is not
 * installed is left out. `--record` adds a line for each row to bench/history/loop-delay.jsonl.
 */
import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { LoopDelay } from "./loop-delay-end.ts";
import { appendToHistory, circumstances, figure } from "./record.ts";
import type { Figure } from "./record.ts";

const { values } = parseArgs({
  options: {
    size: { type: "string", default: String(50 * 1024 * 1024) },
    rounds: { type: "string", default: "3" },
    transport: { type: "string", default: "tcp,ipc" },
    payload: { type: "string", default: "json,random" },
    compressor: { type: "string", default: "none,gzip,zstd,snappy,lz4" },
    json: { type: "boolean", default: false },
    record: { type: "boolean", default: false },
  },
});

/** One combination. */
interface Row {
  readonly transport: string;
  readonly payload: string;
  readonly compressor: string;
}

/** What both ends of a round saw. */
interface Round {
  readonly sender: LoopDelay;
  readonly receiver: LoopDelay;
}

interface Summary {
  readonly p50: Figure;
  readonly p99: Figure;
  readonly max: Figure;
  readonly cpuMax?: Figure;
}

const endFile = new URL("loop-delay-end.ts", import.meta.url);

/** @throws Error in the words of the end that failed. */
async function runRound(row: Row): Promise<Round> {
  const folder = mkdtempSync(join(tmpdir(), "msg-ts-bench-"));
  const address = row.transport === "ipc" ? join(folder, "s") : "127.0.0.1:0";
  const settings = [row.transport, row.payload, row.compressor, values.size];
  const children: ChildProcess[] = [];
  try {
    const receiver = fork(endFile, ["receiver", address, ...settings]);
    children.push(receiver);
    const bound = await message<string>(receiver);
    const sender = fork(endFile, ["sender", bound, ...settings]);
    children.push(sender);
    const sent = message<LoopDelay>(sender);
    const received = message<LoopDelay>(receiver);
    const reports = await Promise.all([sent, received]);
    return { sender: reports[0], receiver: reports[1] };
  } finally {
    for (const child of children) child.kill();
    rmSync(folder, { recursive: true });
  }
}

function message<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    child.once("message", (value) => resolve(value as T));
    child.once("exit", (code) => reject(new Error(`an end left with ${code}`)));
  });
}

function summary(delays: readonly LoopDelay[]): Summary {
  const cpuMax = delays.flatMap((delay) => delay.cpuMax ?? []);
  return {
    p50: figure(delays.map(({ p50 }) => p50)),
    p99: figure(delays.map(({ p99 }) => p99)),
    max: figure(delays.map(({ max }) => max)),
    ...(cpuMax.length > 0 ? { cpuMax: figure(cpuMax) } : {}),
  };
}

async function measure(row: Row): Promise<void> {
  const rounds: Round[] = [];
  for (let round = 0; round < Number(values.rounds); round++) rounds.push(await runRound(row));
  const { date, commit, node, machine } = circumstances();
  const line = {
    date,
    commit,
    scenario: "loop-delay",
    ...row,
    sizeBytes: Number(values.size),
    rounds: rounds.length,
    node,
    machine,
    load: loadavg()[0],
    senderMs: summary(rounds.map(({ sender }) => sender)),
    receiverMs: summary(rounds.map(({ receiver }) => receiver)),
  };
  if (values.json) console.log(JSON.stringify(line));
  else console.log(tableRow(row, line.senderMs, line.receiverMs));
  if (values.record) appendToHistory("loop-delay", line);
}

/** The median of the rounds; of the longest delay the worst of all rounds too. */
function tableRow({ transport, payload, compressor }: Row, ...ends: readonly Summary[]): string {
  const columns = ends.flatMap(({ p50, p99, max, cpuMax }) => [
    p50.median,
    p99.median,
    `${max.median} (${max.max})`,
    cpuMax === undefined ? "-" : `${cpuMax.median} (${cpuMax.max})`,
  ]);
  return `| ${[transport, payload, compressor, ...columns].join(" | ")} |`;
}

/** Whether both ends can make it, on this Node.js and with what is installed. */
async function isInstalled(compressor: string): Promise<boolean> {
  if (compressor === "none") return true;
  try {
    const module = (await import(`@msg-ts/compression/${compressor}`)) as Record<
      string,
      () => object
    >;
    return typeof module[compressor]?.() === "object";
  } catch (error) {
    console.error(`without ${compressor}: ${(error as Error).message}`);
    return false;
  }
}

if (!values.json) {
  console.log(
    "Event loop delay in ms, median of the rounds; in brackets the worst of all rounds.\n",
  );
  const end = "p50 | p99 | max | CPU max";
  console.log(`| transport | payload | compressor | sender: ${end} | receiver: ${end} |`);
  console.log(`| --- | --- | --- |${" --: |".repeat(8)}`);
}
for (const compressor of values.compressor.split(",")) {
  if (!(await isInstalled(compressor))) continue;
  for (const transport of values.transport.split(",")) {
    for (const payload of values.payload.split(",")) {
      await measure({ transport, payload, compressor });
    }
  }
}
