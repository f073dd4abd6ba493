import type { NetLab } from "@msg-ts/testing";
import type { Addresses, ClientCalls, ServerCalls } from "./ends.ts";
import { End } from "./end.ts";
import type { TransportChoice } from "./transports.ts";

/** Where both ends of a {@link Pair} are. */
export interface PairPlace {
  /** On its hosts `server` and `client`; without it both are on this machine's loopback. */
  readonly lab?: NetLab;
  /** Something between them on the loopback, such as a proxy: what the client is to connect to. */
  readonly between?: (address: string) => Promise<string>;
  /** @defaultValue the lab's IPv4 address, or 127.0.0.1 */
  readonly host?: string;
}

/** A process that binds REP, PULL and PUB, and one that connects REQ, PUSH and SUB to them. */
export class Pair {
  readonly server: End<ServerCalls>;
  readonly client: End<ClientCalls>;
  readonly choice: TransportChoice;
  /** Where the server is bound. */
  readonly bound: Addresses;
  /** What the client connects to. */
  readonly addresses: Addresses;

  private constructor(
    ends: Pick<Pair, "server" | "client">,
    choice: TransportChoice,
    places: Pick<Pair, "bound" | "addresses">,
  ) {
    this.server = ends.server;
    this.client = ends.client;
    this.choice = choice;
    this.bound = places.bound;
    this.addresses = places.addresses;
  }

  /** Starts both, and connects them. */
  static async start(choice: TransportChoice, place: PairPlace = {}): Promise<Pair> {
    const { lab, between = (address) => Promise.resolve(address) } = place;
    const server = new End<ServerCalls>("server", lab?.host("server"));
    const client = new End<ClientCalls>("client", lab?.host("client"));
    try {
      const host = place.host ?? lab?.host("server").ipv4 ?? "127.0.0.1";
      const hosts = [`${host}:0`, `${host}:0`, `${host}:0`];
      const bound = await server.call("bind", { ...choice, hosts }, startMs);
      const addresses = {
        rep: await between(bound.rep),
        pull: await between(bound.pull),
        pub: await between(bound.pub),
      };
      await client.call("connect", { ...choice, addresses }, startMs);
      return new Pair({ server, client }, choice, { bound, addresses });
    } catch (error) {
      await Promise.all([client.kill(), server.kill()]);
      throw error;
    }
  }

  /** Closes the client's sockets and makes new ones, so that handshakes meet the network as it is. */
  async reconnect(): Promise<void> {
    await this.client.call("close", undefined, startMs);
    await this.client.call("connect", { ...this.choice, addresses: this.addresses }, startMs);
  }

  async stop(): Promise<void> {
    await Promise.all([this.client.kill(), this.server.kill()]);
  }
}

const startMs = 90_000;
