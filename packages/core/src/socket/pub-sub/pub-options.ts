import {
  checkChoice,
  checkDelay,
  checkInteger,
  checkIntegerOrInfinity,
} from "../../option-checks.ts";
import type { AuthorizationOptions, Authorizer } from "../authorization.ts";
import type { SocketOptions } from "../socket-options.ts";

/** What happens to a message when a subscriber's queue is full. The other subscribers never notice. */
export type WhenSlow =
  /** The new message is lost for that subscriber. */
  | "drop-newest"
  /** The oldest waiting message is lost for that subscriber. */
  | "drop-oldest"
  /** The subscriber's connection is ended with `MSG_SLOW_PEER`. */
  | "disconnect"
  /** `publish` waits: the one policy by which a slow subscriber holds up the others. */
  | "wait";

/** What a PUB may be told. */
export interface PubOptions extends SocketOptions {
  /**
   * What happens when a subscriber does not read fast enough.
   *
   * @defaultValue "drop-newest"
   */
  readonly whenSlow?: WhenSlow | undefined;

  /**
   * How many messages may wait for one subscriber, beyond `sendHighWaterBytes` under way.
   *
   * 1 or more.
   *
   * @defaultValue 8_192
   */
  readonly maxQueued?: number | undefined;

  /**
   * How many bytes of payload may wait for one subscriber; one message always may.
   *
   * Bytes, 1 or more.
   *
   * @defaultValue 8_388_608
   */
  readonly maxQueuedBytes?: number | undefined;

  /**
   * How many calls of `publish` may wait, for a slow subscriber or for a compressor; one more
   * throws `MSG_HIGH_WATER_MARK`.
   *
   * 0 or more, or `Infinity`.
   *
   * @defaultValue 8_192
   */
  readonly maxWaiting?: number | undefined;

  /**
   * How many bytes of payload may wait in calls of `publish`; one message always may.
   *
   * Bytes, 0 or more, or `Infinity`.
   *
   * @defaultValue 67_108_864
   */
  readonly maxWaitingBytes?: number | undefined;

  /**
   * How many topics one subscriber may subscribe to; more are ignored, with a `dropped` event.
   *
   * 1 or more.
   *
   * @defaultValue 131_072
   */
  readonly maxSubscriptionsPerPeer?: number | undefined;

  /**
   * How much memory one subscriber's topics may take, estimated as their length and 256 bytes for
   * each token. More are ignored, with a `dropped`
   * event.
   *
   * Bytes, 1 or more.
   *
   * @defaultValue 134_217_728
   */
  readonly maxSubscriptionBytesPerPeer?: number | undefined;

  /** Decides whether a peer may subscribe to a topic; without one, it may. */
  readonly authorize?: Authorizer | undefined;

  /** How decisions of {@link authorize} are waited for. */
  readonly authorization?: AuthorizationOptions | undefined;

  /**
   * A subscriber of ours is sent something at least this often, so that it notices a dead
   * publisher. Give both ends the same.
   *
   * Milliseconds, 1 to 2_147_483_647, or `Infinity` for none.
   *
   * @defaultValue 15_000
   */
  readonly heartbeatMs?: number | undefined;
}

type OwnOption = Exclude<keyof PubOptions, keyof SocketOptions | "authorize" | "authorization">;

/** The options of a PUB that are its own, filled in and checked. */
export type ResolvedPubOptions = {
  readonly [Name in OwnOption]-?: NonNullable<PubOptions[Name]>;
};

/** The defaults of {@link PubOptions}. */
export const pubDefaults: ResolvedPubOptions = {
  whenSlow: "drop-newest",
  maxQueued: 8_192,
  maxQueuedBytes: 8 * 1024 * 1024,
  maxWaiting: 8_192,
  maxWaitingBytes: 64 * 1024 * 1024,
  maxSubscriptionsPerPeer: 131_072,
  maxSubscriptionBytesPerPeer: 128 * 1024 * 1024,
  heartbeatMs: 15_000,
};

/**
 * Fills in defaults and checks ranges.
 *
 * @throws MsgError `MSG_INVALID_OPTION`, naming the option, its value and its limits.
 */
export function resolvePubOptions(options: PubOptions): ResolvedPubOptions {
  const defaults = pubDefaults;
  const resolved: ResolvedPubOptions = {
    whenSlow: options.whenSlow ?? defaults.whenSlow,
    maxQueued: options.maxQueued ?? defaults.maxQueued,
    maxQueuedBytes: options.maxQueuedBytes ?? defaults.maxQueuedBytes,
    maxWaiting: options.maxWaiting ?? defaults.maxWaiting,
    maxWaitingBytes: options.maxWaitingBytes ?? defaults.maxWaitingBytes,
    maxSubscriptionsPerPeer: options.maxSubscriptionsPerPeer ?? defaults.maxSubscriptionsPerPeer,
    maxSubscriptionBytesPerPeer:
      options.maxSubscriptionBytesPerPeer ?? defaults.maxSubscriptionBytesPerPeer,
    heartbeatMs: options.heartbeatMs ?? defaults.heartbeatMs,
  };
  const max = Number.MAX_SAFE_INTEGER;
  checkChoice("whenSlow", resolved.whenSlow, ["drop-newest", "drop-oldest", "disconnect", "wait"]);
  checkInteger("maxQueued", resolved.maxQueued, 1, max);
  checkInteger("maxQueuedBytes", resolved.maxQueuedBytes, 1, max);
  checkIntegerOrInfinity("maxWaiting", resolved.maxWaiting, 0);
  checkIntegerOrInfinity("maxWaitingBytes", resolved.maxWaitingBytes, 0);
  checkInteger("maxSubscriptionsPerPeer", resolved.maxSubscriptionsPerPeer, 1, max);
  checkInteger("maxSubscriptionBytesPerPeer", resolved.maxSubscriptionBytesPerPeer, 1, max);
  checkDelay("heartbeatMs", resolved.heartbeatMs, 1);
  return resolved;
}
