import { checkInteger, checkNumber } from "../option-checks.ts";

/** When a lost or refused connection is dialed again. */
export interface ReconnectOptions {
  /**
   * The longest wait before the second attempt; each further one may wait twice as long. The real
   * wait is drawn evenly from 0 to that (full jitter), so that clients do not return in step.
   *
   * Milliseconds, 1 to 2_147_483_647.
   *
   * @defaultValue 100
   */
  readonly minDelayMs?: number | undefined;

  /**
   * Where the doubling of the wait stops.
   *
   * Milliseconds, `minDelayMs` to 2_147_483_647.
   *
   * @defaultValue 5_000
   */
  readonly maxDelayMs?: number | undefined;

  /**
   * How many attempts in a row may fail before the endpoint is given up, with an `error` event of
   * code `MSG_DIAL_FAILED`.
   *
   * 1 or more, or `Infinity`.
   *
   * @defaultValue Infinity
   */
  readonly maxAttempts?: number | undefined;
}

/** {@link ReconnectOptions} with every field filled in. */
export type ResolvedReconnectOptions = Readonly<Record<keyof ReconnectOptions, number>>;

/** The defaults of {@link ReconnectOptions}. */
export const reconnectDefaults: ResolvedReconnectOptions = {
  minDelayMs: 100,
  maxDelayMs: 5_000,
  maxAttempts: Infinity,
};

/**
 * Fills in defaults and checks ranges. The caller's object is not changed.
 *
 * @throws MsgError `MSG_INVALID_OPTION`, naming the option, its value and its limits.
 */
export function resolveReconnectOptions(options?: ReconnectOptions): ResolvedReconnectOptions {
  if (options === undefined) return reconnectDefaults;
  const minDelayMs = options.minDelayMs ?? reconnectDefaults.minDelayMs;
  const maxDelayMs = options.maxDelayMs ?? Math.max(reconnectDefaults.maxDelayMs, minDelayMs);
  const maxAttempts = options.maxAttempts ?? reconnectDefaults.maxAttempts;
  checkNumber("reconnect.minDelayMs", minDelayMs, 1, 2 ** 31 - 1);
  checkNumber("reconnect.maxDelayMs", maxDelayMs, minDelayMs, 2 ** 31 - 1);
  if (maxAttempts !== Infinity) checkInteger("reconnect.maxAttempts", maxAttempts, 1, 2 ** 31 - 1);
  return { minDelayMs, maxDelayMs, maxAttempts };
}

/**
 * How long to wait before attempt `attempt` + 1, when `attempt` attempts failed in a row.
 *
 * @param random - from 0 to 1.
 */
export function retryDelayMs(
  attempt: number,
  options: ResolvedReconnectOptions,
  random: number,
): number {
  // Past 2^30 doublings the product is over any cap anyway.
  const ceiling = options.minDelayMs * 2 ** Math.min(Math.max(attempt - 1, 0), 30);
  return Math.min(ceiling, options.maxDelayMs) * random;
}
