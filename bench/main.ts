/**
 * Measures one scenario: sender and receiver in separate processes, several rounds, medians.
 *
 *   npm run bench -- <scenario> [--size 64] [--transport tcp|ipc] [--rounds 5] [--record]
 *
 * Rates move with the load of the machine; CPU microseconds a message (all threads, kernel
 * included) hardly do. `--record` appends a line to bench/history/<scenario>.jsonl.
 */
import { parseArgs } from "node:util";
import { appendToHistory, circumstances, figure } from "./record.ts";
import { runRound } from "./round.ts";
import { scenarioNames } from "./scenarios.ts";

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
  const { date, commit, node, machine } = circumstances();
  const line = {
    date,
    commit,
    scenario: name,
    transport: values.transport,
    sizeBytes,
    rounds,
    node,
    machine,
    perSecond: figure(rates),
    sendCpuMicros: figure(sendCpu),
    receiveCpuMicros: figure(receiveCpu),
  };
  console.log(JSON.stringify(line, undefined, 2));
  if (values.record) appendToHistory(name, line);
}
