import { isIPv4 } from "node:net";
import type { EngineContext, QuicEngine } from "./engine.ts";
import type { QuicCredentials } from "./quic-credentials.ts";
import type { ResolvedQuicOptions } from "./quic-options.ts";

/** The names of what is spoken (ALPN). */
const ownProtocol = "msg-ts/1";
const msgRsProtocol = "msg";

/** What Ethernet takes of one datagram over IPv6; over IPv4 it would be 20 bytes more. */
const networkDatagramBytes = 1_452;

/**
 * The contexts of one set of certificates, each made when it is first needed: reading authorities
 * takes milliseconds, and most transports only dial or only listen.
 */
export class QuicContexts {
  readonly credentials: QuicCredentials;
  readonly #engine: QuicEngine;
  readonly #options: ResolvedQuicOptions;
  readonly #made: Map<string, EngineContext> = new Map();

  constructor(engine: QuicEngine, credentials: QuicCredentials, options: ResolvedQuicOptions) {
    this.#engine = engine;
    this.credentials = credentials;
    this.#options = options;
  }

  dialing(host: string): EngineContext {
    return this.#get(true, this.largestTo(host));
  }

  listening(host: string): EngineContext {
    return this.#get(false, this.largestTo(host));
  }

  /** The largest datagrams that are tried to a host. */
  largestTo(host: string): number {
    const { maxDatagramBytes } = this.#options;
    if (maxDatagramBytes !== undefined) return maxDatagramBytes;
    return isLoopback(host) ? this.#engine.maxDatagramBytes : networkDatagramBytes;
  }

  #get(isDialing: boolean, maxDatagramBytes: number): EngineContext {
    const key = `${isDialing} ${maxDatagramBytes}`;
    const found = this.#made.get(key);
    if (found !== undefined) return found;
    const { compat, idleTimeoutMs, streamWindowBytes, maxStreams } = this.#options;
    const made = this.#engine.createContext({
      ...(isDialing ? this.credentials.dialing : this.credentials.listening),
      protocols: [compat === undefined ? ownProtocol : msgRsProtocol],
      idleTimeoutMs: idleTimeoutMs === Infinity ? 0 : Math.ceil(idleTimeoutMs),
      streamWindowBytes,
      // Only dialers open streams.
      maxStreams: isDialing ? 0 : maxStreams,
      maxControlStreams: compat === undefined ? 1 : 0,
      maxDatagramBytes,
      maxPaths: isDialing || compat !== undefined ? onePath : listenerPaths,
    });
    this.#made.set(key, made);
    return made;
  }
}

/**
 * How often the address of a dialer may change, as behind a NAT that forgets it, before a listener
 * loses it: it comes back with a new connection then. Each costs the listener some kilobytes.
 */
const listenerPaths = 16;

/** The least that the engine takes: a dialer does not follow its server elsewhere. */
const onePath = 2;

function isLoopback(host: string): boolean {
  const address = host.replace(/^::ffff:(?=[\d.]+$)/, "");
  return address === "::1" || (isIPv4(address) && address.startsWith("127."));
}
