import {
  checkBoolean,
  checkDelay,
  checkInteger,
  checkIntegerOrInfinity,
  checkNumber,
  checkObject,
  encodeText,
  payloadBytes,
} from "@msg-ts/core/building";
import type { Payload } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import type { Mechanism } from "./mechanisms/mechanism.ts";
import { nullMechanism } from "./mechanisms/null.ts";
import type { Properties } from "./wire/metadata.ts";
import { isPropertyName } from "./wire/metadata.ts";

/** When a silent connection is probed, and when it is given up. */
export interface HeartbeatOptions {
  /**
   * How often a peer is sent a PING, which it answers.
   *
   * Milliseconds, 1 to 2_147_483_647, or `Infinity` for none.
   *
   * @defaultValue 10_000
   */
  readonly intervalMs?: number | undefined;

  /**
   * How long a peer may say nothing at all before its connection is ended with `MSG_PEER_LOST` and,
   * on the dialing side, dialed again. What it does not read of ours, or what we do not read of its,
   * counts as no silence: it is slow then, not gone.
   *
   * Milliseconds, 1 to 2_147_483_647. Unused when `intervalMs` is `Infinity`.
   *
   * @defaultValue 30_000
   */
  readonly timeoutMs?: number | undefined;

  /**
   * How long the peer is to wait for us in the same way, as each PING tells it. The wire counts in
   * tenths of a second; 0 asks for nothing.
   *
   * Milliseconds, 0 to 65_500: libzmq misreads more.
   *
   * @defaultValue `timeoutMs`, at most 65_500
   */
  readonly ttlMs?: number | undefined;
}

/** What {@link zmtp} may be told. */
export interface ZmtpOptions {
  /**
   * How peers are let in: `plain()`, `plainServer()`, `curve()`, `curveServer()`. Both ends must
   * name the same mechanism.
   *
   * @defaultValue NULL: everybody is, and everything can be read on the way
   */
  readonly security?: Mechanism | undefined;

  /**
   * What a ROUTER knows us by, across reconnects. Sent by REQ, DEALER and ROUTER.
   *
   * 0 to 255 bytes; the first may not be 0.
   *
   * @defaultValue none: a ROUTER chooses one
   */
  readonly identity?: Payload | undefined;

  /** Properties told to each peer in the handshake. Names begin with `X-`; all together at most 4 KiB. */
  readonly metadata?: Readonly<Record<string, Payload>> | undefined;

  /**
   * REQ: puts a number before each request, which a REP and any ROUTER that keeps the envelope give
   * back. So many requests may be under way, and answers come in any order. Without it one request
   * is at a peer at a time, and giving one up ends the connection.
   *
   * @defaultValue true
   */
  readonly correlate?: boolean | undefined;

  /**
   * REQ, DEALER, ROUTER: begins each connection with an empty message, by which a ROUTER on the other
   * side learns the name of this socket before it says anything. Any other peer takes it for a message.
   *
   * @defaultValue false
   */
  readonly probeRouter?: boolean | undefined;

  /**
   * PUSH: how many messages may wait for the transport of one peer.
   *
   * 1 to 65_535.
   *
   * @defaultValue 1_000
   */
  readonly sendHighWaterMark?: number | undefined;

  /**
   * How many parts a message may have.
   *
   * 1 or more, or `Infinity`.
   *
   * @defaultValue 1_024
   */
  readonly maxParts?: number | undefined;

  /** When a silent connection is probed, and when it is given up. */
  readonly heartbeat?: HeartbeatOptions | undefined;
}

/** {@link HeartbeatOptions}, filled in and checked. */
export type ResolvedHeartbeat = Readonly<Record<keyof HeartbeatOptions, number>>;

/** {@link ZmtpOptions}, filled in and checked. */
export interface ResolvedZmtpOptions {
  readonly security: Mechanism;
  readonly identity: Uint8Array;
  readonly metadata: Properties;
  readonly correlate: boolean;
  readonly probeRouter: boolean;
  readonly sendHighWaterMark: number;
  readonly maxParts: number;
  readonly heartbeat: ResolvedHeartbeat;
}

/** The longest TTL of a PING: libzmq multiplies tenths of a second by 100 in 16 bits. */
const maxTtlMs = 65_500;

