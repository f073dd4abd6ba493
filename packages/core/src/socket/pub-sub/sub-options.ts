import { checkInteger, checkNumber } from "../../option-checks.ts";
import type { SocketOptions } from "../socket-options.ts";

/** What a SUB may be told. */
export interface SubOptions extends SocketOptions {
  /**
   * How many messages of one publisher may wait for the application; the publisher is not read from
   * until half of them were taken, and does what its `whenSlow` says.
   *
   * 1 or more.
   *
   * @defaultValue 8_192
   */
  readonly maxQueued?: number | undefined;

  /**
   * How many bytes of messages of one publisher may wait; one message always may.
   *
   * Bytes, 1 or more.
   *
   * @defaultValue 16_777_216
   */
  readonly maxQueuedBytes?: number | undefined;

  /**
   * How often a publisher of ours is heard of at least. One that is silent for three times this is
   * given up, and dialed again. Give both ends the same.
   *
   * Milliseconds, 1 to 715_827_882, or `Infinity` to wait for ever.
   *
   * @defaultValue 15_000
   */
  readonly heartbeatMs?: number | undefined;
}

/** The options of a SUB that are its own, filled in and checked. */
export type ResolvedSubOptions = {
  readonly [Name in Exclude<keyof SubOptions, keyof SocketOptions>]-?: NonNullable<
    SubOptions[Name]
  >;
};

/** The defaults of {@link SubOptions}. */
export const subDefaults: ResolvedSubOptions = {
  maxQueued: 8_192,
  maxQueuedBytes: 16 * 1024 * 1024,
  heartbeatMs: 15_000,
};

/**
 * Fills in defaults and checks ranges.
 *
 * @throws MsgError `MSG_INVALID_OPTION`, naming the option, its value and its limits.
 */
export function resolveSubOptions(options: SubOptions): ResolvedSubOptions {
  const resolved: ResolvedSubOptions = {
    maxQueued: options.maxQueued ?? subDefaults.maxQueued,
    maxQueuedBytes: options.maxQueuedBytes ?? subDefaults.maxQueuedBytes,
    heartbeatMs: options.heartbeatMs ?? subDefaults.heartbeatMs,
  };
  checkInteger("maxQueued", resolved.maxQueued, 1, Number.MAX_SAFE_INTEGER);
  checkInteger("maxQueuedBytes", resolved.maxQueuedBytes, 1, Number.MAX_SAFE_INTEGER);
  // Three of them have to fit a timer.
  if (resolved.heartbeatMs !== Infinity) {
    checkNumber("heartbeatMs", resolved.heartbeatMs, 1, 715_827_882);
  }
  return resolved;
}
