import type { Authenticator, AuthToken, ConnectionHook } from "../contracts/authenticator.ts";
import type { Compressor, Decompressor } from "../contracts/compressor.ts";
import type { Protocol } from "../contracts/protocol.ts";
import type {
  ReconnectOptions,
  ResolvedReconnectOptions,
} from "../connection/reconnect-options.ts";
import { resolveReconnectOptions } from "../connection/reconnect-options.ts";
import { encodeText } from "../bytes.ts";
import { MsgError } from "../errors.ts";
import {
  checkArray,
  checkDelay,
  checkFunction,
  checkInteger,
  checkIntegerOrInfinity,
  checkMethods,
  checkObject,
} from "../option-checks.ts";
import type { Runtime } from "../runtime.ts";
import { hostRuntime } from "../runtime.ts";
import { tokenBytes } from "../wire/msg/handshake.ts";
import { msg } from "../wire/msg/protocol.ts";
import { toldApart } from "../wire/told-apart.ts";
import type { Logger } from "./logger.ts";

/** What every socket may be told. */
export interface SocketOptions {
  /**
   * What this socket calls itself to its peers (`peer.name` there): for people, never verified.
   *
   * At most 255 bytes of UTF-8.
   *
   * @defaultValue ""
   */
  readonly name?: string | undefined;

  /** The token shown to a peer we dial, or a function asked for one at each connect. At most 1 KiB. */
  readonly authToken?: AuthToken | undefined;

  /** Decides whether a peer that dialed us is let in. Without one, everybody is. */
  readonly authenticator?: Authenticator | undefined;

  /** Owns each new connection, on either side, before its first frame; instead of a token. */
  readonly hook?: ConnectionHook | undefined;

  /**
   * How long dialing and the handshake may take together. A peer that says nothing is
   * closed when it ends.
   *
   * Milliseconds, 1 to 2_147_483_647.
   *
   * @defaultValue 10_000
   */
  readonly handshakeTimeoutMs?: number | undefined;

  /**
   * How many peers that dialed us may be connected at a time; one more is closed at once, with the
   * event `refused`.
   *
   * 1 or more, or `Infinity`.
   *
   * @defaultValue 65_536
   */
  readonly maxClients?: number | undefined;

  /**
   * How many peers that dialed us may be in their handshake at a time. They hold no client's place.
   *
   * 1 or more, or `Infinity`.
   *
   * @defaultValue 1_024
   */
  readonly maxHandshakes?: number | undefined;

  /**
   * How long a peer may send nothing before it is closed with `MSG_PEER_LOST`. Some peers are
   * silent by right, such as a subscriber, so this is off by default.
   *
   * Milliseconds, 1 to 2_147_483_647, or `Infinity` for off.
   *
   * @defaultValue Infinity
   */
  readonly idlePeerTimeoutMs?: number | undefined;

  /**
   * How long a frame that a peer has begun may take for its end, or for 64 KiB more; then the peer
   * is closed with `MSG_FRAME_TIMEOUT`. Time in which it is not read from does not count.
   *
   * Milliseconds, 1 to 2_147_483_647, or `Infinity` for off.
   *
   * @defaultValue 30_000
   */
  readonly frameTimeoutMs?: number | undefined;

  /**
   * The most bytes a payload may have, each way, before and after compression. Give both ends the
   * same.
   *
   * Bytes, 0 to 4_294_967_295.
   *
   * @defaultValue 67_108_864
   */
  readonly maxMessageBytes?: number | undefined;

  /**
   * How many bytes may wait for one peer's transport before the pattern's rule for "full" applies.
   *
   * Bytes, 1 or more.
   *
   * @defaultValue 1_048_576
   */
  readonly sendHighWaterBytes?: number | undefined;

  /** Compresses what is sent. What is received needs no such setting: see `decompressors`. */
  readonly compressor?: Compressor | undefined;

  /**
   * Payloads with fewer bytes are sent plain. Below some hundred bytes compression costs more than
   * it saves.
   *
   * Bytes, 0 or more.
   *
   * @defaultValue 1_024
   */
  readonly minCompressBytes?: number | undefined;

  /** What may be received compressed, besides the algorithm of `compressor`. */
  readonly decompressors?: readonly Decompressor[] | undefined;

  /** When a lost connection is dialed again. */
  readonly reconnect?: ReconnectOptions | undefined;