const maxIdentityBytes = 255;
const maxMetadataBytes = 4 * 1024;

/** The defaults of {@link ZmtpOptions}, where they are numbers. */
const zmtpDefaults: Readonly<Record<"sendHighWaterMark" | "maxParts", number>> = {
  sendHighWaterMark: 1_000,
  maxParts: 1_024,
};

/** The defaults of {@link HeartbeatOptions}. */
const heartbeatDefaults: Readonly<Record<"intervalMs" | "timeoutMs", number>> = {
  intervalMs: 10_000,
  timeoutMs: 30_000,
};

/**
 * Fills in defaults and checks ranges.
 *
 * @throws MsgError `MSG_INVALID_OPTION`, naming the option, its value and its limits.
 */
export function resolveZmtpOptions(options: ZmtpOptions): ResolvedZmtpOptions {
  checkObject("security", options.security);
  checkObject("metadata", options.metadata);
  const resolved: ResolvedZmtpOptions = {
    security: options.security ?? nullMechanism,
    identity: checkIdentity(options.identity ?? ""),
    metadata: resolveMetadata(options.metadata ?? {}),
    correlate: options.correlate ?? true,
    probeRouter: options.probeRouter ?? false,
    sendHighWaterMark: options.sendHighWaterMark ?? zmtpDefaults.sendHighWaterMark,
    maxParts: options.maxParts ?? zmtpDefaults.maxParts,
    heartbeat: resolveHeartbeat(options.heartbeat),
  };
  checkBoolean("correlate", resolved.correlate);
  checkBoolean("probeRouter", resolved.probeRouter);
  checkInteger("sendHighWaterMark", resolved.sendHighWaterMark, 1, 65_535);
  checkIntegerOrInfinity("maxParts", resolved.maxParts, 1);
  return resolved;
}

/** Fills in defaults and checks ranges. @throws MsgError `MSG_INVALID_OPTION` */
function resolveHeartbeat(options: HeartbeatOptions = {}): ResolvedHeartbeat {
  checkObject("heartbeat", options);
  const intervalMs = options.intervalMs ?? heartbeatDefaults.intervalMs;
  const timeoutMs = options.timeoutMs ?? Math.max(heartbeatDefaults.timeoutMs, finite(intervalMs));
  const ttlMs = options.ttlMs ?? Math.min(timeoutMs, maxTtlMs);
  checkDelay("heartbeat.intervalMs", intervalMs, 1);
  checkNumber("heartbeat.timeoutMs", timeoutMs, 1, 2 ** 31 - 1);
  checkNumber("heartbeat.ttlMs", ttlMs, 0, maxTtlMs);
  return { intervalMs, timeoutMs, ttlMs };
}

function finite(intervalMs: number): number {
  return intervalMs === Infinity ? 0 : Math.min(3 * intervalMs, 2 ** 31 - 1);
}

/** @throws MsgError `MSG_INVALID_OPTION` unless a peer may be known by it. */
function checkIdentity(identity: Payload): Uint8Array {
  const bytes = payloadBytes(identity);
  if (bytes.length <= maxIdentityBytes && bytes[0] !== 0) return bytes;
  const found = bytes[0] === 0 ? "begins with a 0 byte" : `has ${bytes.length} bytes`;
  const text = `identity ${found}, must have 0 to ${maxIdentityBytes} bytes, the first of which is not 0`;
  throw new MsgError("MSG_INVALID_OPTION", text);
}

function resolveMetadata(metadata: Readonly<Record<string, Payload>>): Properties {
  let bytes = 0;
  const properties = Object.entries(metadata).map(([name, value]) => {
    if (!/^x-/i.test(name) || !isPropertyName(name)) {
      const text = `metadata has the name ${JSON.stringify(name)}, must be X- and letters, digits, -_.+`;
      throw new MsgError("MSG_INVALID_OPTION", text);
    }
    const given = typeof value === "string" ? encodeText(value) : payloadBytes(value);
    bytes += 5 + name.length + given.length;
    return [name, given] as const;
  });
  if (bytes <= maxMetadataBytes) return properties;
  const text = `metadata has ${bytes} bytes, must be at most ${maxMetadataBytes}`;
  throw new MsgError("MSG_INVALID_OPTION", text);
}
