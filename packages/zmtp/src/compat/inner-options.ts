import type { ZmtpOptions } from "../zmtp-options.ts";
import type { PartsOptions, SharingOptions } from "../sockets/parts-options.ts";
import { curve } from "../mechanisms/curve-client.ts";
import { curveServer } from "../mechanisms/curve-server.ts";
import type { Mechanism } from "../mechanisms/mechanism.ts";
import { plain, plainServer } from "../mechanisms/plain.ts";
import { CompatError } from "./compat-error.ts";
import type { Values } from "./options.ts";

/** What `close` gives to what is not sent when `linger` is -1. */
const longestLingerMs = 30_000;

/** What {@link ZmtpOptions} are, of these options. @throws CompatError `EINVAL`, MsgError */
export function zmtpOptionsOf(values: Values): ZmtpOptions {
  const { heartbeatInterval, heartbeatTimeout, heartbeatTimeToLive } = values;
  return {
    security: securityOf(values),
    identity: values.routingId ?? undefined,
    probeRouter: values.probeRouter,
    heartbeat: {
      intervalMs: heartbeatInterval === 0 ? Infinity : heartbeatInterval,
      timeoutMs: heartbeatTimeout <= 0 ? undefined : heartbeatTimeout,
      ttlMs: heartbeatTimeToLive === 0 ? undefined : heartbeatTimeToLive,
    },
  };
}

/** What any socket of ours is told, of these options. */
export function socketOptionsOf(values: Values): PartsOptions {
  const { reconnectInterval, reconnectMaxInterval, maxMessageSize } = values;
  return {
    handshakeTimeoutMs: values.handshakeInterval,
    maxMessageBytes: maxMessageSize === -1 ? undefined : maxMessageSize,
    reconnect: {
      minDelayMs: reconnectInterval,
      maxDelayMs: Math.max(reconnectInterval, reconnectMaxInterval),
    },
  };
}

/** What a socket of messages of parts is told. */
export function partsOptionsOf(values: Values): SharingOptions {
  const { immediate, conflate } = values;
  return {
    immediate,
    conflate,
    ...socketOptionsOf(values),
    ...zmtpOptionsOf(values),
    sendHighWaterMark: unlimited(values.sendHighWaterMark),
    receiveHighWaterMark: unlimited(values.receiveHighWaterMark),
  };
}

/** 0 is no limit in zeromq.js. */
function unlimited(value: number): number {
  return value === 0 ? Infinity : value;
}

/** -1 is no limit in zeromq.js. */
export function timeoutMsOf(value: number): number {
  return value === -1 ? Infinity : value;
}

/** How long a socket may take to close. */
export function lingerMsOf(linger: number): number {
  return linger === -1 ? longestLingerMs : linger;
}

function securityOf(values: Values): Mechanism | undefined {
  const { plainUsername, plainPassword, curveSecretKey, curveServerKey } = values;
  if (values.curveServer) return curveServerOf(values);
  if (curveServerKey !== null) {
    return curve({ serverKey: curveServerKey, secretKey: curveSecretKey ?? undefined });
  }
  if (values.plainServer) return plainServerOf(values);
  if (plainUsername === null && plainPassword === null) return undefined;
  return plain({ username: plainUsername ?? "", password: plainPassword ?? "" });
}

function curveServerOf({ curveSecretKey, authenticate }: Values): Mechanism {
  if (curveSecretKey === null) throw new CompatError("EINVAL", "curveServer needs curveSecretKey");
  if (authenticate === null) return curveServer({ secretKey: curveSecretKey });
  return curveServer({
    secretKey: curveSecretKey,
    authenticate: ({ publicKeyText, peer }) =>
      authenticate({
        mechanism: "CURVE",
        address: peer.address,
        username: undefined,
        password: undefined,
        publicKey: publicKeyText,
      }),
  });
}

function plainServerOf({ authenticate }: Values): Mechanism {
  if (authenticate === null) {
    const text = "plainServer needs the option authenticate: without it anybody would be let in";
    throw new CompatError("EINVAL", text);
  }
  return plainServer({
    authenticate: ({ username, password, peer }) =>
      authenticate({
        mechanism: "PLAIN",
        address: peer.address,
        username,
        password,
        publicKey: undefined,
      }),
  });
}
