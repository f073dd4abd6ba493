import type { DatagramFaults } from "@msg-ts/testing";

/** What can be done to the way between two ends. */
export interface Way {
  /** Datagrams that came to it, both ways. */
  readonly received: number;
  /** Of those, what was dropped because it was blocked. */
  readonly blocked: number;
  setFaults(faults: DatagramFaults): void;
  block(): void;
  open(): void;
}

/**
 * A network that everything has to arrive over, intact, without a pause in which nothing does, and
 * on the links that there are: none of these networks is a reason to lose one.
 */
export interface Condition {
  readonly name: string;
  /** Each way. */
  readonly faults: DatagramFaults;
  /** For so long nothing gets through, in the middle of each transfer. */
  readonly blackoutMs?: number;
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
  { name: "2 s blackout", faults: {}, blackoutMs: 2_000 },
];
