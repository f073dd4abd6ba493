import { CompatError, notOffered } from "./compat-error.ts";

/** Decides whether a peer of a PLAIN or CURVE server is let in; takes the place of ZAP. */
export type Authenticate = (peer: {
  readonly mechanism: string;
  readonly address: string;
  /** PLAIN */
  readonly username: string | undefined;
  /** PLAIN */
  readonly password: string | undefined;
  /** CURVE, as Z85 */
  readonly publicKey: string | undefined;
}) => boolean | Promise<boolean>;

/** Options of every socket: those of zeromq.js of the same name, and `authenticate`. */
export interface CommonOptions {
  /** Milliseconds that `close` gives to what is not sent; -1 is 30 s: nothing waits for ever. */
  linger: number;
  /** The longest message to take, in bytes; -1 is 64 MiB. */
  maxMessageSize: number;
  /** Milliseconds before a lost connection is dialed again: half of it on average. */
  reconnectInterval: number;
  /** Milliseconds up to which that doubles; 0 does not double it. */
  reconnectMaxInterval: number;
  /** Milliseconds for a connection and its handshake. */
  handshakeInterval: number;
  /** Milliseconds between probes; 0 sends none. On by default, unlike zeromq.js. */
  heartbeatInterval: number;
  /** Milliseconds of silence after which a peer is given up; -1 is three intervals, at least 30 s. */
  heartbeatTimeout: number;
  /** Milliseconds after which the peer is to give us up; 0 leaves it to the default. */
  heartbeatTimeToLive: number;
  /** Whether this side decides about PLAIN clients: by {@link authenticate}, which it needs. */
  plainServer: boolean;
  /** PLAIN, as a client; `plainPassword` goes with it. */
  plainUsername: string | null;
  /** PLAIN, as a client. */
  plainPassword: string | null;
  /** Whether this side is a CURVE server, by `curveSecretKey`. */
  curveServer: boolean;
  /** CURVE: our public key; follows from the secret one and is not looked at. */
  curvePublicKey: string | null;
  /** CURVE: our secret key, as Z85. */
  curveSecretKey: string | null;
  /** CURVE, as a client: the public key of the server, as Z85. */
  curveServerKey: string | null;
  /** Whether `send` waits for a peer that is connected, instead of for an address; as it goes there. */
  immediate: boolean;
  /** Decides about peers, where this side is a PLAIN or CURVE server. Not in zeromq.js. */
  authenticate: Authenticate | null;
}

/** Options of sockets that send. */
export interface WritableOptions {
  /** Messages that may wait for a peer; 0 is no limit. */
  sendHighWaterMark: number;
  /** Milliseconds; -1 waits until the socket is closed. */
  sendTimeout: number;
}

/** Options of sockets that receive. */
export interface ReadableOptions {
  /** Messages of a peer that may wait to be received; 0 is no limit. */
  receiveHighWaterMark: number;
  /** Milliseconds; -1 waits until the socket is closed. */
  receiveTimeout: number;
}

/** All options and their values. */
export interface Values extends CommonOptions, WritableOptions, ReadableOptions {
  routingId: string | null;
  correlate: boolean;
  conflate: boolean;
  probeRouter: boolean;
  relaxed: boolean;
  mandatory: boolean;
  handover: boolean;
  noDrop: boolean;
  verbosity: null | "allSubs" | "allSubsUnsubs";
}

/** What all options are when nothing is said. */
export const defaults: Readonly<Values> = {
  linger: -1,
  maxMessageSize: -1,
  reconnectInterval: 100,
  reconnectMaxInterval: 0,
  handshakeInterval: 30_000,
  heartbeatInterval: 10_000,
  heartbeatTimeout: -1,
  heartbeatTimeToLive: 0,
  plainServer: false,
  plainUsername: null,
  plainPassword: null,
  curveServer: false,
  curvePublicKey: null,
  curveSecretKey: null,
  curveServerKey: null,
  authenticate: null,
  sendHighWaterMark: 1_000,
  sendTimeout: -1,
  receiveHighWaterMark: 1_000,
  receiveTimeout: -1,
  routingId: null,
  correlate: false,
  conflate: false,
  probeRouter: false,
  relaxed: false,
  immediate: false,
  mandatory: false,
  handover: false,
  noDrop: false,
  verbosity: null,
};

