import {
  checkBoolean,
  checkDelay,
  checkInteger,
  checkIntegerOrInfinity,
} from "../../option-checks.ts";
import type { SocketOptions } from "../socket-options.ts";

/** What a REQ may be told. */
export interface ReqOptions extends SocketOptions {
  /**
   * How long a request may take, from the call on, also while nobody is connected.
   *
   * Milliseconds, 0 to 2_147_483_647, or `Infinity`.
   *
   * @defaultValue 5_000
   */
  readonly timeoutMs?: number | undefined;

  /**
   * How many requests may be unanswered at one peer; more wait.
   *
   * 1 to 1_048_576.
   *
   * @defaultValue 8_192
   */
  readonly maxInFlight?: number | undefined;

  /**
   * How many requests may wait for a peer or for a compressor; one more rejects with
   * `MSG_HIGH_WATER_MARK`.
   *
   * 0 or more, or `Infinity`.
   *
   * @defaultValue 8_192
   */
  readonly maxQueued?: number | undefined;

  /**
   * How many bytes of payload may wait so. One request may always wait.
   *
   * Bytes, 0 or more, or `Infinity`.
   *
   * @defaultValue 67_108_864
   */
  readonly maxQueuedBytes?: number | undefined;

  /**
   * Rejects a request with `MSG_NO_PEER` at once when nobody is connected, instead of waiting.
   *
   * @defaultValue false
   */
  readonly failFast?: boolean | undefined;

  /**
   * Sends a request again, to another peer or the same one reconnected, when its peer is lost. For
   * calls that may run twice only.
   *
   * @defaultValue false
   */
  readonly retry?: boolean | undefined;
}

/** The options of a REQ that are its own, filled in and checked. */
export type ResolvedReqOptions = {
  readonly [Name in Exclude<keyof ReqOptions, keyof SocketOptions>]-?: NonNullable<
    ReqOptions[Name]
  >;
};

/** The defaults of {@link ReqOptions}. */
export const reqDefaults: ResolvedReqOptions = {
  timeoutMs: 5_000,
  maxInFlight: 8_192,
  maxQueued: 8_192,
  maxQueuedBytes: 64 * 1024 * 1024,
  failFast: false,
  retry: false,
};

/**
 * Fills in defaults and checks ranges.
 *
 * @throws MsgError `MSG_INVALID_OPTION`, naming the option, its value and its limits.
 */
export function resolveReqOptions(options: ReqOptions): ResolvedReqOptions {
  const resolved: ResolvedReqOptions = {
    timeoutMs: options.timeoutMs ?? reqDefaults.timeoutMs,
    maxInFlight: options.maxInFlight ?? reqDefaults.maxInFlight,
    maxQueued: options.maxQueued ?? reqDefaults.maxQueued,
    maxQueuedBytes: options.maxQueuedBytes ?? reqDefaults.maxQueuedBytes,
    failFast: options.failFast ?? reqDefaults.failFast,
    retry: options.retry ?? reqDefaults.retry,
  };
  checkDelay("timeoutMs", resolved.timeoutMs);
  checkInteger("maxInFlight", resolved.maxInFlight, 1, 1_048_576);
  checkIntegerOrInfinity("maxQueued", resolved.maxQueued, 0);
  checkIntegerOrInfinity("maxQueuedBytes", resolved.maxQueuedBytes, 0);
  checkBoolean("failFast", resolved.failFast);
  checkBoolean("retry", resolved.retry);
  return resolved;
}
