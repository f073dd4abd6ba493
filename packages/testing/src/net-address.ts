import { isIPv6 } from "node:net";

/** An address and a port. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Reads `127.0.0.1:4444`, `[::1]:4444`. */
export function hostPort(address: string): HostPort {
  const colon = address.lastIndexOf(":");
  const host = address.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  return { host, port: Number(address.slice(colon + 1)) };
}

/** A path has a slash, or a backslash on Windows; all else is `host:port`. */
export function netAddress(address: string): HostPort | { readonly path: string } {
  return /[/\\]/.test(address) ? { path: address } : hostPort(address);
}

/** Writes what {@link hostPort} reads. */
export function addressText({ address, port }: { address: string; port: number }): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}
