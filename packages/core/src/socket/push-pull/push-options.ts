import {
  checkChoice,
  checkInteger,
  checkIntegerOrInfinity,
  checkNumber,
} from "../../option-checks.ts";
import type { Delivery } from "./job-delivery.ts";
import { deliveries } from "./job-delivery.ts";
import type { SocketOptions } from "../socket-options.ts";

/** What a PUSH may be told. */
export interface PushOptions extends SocketOptions {
  /**
   * `at-least-once` keeps each job until a PULL acknowledged it, and gives it to another one when
   * its PULL is lost or refuses it. `at-most-once` keeps nothing that was written: what was under
   * way on a lost connection is lost, counted and told by the event `dropped`.
   *
   * @defaultValue "at-least-once"
   */
  readonly delivery?: Delivery | undefined;

  /**
   * How many jobs one PULL may have unsettled; its own window may be smaller and then counts.
   *
   * 1 to 65_535.
   *
   * @defaultValue 65_535
   */
  readonly maxUnacked?: number | undefined;

  /**
   * How many bytes of payload one PULL may have unsettled before it gets no more. One job may
   * always be under way.
   *
   * Bytes, 1 or more, or `Infinity`.
   *
   * @defaultValue 67_108_864
   */
  readonly maxUnackedBytes?: number | undefined;

  /**
   * How many sends may wait for a PULL; one more throws `MSG_HIGH_WATER_MARK`. While as many jobs
   * that came back wait too, no new one is given to a PULL.
   *
   * 1 or more, or `Infinity`.
   *
   * @defaultValue 8_192
   */
  readonly maxWaiting?: number | undefined;

  /**
   * How many bytes of payload may wait in the same way. One job may always wait.
   *
   * Bytes, 1 or more, or `Infinity`.
   *
   * @defaultValue 67_108_864
   */
  readonly maxWaitingBytes?: number | undefined;

  /**
   * How often a job is given to a PULL before it is dropped, with the event `dropped` that carries
   * it. What never left this process does not count.
   *
   * 1 or more, or `Infinity`.
   *
   * @defaultValue 16
   */
  readonly maxDeliveries?: number | undefined;

  /**
   * How long a job waits before a PULL that refused it may get it again; each further time twice as
   * long. A PULL that has not refused it gets it at once.
   *
   * Milliseconds, 1 to 2_147_483_647.
   *
   * @defaultValue 100
   */
  readonly redeliveryDelayMs?: number | undefined;

  /**
   * Where the doubling of `redeliveryDelayMs` stops.
   *
   * Milliseconds, `redeliveryDelayMs` to 2_147_483_647.
   *
   * @defaultValue 5_000, or `redeliveryDelayMs` when that is more
   */
  readonly maxRedeliveryDelayMs?: number | undefined;
}

/** The options of a PUSH that are its own, filled in and checked. */
export type ResolvedPushOptions = {
  readonly [Name in Exclude<keyof PushOptions, keyof SocketOptions>]-?: NonNullable<
    PushOptions[Name]
  >;
};

/** The defaults of {@link PushOptions}. */
export const pushDefaults: ResolvedPushOptions = {
  delivery: "at-least-once",
  maxUnacked: 65_535,
  maxUnackedBytes: 64 * 1024 * 1024,
  maxWaiting: 8_192,
  maxWaitingBytes: 64 * 1024 * 1024,
  maxDeliveries: 16,
  redeliveryDelayMs: 100,
  maxRedeliveryDelayMs: 5_000,
};

/**
 * Fills in defaults and checks ranges.
 *
 * @throws MsgError `MSG_INVALID_OPTION`, naming the option, its value and its limits.
 */
export function resolvePushOptions(options: PushOptions): ResolvedPushOptions {
  const redeliveryDelayMs = options.redeliveryDelayMs ?? pushDefaults.redeliveryDelayMs;
  const resolved: ResolvedPushOptions = {
    delivery: options.delivery ?? pushDefaults.delivery,
    maxUnacked: options.maxUnacked ?? pushDefaults.maxUnacked,
    maxUnackedBytes: options.maxUnackedBytes ?? pushDefaults.maxUnackedBytes,
    maxWaiting: options.maxWaiting ?? pushDefaults.maxWaiting,
    maxWaitingBytes: options.maxWaitingBytes ?? pushDefaults.maxWaitingBytes,
    maxDeliveries: options.maxDeliveries ?? pushDefaults.maxDeliveries,
    redeliveryDelayMs,
    maxRedeliveryDelayMs:
      options.maxRedeliveryDelayMs ??
      Math.max(pushDefaults.maxRedeliveryDelayMs, redeliveryDelayMs),
  };
  checkRanges(resolved);
  return resolved;
}

function checkRanges(options: ResolvedPushOptions): void {
  const { redeliveryDelayMs, maxRedeliveryDelayMs } = options;
  checkChoice("delivery", options.delivery, deliveries);
  checkInteger("maxUnacked", options.maxUnacked, 1, 65_535);
  checkIntegerOrInfinity("maxUnackedBytes", options.maxUnackedBytes, 1);
  checkIntegerOrInfinity("maxWaiting", options.maxWaiting, 1);
  checkIntegerOrInfinity("maxWaitingBytes", options.maxWaitingBytes, 1);
  checkIntegerOrInfinity("maxDeliveries", options.maxDeliveries, 1);
  checkNumber("redeliveryDelayMs", redeliveryDelayMs, 1, 2 ** 31 - 1);
  checkNumber("maxRedeliveryDelayMs", maxRedeliveryDelayMs, redeliveryDelayMs, 2 ** 31 - 1);
}
