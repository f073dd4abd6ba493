import { checkBoolean, checkDelay, checkInteger } from "../../option-checks.ts";
import type { AuthorizationOptions, Authorizer } from "../authorization.ts";
import type { SocketOptions } from "../socket-options.ts";

/** What a REP may be told. */
export interface RepOptions extends SocketOptions {
  /**
   * How many requests of one peer may be unanswered; the peer is not read from until one is.
   *
   * 1 to 1_048_576.
   *
   * @defaultValue 4_096
   */
  readonly maxPending?: number | undefined;

  /**
   * How many bytes of unanswered requests one peer may have; one request is always taken.
   *
   * Bytes, 1 or more.
   *
   * @defaultValue 16_777_216
   */
  readonly maxPendingBytes?: number | undefined;

  /**
   * How many bytes of replies may wait for one peer. Over it, a reply is dropped and the peer gets
   * the error reply `REPLIES_UNREAD` in its place; one reply is always taken. Requests stop being
   * read from the peer long before, at `sendHighWaterBytes`.
   *
   * Bytes, 1 or more.
   *
   * @defaultValue 67_108_864
   */
  readonly maxUnsentReplyBytes?: number | undefined;

  /**
   * How long a request may stay unanswered before its peer gets the error reply `MSG_NO_ANSWER` and
   * its place is free.
   *
   * Milliseconds, 1 to 2_147_483_647, or `Infinity`.
   *
   * @defaultValue 30_000
   */
  readonly answerTimeoutMs?: number | undefined;

  /** Decides whether a peer's requests are answered; without one, all are. */
  readonly authorize?: Authorizer | undefined;

  /** How decisions of {@link authorize} are waited for and kept. */
  readonly authorization?: AuthorizationOptions | undefined;

  /**
   * Answers a request whose payload is the four bytes `PING` with `PONG`, without showing it.
   *
   * @defaultValue false
   */
  readonly answerPing?: boolean | undefined;
}

type OwnOption = Exclude<keyof RepOptions, keyof SocketOptions | "authorize" | "authorization">;

/** The options of a REP that are its own, filled in and checked. */
export type ResolvedRepOptions = {
  readonly [Name in OwnOption]-?: NonNullable<RepOptions[Name]>;
};

/** The defaults of {@link RepOptions}. */
export const repDefaults: ResolvedRepOptions = {
  maxPending: 4_096,
  maxPendingBytes: 16 * 1024 * 1024,
  maxUnsentReplyBytes: 64 * 1024 * 1024,
  answerTimeoutMs: 30_000,
  answerPing: false,
};

/**
 * Fills in defaults and checks ranges.
 *
 * @throws MsgError `MSG_INVALID_OPTION`, naming the option, its value and its limits.
 */
export function resolveRepOptions(options: RepOptions): ResolvedRepOptions {
  const resolved: ResolvedRepOptions = {
    maxPending: options.maxPending ?? repDefaults.maxPending,
    maxPendingBytes: options.maxPendingBytes ?? repDefaults.maxPendingBytes,
    maxUnsentReplyBytes: options.maxUnsentReplyBytes ?? repDefaults.maxUnsentReplyBytes,
    answerTimeoutMs: options.answerTimeoutMs ?? repDefaults.answerTimeoutMs,
    answerPing: options.answerPing ?? repDefaults.answerPing,
  };
  checkInteger("maxPending", resolved.maxPending, 1, 1_048_576);
  checkInteger("maxPendingBytes", resolved.maxPendingBytes, 1, Number.MAX_SAFE_INTEGER);
  checkInteger("maxUnsentReplyBytes", resolved.maxUnsentReplyBytes, 1, Number.MAX_SAFE_INTEGER);
  checkDelay("answerTimeoutMs", resolved.answerTimeoutMs, 1);
  checkBoolean("answerPing", resolved.answerPing);
  return resolved;
}
