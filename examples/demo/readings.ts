import { existsSync, readFileSync } from "node:fs";
import { cpus, freemem, loadavg } from "node:os";
import type { IntervalHistogram } from "node:perf_hooks";
import { monitorEventLoopDelay } from "node:perf_hooks";

/** One value of this machine. */
export interface Reading {
  readonly topic: string;
  readonly value: number;
}

/** More would only make the demo's lists long. */
const maxInterfaces = 4;

const nanosecondsPerMs = 1e6;

/** Reads this machine: what `node:os` knows everywhere, and `/proc` where there is one. */
export class Readings {
  readonly #loopDelay: IntervalHistogram = monitorEventLoopDelay({ resolution: 10 });
  readonly #hasMemory: boolean = existsSync("/proc/meminfo");
  readonly #hasNetwork: boolean = existsSync("/proc/net/dev");
  #cpu: CpuTimes = cpuTimes();

  constructor() {
    this.#loopDelay.enable();
  }

  take(): Reading[] {
    return [...this.#cpuReadings(), ...this.#memory(), ...this.#loop(), ...this.#network()];
  }

  /** Without it the event loop's monitor would keep the process. */
  stop(): void {
    this.#loopDelay.disable();
  }

  #cpuReadings(): Reading[] {
    const [load1 = 0, load5 = 0, load15 = 0] = loadavg();
    const before = this.#cpu;
    this.#cpu = cpuTimes();
    const total = this.#cpu.total - before.total;
    const busy = total === 0 ? 0 : (this.#cpu.busy - before.busy) / total;
    return [
      { topic: "metrics.cpu.load1", value: load1 },
      { topic: "metrics.cpu.load5", value: load5 },
      { topic: "metrics.cpu.load15", value: load15 },
      { topic: "metrics.cpu.busy", value: busy },
    ];
  }

  #memory(): Reading[] {
    const readings = [
      { topic: "metrics.memory.free", value: freemem() },
      { topic: "metrics.memory.resident", value: process.memoryUsage.rss() },
    ];
    if (!this.#hasMemory) return readings;
    const [, kibibytes] =
      /^MemAvailable:\s+(\d+)/m.exec(readFileSync("/proc/meminfo", "utf8")) ?? [];
    return [...readings, { topic: "metrics.memory.available", value: Number(kibibytes) * 1024 }];
  }

  #loop(): Reading[] {
    const delay = this.#loopDelay;
    if (delay.count === 0) return [];
    return [
      { topic: "metrics.loop.mean", value: delay.mean / nanosecondsPerMs },
      { topic: "metrics.loop.p99", value: delay.percentile(99) / nanosecondsPerMs },
      { topic: "metrics.loop.max", value: delay.max / nanosecondsPerMs },
    ];
  }

  #network(): Reading[] {
    if (!this.#hasNetwork) return [];
    return parseNetDev(readFileSync("/proc/net/dev", "utf8"))
      .slice(0, maxInterfaces)
      .flatMap(({ name, rx, tx }) => [
        { topic: `metrics.net.${name}.rx`, value: rx },
        { topic: `metrics.net.${name}.tx`, value: tx },
      ]);
  }
}

interface CpuTimes {
  readonly busy: number;
  readonly total: number;
}

function cpuTimes(): CpuTimes {
  let busy = 0;
  let idle = 0;
  for (const { times } of cpus()) {
    busy += times.user + times.nice + times.sys + times.irq;
    idle += times.idle;
  }
  return { busy, total: busy + idle };
}

/** What went through a network interface since the machine started, in bytes. */
export interface InterfaceCounters {
  readonly name: string;
  readonly rx: number;
  readonly tx: number;
}

/** Reads `/proc/net/dev`. A dot in a name, as of a VLAN, would be two tokens of a topic: it becomes `-`. */
export function parseNetDev(text: string): InterfaceCounters[] {
  const counters: InterfaceCounters[] = [];
  for (const line of text.split("\n")) {
    const [, name, rest = ""] = /^\s*(\S+):\s*(.*)$/.exec(line) ?? [];
    if (name === undefined) continue;
    const fields = rest.trim().split(/\s+/).map(Number);
    counters.push({ name: name.replaceAll(".", "-"), rx: fields[0] ?? 0, tx: fields[8] ?? 0 });
  }
  return counters;
}
