import { resolveFaults } from "./fault-ranges.ts";

/** What a network does to the bytes of a stream on one way. Everything is off when nothing is said. */
export interface StreamFaults {
  /** How long each byte is under way. Milliseconds, 0 to 60,000. @defaultValue 0 */
  readonly delayMs?: number;
  /** Added to {@link delayMs}: from 0 to this; the order stays. 0 to 60,000. @defaultValue 0 */
  readonly jitterMs?: number;
  /** What each connection carries. Bytes a second, from 1. @defaultValue Infinity */
  readonly bytesPerSecond?: number;
  /** Bytes go on in writes of at most so many, each in a turn of its own. From 1. @defaultValue Infinity */
  readonly maxWriteBytes?: number;
  /**
   * The connection ends abruptly, at both ends, when so many bytes of it have gone on this way,
   * those before the fault was set too. From 0. @defaultValue Infinity
   */
  readonly cutAfterBytes?: number;
  /** What waits of a connection before its sender is no longer read. From 1. @defaultValue 262_144 */
  readonly queueBytes?: number;
}

/** {@link StreamFaults} with nothing left open. */
export type ResolvedStreamFaults = Readonly<Record<keyof StreamFaults, number>>;

/** A wire without faults. */
export const streamFaultDefaults: ResolvedStreamFaults = {
  delayMs: 0,
  jitterMs: 0,
  bytesPerSecond: Infinity,
  maxWriteBytes: Infinity,
  cutAfterBytes: Infinity,
  queueBytes: 262_144,
};

const ranges: Readonly<Record<keyof StreamFaults, readonly [number, number]>> = {
  delayMs: [0, 60_000],
  jitterMs: [0, 60_000],
  bytesPerSecond: [1, Infinity],
  maxWriteBytes: [1, Infinity],
  cutAfterBytes: [0, Infinity],
  queueBytes: [1, Infinity],
};

/** Fills in what is not said. Throws a `RangeError` that names what is out of its range. */
export function resolveStreamFaults(faults: StreamFaults): ResolvedStreamFaults {
  return resolveFaults(faults, streamFaultDefaults, ranges);
}
