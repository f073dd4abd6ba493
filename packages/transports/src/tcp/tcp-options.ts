import { lookup } from "node:dns/promises";
import { MsgError } from "@msg-ts/core";

/** Linux keeps the time in seconds, at most 32_767. */
const minKeepAliveMs = 1_000;
const maxKeepAliveMs = 32_767_000;

/** Finds the IP addresses of a host name, best first. `signal` aborts when nobody waits any more. */
export type HostLookup = (host: string, signal: AbortSignal) => Promise<readonly string[]>;

/** How connections are kept, and how names are resolved. */
export interface TcpOptions {
  /**
   * How long a connection may be silent before the kernel probes it. A peer that vanished is found
   * about 10 seconds later (10 probes, 1 second apart), and its link ends with `MSG_PEER_LOST`.
   *
   * Milliseconds, 1_000 to 32_767_000; the kernel counts whole seconds. `Infinity` never probes.
   *
   * @defaultValue 10_000
   */
  readonly keepAliveMs?: number | undefined;

  /**
   * Finds the addresses of a host name, anew at each dial. All are tried, in the order given.
   *
   * @defaultValue `dns.lookup` of Node.js: the host's resolver, its order kept.
   */
  readonly lookup?: HostLookup | undefined;
}

/** {@link TcpOptions} with nothing left open. */
export type ResolvedTcpOptions = Readonly<Required<{ keepAliveMs: number; lookup: HostLookup }>>;

/** What {@link TcpOptions} are when they are not given. */
const tcpDefaults: ResolvedTcpOptions = {
  keepAliveMs: 10_000,
  lookup: async (host) => {
    const found = await lookup(host, { all: true, verbatim: true });
    return found.map(({ address }) => address);
  },
};

/**
 * Fills in defaults and checks ranges. The caller's object is not changed.
 *
 * @throws MsgError `MSG_INVALID_OPTION`, naming the option, its value and its limits.
 */
export function resolveTcpOptions(options?: TcpOptions): ResolvedTcpOptions {
  if (options === undefined) return tcpDefaults;
  const keepAliveMs = options.keepAliveMs ?? tcpDefaults.keepAliveMs;
  const found = options.lookup ?? tcpDefaults.lookup;
  const isInRange = keepAliveMs >= minKeepAliveMs && keepAliveMs <= maxKeepAliveMs;
  if (typeof keepAliveMs !== "number" || !(isInRange || keepAliveMs === Infinity)) {
    const text = `keepAliveMs is ${String(keepAliveMs)}, must be ${minKeepAliveMs} to ${maxKeepAliveMs} or Infinity`;
    throw new MsgError("MSG_INVALID_OPTION", text);
  }
  if (typeof found !== "function") {
    throw new MsgError("MSG_INVALID_OPTION", `lookup is ${typeof found}, must be a function`);
  }
  return { keepAliveMs, lookup: found };
}
