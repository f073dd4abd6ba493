import { resolveFaults } from "./fault-ranges.ts";

/** What a network does to datagrams on one way. Everything is off when nothing is said. */
export interface DatagramFaults {
  /** Datagrams that are lost, each by itself. Percent, 0 to 100. @defaultValue 0 */
  readonly lossPercent?: number;
  /** Datagrams that arrive twice. Percent, 0 to 100. @defaultValue 0 */
  readonly duplicatePercent?: number;
  /**
   * Datagrams that later ones of the same client overtake: one is held until {@link overtakenBy}
   * have passed, or for 20 ms. Percent, 0 to 100. @defaultValue 0
   */
  readonly reorderPercent?: number;
  /** How many overtake one that is reordered. 1 to 1,000. @defaultValue 3 */
  readonly overtakenBy?: number;
  /** Datagrams of which 1 to 8 bits are flipped. Percent, 0 to 100. @defaultValue 0 */
  readonly corruptPercent?: number;
  /** How long each is under way. Milliseconds, 0 to 60,000. @defaultValue 0 */
  readonly delayMs?: number;
  /**
   * Added to {@link delayMs}: from 0 to this, each as likely. It never changes the order; that is
   * what {@link reorderPercent} does. Milliseconds, 0 to 60,000. @defaultValue 0
   */
  readonly jitterMs?: number;
  /** What the wire carries. Bytes of payload a second, from 1. @defaultValue Infinity */
  readonly bytesPerSecond?: number;
  /** What waits in front of a full or stalled wire; more is dropped. From 1. @defaultValue 4_194_304 */
  readonly queueBytes?: number;
}

/** {@link DatagramFaults} with nothing left open. */
export type ResolvedDatagramFaults = Readonly<Record<keyof DatagramFaults, number>>;

/** A wire without faults. */
export const datagramFaultDefaults: ResolvedDatagramFaults = {
  lossPercent: 0,
  duplicatePercent: 0,
  reorderPercent: 0,
  overtakenBy: 3,
  corruptPercent: 0,
  delayMs: 0,
  jitterMs: 0,
  bytesPerSecond: Infinity,
  queueBytes: 4_194_304,
};

const ranges: Readonly<Record<keyof DatagramFaults, readonly [number, number]>> = {
  lossPercent: [0, 100],
  duplicatePercent: [0, 100],
  reorderPercent: [0, 100],
  overtakenBy: [1, 1_000],
  corruptPercent: [0, 100],
  delayMs: [0, 60_000],
  jitterMs: [0, 60_000],
  bytesPerSecond: [1, Infinity],
  queueBytes: [1, Infinity],
};

/** Fills in what is not said. Throws a `RangeError` that names what is out of its range. */
export function resolveDatagramFaults(faults: DatagramFaults): ResolvedDatagramFaults {
  return resolveFaults(faults, datagramFaultDefaults, ranges);
}
