import { isIPv6 } from "node:net";
import { MsgError } from "@msg-ts/core";

/** How many connections a listener holds, in all and of each kind. */
export interface AdmissionLimits {
  readonly maxHandshakes: number;
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  readonly retry: "under-load" | "always";
}

/**
 * From so many handshakes under way on, peers must prove their address before they cost memory, some
 * 100 KB each. A crowd that connects at once stays below: all of it would come a second time.
 */
const retryAboveHandshakes = 256;

/**
 * Counts the connections of a listener against its limits. All that is before a handshake's end can
 * be had by anybody for a datagram.
 */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #byAddress: Map<string, number> = new Map();
  #handshakes = 0;
  #connections = 0;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  get handshakes(): number {
    return this.#handshakes;
  }

  get connections(): number {
    return this.#connections;
  }

  /** Whether a peer must come again with a token. */
  get isRetryNeeded(): boolean {
    const { retry, maxHandshakes } = this.#limits;
    const above = Math.min(retryAboveHandshakes, Math.floor(maxHandshakes / 2));
    return retry === "always" || this.#handshakes >= above;
  }

  /** Why no connection of this host is taken now. */
  refusalOf(host: string): MsgError | undefined {
    const { maxHandshakes, maxConnections, maxConnectionsPerAddress } = this.#limits;
    if (this.#handshakes >= maxHandshakes) {
      return tooMany(`${this.#handshakes} QUIC handshakes are`, "maxHandshakes", maxHandshakes);
    }
    if (this.#connections >= maxConnections) {
      return tooMany(`${this.#connections} connections are`, "maxConnections", maxConnections);
    }
    const count = this.#byAddress.get(networkOf(host)) ?? 0;
    if (count < maxConnectionsPerAddress) return undefined;
    const what = `${count} connections of ${networkOf(host)} are`;
    return tooMany(what, "maxConnectionsPerAddress", maxConnectionsPerAddress);
  }

  onAccepted(host: string): void {
    const network = networkOf(host);
    this.#handshakes += 1;
    this.#connections += 1;
    this.#byAddress.set(network, (this.#byAddress.get(network) ?? 0) + 1);
  }

  onHandshakeDone(): void {
    this.#handshakes -= 1;
  }

  onOver(host: string): void {
    const network = networkOf(host);
    const left = (this.#byAddress.get(network) ?? 1) - 1;
    this.#connections -= 1;
    if (left === 0) this.#byAddress.delete(network);
    else this.#byAddress.set(network, left);
  }
}

/** An IPv4 address, or the /64 of an IPv6 address: one customer has all of those. */
function networkOf(host: string): string {
  if (!isIPv6(host)) return host;
  if (host.startsWith("::ffff:") && host.includes(".")) return host.slice("::ffff:".length);
  const [head = "", tail = ""] = host.replace(/%.*$/, "").split("::");
  const front = head === "" ? [] : head.split(":");
  const back = tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => "0");
  return `${[...front, ...zeros, ...back].slice(0, 4).join(":")}::/64`;
}

function tooMany(what: string, option: string, limit: number): MsgError {
  return new MsgError("MSG_TOO_MANY_PEERS", `${what} under way, ${option} is ${limit}`);
}