  /**
   * The wire spoken.
   *
   * @defaultValue `msg()`, or the first of `protocols`
   */
  readonly protocol?: Protocol | undefined;

  /**
   * The wires that peers which dial this socket may speak. Of several, each peer's is told by its
   * first byte, so that one port serves them all. What this socket dials speaks `protocol`.
   *
   * @defaultValue what `protocol` is
   */
  readonly protocols?: readonly Protocol[] | undefined;

  /** Where events are written. Silent by default; `NODE_DEBUG=msg-ts` writes them to stderr. */
  readonly logger?: Logger | undefined;

  /** Time, chance and scheduling; tests give a simulated one. */
  readonly runtime?: Runtime | undefined;
}

/** {@link SocketOptions} with every field filled in and checked. */
export interface ResolvedSocketOptions {
  readonly name: string;
  readonly authToken: AuthToken | undefined;
  readonly authenticator: Authenticator | undefined;
  readonly hook: ConnectionHook | undefined;
  readonly handshakeTimeoutMs: number;
  readonly maxClients: number;
  readonly maxHandshakes: number;
  readonly idlePeerTimeoutMs: number;
  readonly frameTimeoutMs: number;
  readonly maxMessageBytes: number;
  readonly sendHighWaterBytes: number;
  readonly compressor: Compressor | undefined;
  readonly minCompressBytes: number;
  readonly decompressors: readonly Decompressor[];
  readonly reconnect: ResolvedReconnectOptions;
  readonly protocol: Protocol;
  /** All that are spoken, whoever dials. */
  readonly protocols: readonly Protocol[];
  /** What peers that dial speak: it tells several apart. */
  readonly acceptedProtocol: Protocol;
  /** What topics mean: patterns if any protocol has it so. */
  readonly topics: Protocol["topics"];
  readonly logger: Logger | undefined;
  readonly runtime: Runtime;
}

type NumberOption =
  | "handshakeTimeoutMs"
  | "maxClients"
  | "maxHandshakes"
  | "idlePeerTimeoutMs"
  | "frameTimeoutMs"
  | "maxMessageBytes"
  | "sendHighWaterBytes"
  | "minCompressBytes";

/** The defaults of {@link SocketOptions}, where they are numbers. */
export const socketDefaults: Readonly<Record<NumberOption, number>> = {
  handshakeTimeoutMs: 10_000,
  maxClients: 65_536,
  maxHandshakes: 1_024,
  idlePeerTimeoutMs: Infinity,
  frameTimeoutMs: 30_000,
  maxMessageBytes: 64 * 1024 * 1024,
  sendHighWaterBytes: 1024 * 1024,
  minCompressBytes: 1_024,
};

const maxWireLength = 2 ** 32 - 1;

const noDecompressors: readonly Decompressor[] = [];

/**
 * Fills in defaults and checks ranges. The caller's object is not changed.
 *
 * @throws MsgError `MSG_INVALID_OPTION`, naming the option, its value and its limits.
 */
export function resolveSocketOptions(options: SocketOptions): ResolvedSocketOptions {
  checkObject("reconnect", options.reconnect);
  const resolved: ResolvedSocketOptions = {
    name: options.name ?? "",
    authToken: options.authToken,
    authenticator: options.authenticator,
    hook: options.hook,
    handshakeTimeoutMs: options.handshakeTimeoutMs ?? socketDefaults.handshakeTimeoutMs,
    maxClients: options.maxClients ?? socketDefaults.maxClients,
    maxHandshakes: options.maxHandshakes ?? socketDefaults.maxHandshakes,
    idlePeerTimeoutMs: options.idlePeerTimeoutMs ?? socketDefaults.idlePeerTimeoutMs,
    frameTimeoutMs: options.frameTimeoutMs ?? socketDefaults.frameTimeoutMs,
    maxMessageBytes: options.maxMessageBytes ?? socketDefaults.maxMessageBytes,
    sendHighWaterBytes: options.sendHighWaterBytes ?? socketDefaults.sendHighWaterBytes,
    compressor: options.compressor,
    minCompressBytes: options.minCompressBytes ?? socketDefaults.minCompressBytes,
    decompressors: options.decompressors ?? noDecompressors,
    reconnect: resolveReconnectOptions(options.reconnect),
    ...resolveProtocols(options),
    logger: options.logger,
    runtime: options.runtime ?? hostRuntime,
  };
  checkRanges(resolved);
  checkCompressors(resolved);
  checkAuthentication(resolved);
  checkHosts(resolved);
  return resolved;
}