/** The names of {@link CommonOptions}. */
export const commonNames: readonly (keyof Values)[] = [
  "linger",
  "maxMessageSize",
  "reconnectInterval",
  "reconnectMaxInterval",
  "handshakeInterval",
  "heartbeatInterval",
  "heartbeatTimeout",
  "heartbeatTimeToLive",
  "plainServer",
  "plainUsername",
  "plainPassword",
  "curveServer",
  "curvePublicKey",
  "curveSecretKey",
  "curveServerKey",
  "immediate",
  "authenticate",
];

/** What may be changed at any time; the rest is fixed once the socket is used. */
export const liveNames: ReadonlySet<string> = new Set(["linger", "sendTimeout", "receiveTimeout"]);

const greatest = 2 ** 31 - 1;
/** As many as Node.js can have in one buffer on most systems; zeromq.js takes any number of 64 bits. */
const greatestBytes = 2 ** 32 - 1;

/** The lowest value of each number. */
const lowest: Partial<Record<keyof Values, number>> = {
  linger: -1,
  maxMessageSize: -1,
  reconnectInterval: 1,
  reconnectMaxInterval: 0,
  handshakeInterval: 1,
  heartbeatInterval: 0,
  heartbeatTimeout: -1,
  heartbeatTimeToLive: 0,
  sendHighWaterMark: 0,
  sendTimeout: -1,
  receiveHighWaterMark: 0,
  receiveTimeout: -1,
};

/** Options of zeromq.js that are refused, whatever they are set to. */
export const refusedNames: readonly string[] = [
  "affinity",
  "backlog",
  "connectTimeout",
  "context",
  "gssapiPlainText",
  "gssapiPrincipal",
  "gssapiPrincipalNameType",
  "gssapiServer",
  "gssapiServicePrincipal",
  "gssapiServicePrincipalNameType",
  "interface",
  "invertMatching",
  "ipv6",
  "loopbackFastPath",
  "manual",
  "multicastHops",
  "multicastLoop",
  "multicastMaxTransportDataUnit",
  "multicastRate",
  "multicastRecoveryInterval",
  "receiveBufferSize",
  "recoveryInterval",
  "sendBufferSize",
  "socksProxy",
  "tcpAcceptFilter",
  "tcpKeepalive",
  "tcpKeepaliveCount",
  "tcpKeepaliveIdle",
  "tcpKeepaliveInterval",
  "tcpMaxRetransmitTimeout",
  "typeOfService",
  "vmciBufferMaxSize",
  "vmciBufferMinSize",
  "vmciBufferSize",
  "vmciConnectTimeout",
  "welcomeMessage",
  "zapDomain",
  "zapEnforceDomain",
];

/** @throws CompatError `EINVAL`, naming the option, its value and its limits. */
export function checkValue(name: keyof Values, value: unknown): void {
  const least = lowest[name];
  const standard = defaults[name];
  if (least !== undefined) {
    const most = name === "maxMessageSize" ? greatestBytes : greatest;
    const isRight = typeof value === "number" && value >= least && value <= most;
    if (isRight && Number.isInteger(value)) return;
    throw wrong(name, value, `an integer from ${least} to ${most}`);
  }
  if (typeof standard === "boolean") {
    if (typeof value === "boolean") return;
    throw wrong(name, value, "true or false");
  }
  if (value === null) return;
  if (name === "authenticate") {
    if (typeof value === "function") return;
    throw wrong(name, value, "a function or null");
  }
  if (name === "verbosity") {
    if (value === "allSubs" || value === "allSubsUnsubs") return;
    throw wrong(name, value, "null, allSubs or allSubsUnsubs");
  }
  if (name === "routingId" && value instanceof Uint8Array) return;
  if (typeof value !== "string") throw wrong(name, value, "a string or null");
}

/** The error for an option that a socket has not. */
export function unknownOption(name: string, type: string): CompatError {
  if (refusedNames.includes(name)) return notOffered(`option ${name}`, "see docs/zeromq-js.md");
  return new CompatError("EINVAL", `${type} has no option ${JSON.stringify(name)}`);
}

/** The value of a password or key is never told. */
function wrong(name: string, value: unknown, must: string): CompatError {
  const found = typeof value === "number" ? String(value) : `of type ${typeof value}`;
  return new CompatError("EINVAL", `option ${name} is ${found}, must be ${must}`);
}
