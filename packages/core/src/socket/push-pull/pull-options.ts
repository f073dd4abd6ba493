import { checkChoice, checkInteger } from "../../option-checks.ts";
import type { Delivery } from "./job-delivery.ts";
import { deliveries } from "./job-delivery.ts";
import { maxWindow } from "./pull-window.ts";
import type { SocketOptions } from "../socket-options.ts";

/** What a PULL may be told. */
export interface PullOptions extends SocketOptions {
  /**
   * How many jobs one PUSH may have given us that are not settled. Small windows spread jobs more
   * evenly, large ones hide more latency.
   *
   * 1 to 65_535; or `auto`: 1_024, and up to 65_535 as long as that is no more than 2 ms of work.
   *
   * @defaultValue "auto"
   */
  readonly window?: number | "auto" | undefined;

  /**
   * How many bytes of jobs of one PUSH may wait to be taken; beyond it that PUSH is not read from.
   * One job always fits.
   *
   * Bytes, 1 or more.
   *
   * @defaultValue 16_777_216
   */
  readonly maxQueuedBytes?: number | undefined;

  /**
   * `at-least-once` acknowledges a job when its consumer is done with it. `at-most-once`
   * acknowledges it when it arrives: what was not done when this process ends is lost.
   *
   * @defaultValue "at-least-once"
   */
  readonly delivery?: Delivery | undefined;
}

/** The options of a PULL that are its own, filled in and checked. */
export type ResolvedPullOptions = {
  readonly [Name in Exclude<keyof PullOptions, keyof SocketOptions>]-?: NonNullable<
    PullOptions[Name]
  >;
};

/** The defaults of {@link PullOptions}. */
export const pullDefaults: ResolvedPullOptions = {
  window: "auto",
  maxQueuedBytes: 16 * 1024 * 1024,
  delivery: "at-least-once",
};

/**
 * Fills in defaults and checks ranges.
 *
 * @throws MsgError `MSG_INVALID_OPTION`, naming the option, its value and its limits.
 */
export function resolvePullOptions(options: PullOptions): ResolvedPullOptions {
  const resolved: ResolvedPullOptions = {
    window: options.window ?? pullDefaults.window,
    maxQueuedBytes: options.maxQueuedBytes ?? pullDefaults.maxQueuedBytes,
    delivery: options.delivery ?? pullDefaults.delivery,
  };
  if (resolved.window !== "auto") checkInteger("window", resolved.window, 1, maxWindow);
  checkInteger("maxQueuedBytes", resolved.maxQueuedBytes, 1, Number.MAX_SAFE_INTEGER);
  checkChoice("delivery", resolved.delivery, deliveries);
  return resolved;
}
