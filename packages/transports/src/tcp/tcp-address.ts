import { isIPv4, isIPv6 } from "node:net";
import { invalidAddress, withoutScheme } from "../addresses.ts";

/** The longest name that DNS can carry. */
const maxHostLength = 253;

/** A host and a port. */
export interface TcpAddress {
  /** A name, an IP address without brackets, or `*` for every interface. */
  readonly host: string;
  readonly port: number;
}

/** Writes a host and a port as {@link parseTcpAddress} reads them. */
export function formatTcpAddress(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * Reads `host:port`, `[IPv6]:port` or `*:port`, with or without the scheme of the transport.
 *
 * @throws MsgError `MSG_INVALID_ADDRESS`, naming the address and what is wrong with it.
 */
export function parseTcpAddress(address: string, transportName: string): TcpAddress {
  const rest = withoutScheme(address, transportName);
  if (/[\s\p{Cc}]/u.test(rest)) throw invalidAddress(address, "it has a space in it");
  return rest.startsWith("[") ? parseBracketed(address, rest) : parsePlain(address, rest);
}

function parseBracketed(address: string, rest: string): TcpAddress {
  const [whole, host = "", behind = ""] = /^\[([^\]]*)\](.*)$/.exec(rest) ?? [];
  if (whole === undefined) throw invalidAddress(address, "its bracket is not closed");
  if (!isIPv6(host)) throw invalidAddress(address, `"${host}" is not an IPv6 address`);
  if (behind !== "" && !behind.startsWith(":")) {
    throw invalidAddress(address, `"${behind}" stands behind its bracket, must be :port`);
  }
  return { host, port: parsePort(address, behind.slice(1)) };
}

function parsePlain(address: string, rest: string): TcpAddress {
  const colon = rest.lastIndexOf(":");
  const host = colon < 0 ? rest : rest.slice(0, colon);
  checkHost(address, host);
  return { host, port: parsePort(address, colon < 0 ? "" : rest.slice(colon + 1)) };
}

function checkHost(address: string, host: string): void {
  if (host === "*") return;
  if (host === "") throw invalidAddress(address, "its host is missing");
  if (host.includes(":")) {
    throw invalidAddress(address, "an IPv6 address stands in brackets, such as [::1]:4444");
  }
  const [illegal] = /[^\p{L}\p{M}\p{N}._-]/u.exec(host) ?? [];
  if (illegal !== undefined) throw invalidAddress(address, `its host has a "${illegal}" in it`);
  if (host.length > maxHostLength) {
    const text = `its host has ${host.length} characters, must be at most ${maxHostLength}`;
    throw invalidAddress(address, text);
  }
  if (/(?:^|\.)\d+\.?$/.test(host) && !isIPv4(host)) {
    throw invalidAddress(address, `"${host}" is not an IPv4 address`);
  }
}

function parsePort(address: string, text: string): number {
  if (text === "") throw invalidAddress(address, "its port is missing");
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 65_535) return port;
  throw invalidAddress(address, `its port is ${text}, must be 0 to 65535`);
}
