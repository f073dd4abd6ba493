/** One end of a scenario, in its own process: `role.ts <scenario> <end> <transport> <address> <size>`. */
import { Ipc, Tcp } from "msg-ts";
import type { Transport } from "msg-ts";
import type { EndReport } from "./round.ts";
import { scenarios } from "./scenarios.ts";

const warmUpMs = 500;
const windowMs = 2_000;

const [name = "", end = "", transportName = "", address = "", size = ""] = process.argv.slice(2);
const scenario = scenarios[name];
if (scenario === undefined) throw new Error(`no scenario ${name}`);
const transport: Transport = transportName === "ipc" ? new Ipc() : new Tcp();

let count = 0;
const isSender = end === "sender";
if (isSender) await scenario.send(transport, address, Number(size), () => count++);
else process.send?.(await scenario.receive(transport, address, () => count++));

if (isSender) {
  const started = startWindow();
  process.once("message", () => process.send?.(endWindow(started)));
} else {
  await until(() => count > 0);
  await pause(warmUpMs);
  const started = startWindow();
  await pause(windowMs);
  process.send?.(endWindow(started));
}

interface Window {
  readonly count: number;
  readonly cpu: NodeJS.CpuUsage;
  readonly at: number;
}

function startWindow(): Window {
  return { count, cpu: process.cpuUsage(), at: performance.now() };
}

function endWindow(started: Window): EndReport {
  const { user, system } = process.cpuUsage(started.cpu);
  return {
    messages: count - started.count,
    elapsedMs: performance.now() - started.at,
    cpuMicros: user + system,
  };
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await pause(5);
}
