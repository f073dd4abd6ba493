import { cpus } from "node:os";

/** Processor time of the whole machine since it started, over all its cores. */
export interface MachineTime {
  readonly busyMs: number;
  readonly allMs: number;
}

/** What the host counted so far. */
export function machineTime(): MachineTime {
  let [busyMs, allMs] = [0, 0];
  for (const { times } of cpus()) {
    const used = times.user + times.nice + times.sys + times.irq;
    busyMs += used;
    allMs += used + times.idle;
  }
  return { busyMs, allMs };
}

/** The share of the machine that went to others between two looks, from 0 to 1. */
export function othersShare(from: MachineTime, to: MachineTime, oursMs: number): number {
  const allMs = to.allMs - from.allMs;
  return allMs <= 0 ? 0 : Math.max(0, to.busyMs - from.busyMs - oursMs) / allMs;
}