function resolveProtocols({
  protocol,
  protocols,
}: SocketOptions): Pick<
  ResolvedSocketOptions,
  "protocol" | "protocols" | "acceptedProtocol" | "topics"
> {
  if (protocols !== undefined) {
    checkArray("protocols", protocols);
    if (protocols.length === 0) {
      throw new MsgError("MSG_INVALID_OPTION", "protocols is empty: nobody could dial this socket");
    }
  }
  const dialed = protocol ?? protocols?.[0] ?? msg();
  const accepted = protocols ?? [dialed];
  const all = [...new Set([dialed, ...accepted])];
  for (const each of all) checkMethods("protocol", each, ["recognises", "handshake", "open"]);
  const topics = all.some((each) => each.topics === "patterns") ? "patterns" : "prefixes";
  const [only] = accepted;
  const acceptedProtocol = accepted.length === 1 && only !== undefined ? only : toldApart(accepted);
  return { protocol: dialed, protocols: all, acceptedProtocol, topics };
}

/** @throws MsgError `MSG_INVALID_OPTION` when a protocol cannot do what a socket was told. */
export function checkProtocols(socketType: string, options: ResolvedSocketOptions): void {
  const { protocols } = options;
  for (const protocol of protocols) protocol.checkOptions?.(socketType, options);
  if (socketType !== "SUB" || new Set(protocols.map(({ topics }) => topics)).size < 2) return;
  const text = "protocols of a SUB have different kinds of topics: make one SUB for each";
  throw new MsgError("MSG_INVALID_OPTION", text);
}

function checkRanges(options: ResolvedSocketOptions): void {
  if (typeof options.name !== "string" || encodeText(options.name).length > 255) {
    throw new MsgError("MSG_INVALID_OPTION", "name must be a string of at most 255 bytes");
  }
  checkInteger("handshakeTimeoutMs", options.handshakeTimeoutMs, 1, 2 ** 31 - 1);
  checkIntegerOrInfinity("maxClients", options.maxClients, 1);
  checkIntegerOrInfinity("maxHandshakes", options.maxHandshakes, 1);
  checkDelay("idlePeerTimeoutMs", options.idlePeerTimeoutMs, 1);
  checkDelay("frameTimeoutMs", options.frameTimeoutMs, 1);
  checkInteger("maxMessageBytes", options.maxMessageBytes, 0, maxWireLength);
  checkInteger("sendHighWaterBytes", options.sendHighWaterBytes, 1, Number.MAX_SAFE_INTEGER);
  checkInteger("minCompressBytes", options.minCompressBytes, 0, Number.MAX_SAFE_INTEGER);
}

function checkCompressors(options: ResolvedSocketOptions): void {
  const seen = new Set<number>();
  checkArray("decompressors", options.decompressors);
  for (const decompressor of options.decompressors) {
    checkMethods("decompressors[]", decompressor, ["decompress"]);
    const { id } = decompressor;
    checkInteger("decompressors[].id", id, 1, 6);
    if (seen.has(id)) {
      throw new MsgError("MSG_INVALID_OPTION", `decompressors has id ${id} twice`);
    }
    seen.add(id);
  }
  if (options.compressor === undefined) return;
  checkMethods("compressor", options.compressor, ["compress", "decompress"]);
  checkInteger("compressor.id", options.compressor.id, 1, 6);
}

function checkAuthentication(options: ResolvedSocketOptions): void {
  checkFunction("authenticator", options.authenticator);
  checkFunction("hook", options.hook);
  const { authToken, hook } = options;
  if (authToken !== undefined && typeof authToken !== "function") tokenBytes(authToken);
  if (hook !== undefined && (authToken !== undefined || options.authenticator !== undefined)) {
    const text = "hook is given together with authToken or authenticator: it takes their place";
    throw new MsgError("MSG_INVALID_OPTION", text);
  }
}

function checkHosts({ logger, runtime }: ResolvedSocketOptions): void {
  if (logger !== undefined) checkMethods("logger", logger, ["debug", "warn"]);
  checkMethods("runtime", runtime, ["now", "setTimer", "clearTimer", "endOfTick", "nextTurn"]);
}
