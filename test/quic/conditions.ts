import { setTimeout as pause } from "node:timers/promises";
import type { DatagramFaults } from "@msg-ts/testing";

/** What can be done to the way between two ends: a UDP proxy or a network lab. */
export interface Way {
  setFaults(faults: DatagramFaults): Promise<void>;
  block(): Promise<void>;
  open(): Promise<void>;
}

/** A network that everything has to arrive over, intact. */
export interface Condition {
  readonly name: string;
  /** Each way. */
  readonly faults: DatagramFaults;
  /** Runs beside the transfer. */
  readonly during?: (way: Way) => Promise<void>;
}

const blackoutMs = 2_000;
const beforeMs = 200;

async function blackout(way: Way): Promise<void> {
  await pause(beforeMs);
  await way.block();
  await pause(blackoutMs);
  await way.open();
}

/** The networks of the issue. */
export const conditions: readonly Condition[] = [
  { name: "no faults", faults: {} },
  { name: "1 % lost", faults: { lossPercent: 1 } },
  { name: "5 % lost", faults: { lossPercent: 5 } },
  { name: "20 % lost", faults: { lossPercent: 20 } },
  { name: "10 % reordered", faults: { reorderPercent: 10 } },
  { name: "10 % twice", faults: { duplicatePercent: 10 } },
  { name: "1 % damaged", faults: { corruptPercent: 1 } },
  { name: "2 s blackout", faults: {}, during: blackout },
];
