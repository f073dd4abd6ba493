import type { ItemLimits } from "./limits.ts";
import { checkWhole, resolveMaxItems } from "./limits.ts";

/** What one CBOR payload may cost, whichever way it goes. */
export interface CborLimits extends ItemLimits {
  /**
   * How deep arrays, maps and sets may nest in each other: `[[1]]` is 2 deep.
   *
   * Levels, 1 to 1_000.
   *
   * @defaultValue 64
   */
  readonly maxDepth?: number | undefined;

  /**
   * How long an integer may be that is past 64 bits. Reading and writing one takes a time that grows
   * with the square of its length: 0.2 ms for 1_024 bytes, 40 ms for 16_384. Each of its bytes counts
   * one for `maxItems`.
   *
   * Bytes, 0 to 16_384; 0 allows none.
   *
   * @defaultValue 1_024
   */
  readonly maxBignumBytes?: number | undefined;
}

/** Limits that were checked. */
export interface ResolvedCborLimits {
  readonly maxItems: number;
  readonly maxDepth: number;
  readonly maxBignumBytes: number;
}

const defaultMaxDepth = 64;
const defaultMaxBignumBytes = 1_024;

/** cbor-x calls itself for each level. */
const highestMaxDepth = 1_000;
const highestMaxBignumBytes = 16_384;

/** @throws MsgError `MSG_INVALID_OPTION`, naming the option and its limits. */
export function resolveCborLimits(options: CborLimits): ResolvedCborLimits {
  const maxItems = resolveMaxItems("cbor", options.maxItems);
  const maxDepth = options.maxDepth ?? defaultMaxDepth;
  const maxBignumBytes = options.maxBignumBytes ?? defaultMaxBignumBytes;
  checkWhole("cbor maxDepth", maxDepth, 1, highestMaxDepth);
  checkWhole("cbor maxBignumBytes", maxBignumBytes, 0, highestMaxBignumBytes);
  return { maxItems, maxDepth, maxBignumBytes };
}
