import { setTimeout as pause } from "node:timers/promises";
import type { DatagramFaults, NetLab } from "@msg-ts/testing";
import type { Pair } from "../network/pair.ts";

/** What a {@link Condition} may use while the load runs. */
export interface Scene {
  readonly lab: NetLab;
  readonly pair: Pair;
}

/** A network that all transports have to live with. */
export interface Condition {
  readonly name: string;
  /** In the short form too. */
  readonly isShort: boolean;
  /** Each way. */
  readonly faults: DatagramFaults;
  /**
   * Runs beside the load. Gives how long the sockets took to answer a new request once the network
   * was whole again, in milliseconds.
   */
  during?(scene: Scene): Promise<number>;
}

/** 10 ms there and back. */
const near: DatagramFaults = { delayMs: 5 };

const beforeMs = 200;
const patienceMs = 60_000;

/** Parts the hosts for so long, and asks at once when they are one again. */
function parted(forMs: number, isOneWay = false) {
  return async ({ lab, pair }: Scene): Promise<number> => {
    await pause(beforeMs);
    const between = { from: "client", to: "server", isOneWay };
    await lab.partition(between);
    await pause(forMs);
    await lab.heal(between);
    return pair.client.call("recovery", { withinMs: patienceMs });
  };
}

/** Every network of the campaign. */
export const conditions: readonly Condition[] = [
  { name: "10 ms", isShort: true, faults: near },
  { name: "10 ms, jitter 5 ms", isShort: false, faults: { ...near, jitterMs: 5 } },
  { name: "10 ms, 1 % lost", isShort: false, faults: { ...near, lossPercent: 1 } },
  { name: "10 ms, 5 % lost", isShort: true, faults: { ...near, lossPercent: 5 } },
  { name: "10 ms, 20 % lost", isShort: false, faults: { ...near, lossPercent: 20 } },
  { name: "10 ms, 5 % reordered", isShort: false, faults: { ...near, reorderPercent: 5 } },
  { name: "10 ms, 5 % twice", isShort: false, faults: { ...near, duplicatePercent: 5 } },
  { name: "10 ms, 1 % damaged", isShort: false, faults: { ...near, corruptPercent: 1 } },
  { name: "10 ms, 1 MB/s", isShort: false, faults: { ...near, bytesPerSecond: 1_000_000 } },
  { name: "parted for 2 s", isShort: true, faults: near, during: parted(2_000) },
  { name: "parted one way, 3 s", isShort: false, faults: near, during: parted(3_000, true) },
  { name: "parted for 45 s", isShort: false, faults: near, during: parted(45_000) },
];
