import type { PeerInfo } from "../contracts/authenticator.ts";
import type { MsgError } from "../errors.ts";
import type { SocketEvents } from "./events.ts";

/** Where a socket tells what happens to it; pino and console fit. Payloads, tokens and claims never are. */
export interface Logger {
  debug(details: object, message: string): void;
  warn(details: object, message: string): void;
}

/** Asked for once, as Node.js does: to look at the environment takes longer than all else here. */
let hosts: { readonly logger: Logger | undefined } | undefined;

function hostLogger(): Logger | undefined {
  hosts ??= { logger: loggerOfHost() };
  return hosts.logger;
}

/** What `NODE_DEBUG=msg-ts` prints. */
function loggerOfHost(): Logger | undefined {
  const environment = (globalThis as { process?: { env?: Record<string, string | undefined> } })
    .process?.env;
  const sections = (environment?.["NODE_DEBUG"] ?? "").toLowerCase().split(",");
  if (!sections.includes("msg-ts") && !sections.includes("*")) return undefined;
  return {
    debug: (details, message) => globalThis.console.error(`MSG-TS: ${message}`, details),
    warn: (details, message) => globalThis.console.error(`MSG-TS: ${message}`, details),
  };
}

const troubles = new Set<keyof SocketEvents>(["refused", "gap", "dropped", "error"]);

/** Writes events to the given logger, else to what `NODE_DEBUG` asks for, else nowhere. */
export function eventLog(
  type: string,
  logger: Logger | undefined = hostLogger(),
): ((name: keyof SocketEvents, detail: object) => void) | undefined {
  if (logger === undefined) return undefined;
  return (name, detail) => {
    const details = withoutSecrets(detail);
    if (troubles.has(name)) logger.warn(details, `${type} ${name}`);
    else logger.debug(details, `${type} ${name}`);
  };
}

/** Leaves out what may be secret: payloads, and what an authenticator said of a peer. */
export function withoutSecrets(detail: object): object {
  const { payload: _payload, peer, ...details } = detail as { payload?: unknown; peer?: PeerInfo };
  if (peer === undefined) return details;
  const { id, address, transport, endpoint, name, identity } = peer;
  return { ...details, peer: { id, address, transport, endpoint, name, identity } };
}

interface HostProcess {
  emitWarning?(message: string, options: { type: string; code: string; detail: string }): void;
}

/** A warning in the host's own way: on stderr, and for whoever listens to `process.on("warning")`. */
export function warnHost(message: string, error: MsgError): void {
  const { cause } = error;
  const detail = cause instanceof Error ? (cause.stack ?? cause.message) : "";
  const host = (globalThis as { readonly process?: HostProcess }).process;
  host?.emitWarning?.(message, { type: "MsgWarning", code: error.code, detail });
}
