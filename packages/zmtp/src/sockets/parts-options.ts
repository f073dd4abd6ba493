import { checkBoolean, checkIntegerOrInfinity } from "@msg-ts/core/building";
import type { Payload, SocketOptions } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import { payloadBytes } from "@msg-ts/core/building";
import type { ZmtpOptions } from "../zmtp-options.ts";

/** What a message is sent as: one part, or all of them. */
export type Parts = Payload | readonly Payload[];

/** What DEALER, ROUTER, PAIR, XPUB and XSUB may be told. Their only wire is ZMTP. */
export interface PartsOptions
  extends
    Omit<
      SocketOptions,
      | "authToken"
      | "compressor"
      | "decompressors"
      | "minCompressBytes"
      | "name"
      | "protocol"
      | "protocols"
    >,
    Omit<ZmtpOptions, "correlate" | "sendHighWaterMark"> {
  /**
   * How many messages may wait for one peer's transport; for a socket that shares messages out, how
   * many more may wait for a peer, once something is connected to.
   *
   * 1 or more, or `Infinity`.
   *
   * @defaultValue 1_000
   */
  readonly sendHighWaterMark?: number | undefined;

  /**
   * How many bytes may wait for a peer in the same way. One message may always wait.
   *
   * Bytes, 1 or more, or `Infinity`.
   *
   * @defaultValue 67_108_864
   */
  readonly sendHighWaterMarkBytes?: number | undefined;

  /**
   * How many messages of one peer may wait to be received before reading from it stops.
   *
   * 1 or more, or `Infinity`.
   *
   * @defaultValue 1_000
   */
  readonly receiveHighWaterMark?: number | undefined;

  /**
   * How many bytes of one peer may wait in the same way. One message may always wait.
   *
   * Bytes, 1 or more, or `Infinity`.
   *
   * @defaultValue 67_108_864
   */
  readonly maxQueuedBytes?: number | undefined;

  /**
   * How many calls of `send` may wait; one more throws `MSG_HIGH_WATER_MARK`.
   *
   * 1 or more, or `Infinity`.
   *
   * @defaultValue 8_192
   */
  readonly maxWaiting?: number | undefined;

  /**
   * Keeps of each peer only the newest message that waits to be received, and only the newest that
   * waits to be sent: for readings that are worth nothing once there is a newer one. What gives way
   * is counted as `conflated`. What the transport holds already is not taken back.
   *
   * @defaultValue false
   */
  readonly conflate?: boolean | undefined;
}

/** What sockets that share messages out may be told besides: DEALER, PAIR. */
export interface SharingOptions extends PartsOptions {
  /**
   * Accepts a message only when a peer is connected that has room for it; until then `send` waits.
   * Else messages are accepted, within the high-water mark, as soon as something is connected to.
   *
   * @defaultValue false
   */
  readonly immediate?: boolean | undefined;
}

/** The options that are the sockets' own, filled in and checked. */
export type ResolvedPartsOptions = Readonly<
  Record<
    | "sendHighWaterMark"
    | "sendHighWaterMarkBytes"
    | "receiveHighWaterMark"
    | "maxQueuedBytes"
    | "maxWaiting",
    number
  >
> & { readonly conflate: boolean };

/** The defaults of {@link PartsOptions}. */
const partsDefaults: ResolvedPartsOptions = {
  conflate: false,
  sendHighWaterMark: 1_000,
  sendHighWaterMarkBytes: 64 * 1024 * 1024,
  receiveHighWaterMark: 1_000,
  maxQueuedBytes: 64 * 1024 * 1024,
  maxWaiting: 8_192,
};

const numberNames = [
  "sendHighWaterMark",
  "sendHighWaterMarkBytes",
  "receiveHighWaterMark",
  "maxQueuedBytes",
  "maxWaiting",
] as const;

/**
 * Fills in defaults and checks ranges.
 *
 * @throws MsgError `MSG_INVALID_OPTION`, naming the option, its value and its limits.
 */
export function resolvePartsOptions(options: PartsOptions): ResolvedPartsOptions {
  const { conflate = partsDefaults.conflate } = options;
  checkBoolean("conflate", conflate);
  const resolved = { ...partsDefaults, conflate };
  for (const name of numberNames) {
    const value = options[name] ?? partsDefaults[name];
    checkIntegerOrInfinity(name, value, 1);
    resolved[name] = value;
  }
  // One under way, and one that may still give way.
  if (conflate) resolved.sendHighWaterMark = 1;
  return resolved;
}

/**
 * The parts of a message that is to be sent.
 *
 * @throws MsgError `MSG_INVALID_ARGUMENT` for none, or for what is neither bytes nor text.
 */
export function partsOfMessage(message: Parts): readonly Uint8Array[] {
  if (!Array.isArray(message)) return [payloadBytes(message as Payload)];
  if (message.length > 0) return message.map((part: Payload) => payloadBytes(part));
  throw new MsgError("MSG_INVALID_ARGUMENT", "message has no parts: it must have at least one");
}

/** Bytes of all parts. */
export function bytesOf(parts: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const { length } of parts) bytes += length;
  return bytes;
}
