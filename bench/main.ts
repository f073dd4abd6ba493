/**
 * Measures one scenario: sender and receiver in separate processes, several rounds, medians.
 *
 *   npm run bench -- <scenario> [--size 64] [--transport tcp|ipc] [--rounds 5] [--record]
 *
 * Rates move with the load of the machine; CPU microseconds a message (all threads, kernel
 * included) hardly do. `--record` appends a line to bench/history/<scenario>.jsonl.
 */
import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync } from "node:fs";
import { cpus, release } from "node:os";
import { parseArgs } from "node:util";
import { runRound } from "./round.ts";
import { scenarioNames } from "./scenarios.ts";

interface Figure {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: "string", default: "64" },
    transport: { type: "string", default: "tcp" },
    rounds: { type: "string", default: "5" },
    record: { type: "boolean", default: false },
  },
});

const [scenario] = positionals;
if (scenario === undefined || !scenarioNames.includes(scenario)) {
  console.error(
    `usage: npm run bench -- <scenario> [options]\nscenarios: ${scenarioNames.join(", ")}`,
  );
  process.exitCode = 2;
} else await measure(scenario);

async function measure(name: string): Promise<void> {
  const sizeBytes = Number(values.size);
  const rounds = Number(values.rounds);
  const rates: number[] = [];
  const sendCpu: number[] = [];
  const receiveCpu: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const result = await runRound(name, sizeBytes, values.transport);
    rates.push(result.perSecond);
    sendCpu.push(result.sendCpuMicros);
    receiveCpu.push(result.receiveCpuMicros);
  }
  const line = {
    date: new Date().toISOString(),
    commit: git("rev-parse", "--short", "HEAD"),
    scenario: name,
    transport: values.transport,
    sizeBytes,
    rounds,
    node: process.version,
    machine: `${cpus().length} x ${cpus()[0]?.model ?? "unknown"}, Linux ${release()}`,
    perSecond: figure(rates),
    sendCpuMicros: figure(sendCpu),
    receiveCpuMicros: figure(receiveCpu),
  };
  console.log(JSON.stringify(line, undefined, 2));
  if (!values.record) return;
  mkdirSync(new URL("history/", import.meta.url), { recursive: true });
  appendFileSync(new URL(`history/${name}.jsonl`, import.meta.url), `${JSON.stringify(line)}\n`);
}

function figure(samples: readonly number[]): Figure {
  const sorted = samples.toSorted((a, b) => a - b);
  return {
    median: fourDigits(sorted[Math.floor(sorted.length / 2)]),
    min: fourDigits(sorted[0]),
    max: fourDigits(sorted.at(-1)),
  };
}

function fourDigits(value = 0): number {
  return Number(value.toPrecision(4));
}

function git(...args: string[]): string {
  return execFileSync("git", args, { encoding: "utf8" }).trim();
}
