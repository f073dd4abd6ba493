import type { NaiveFrame } from "@msg-ts/testing";
import { naiveEncode, seededRandom } from "@msg-ts/testing";
import type { Transport } from "msg-ts";
import { HostileLink } from "./hostile-link.ts";
import type { CampaignNetwork, TransportName } from "./network.ts";
import { transportOf } from "./network.ts";
import type { Addresses, SocketName } from "./reports.ts";

/** What one hostile peer, or many, do to a victim. */
export interface Attack {
  readonly name: string;
  /** Where it makes sense. @defaultValue everywhere */
  readonly over?: readonly TransportName[];
  /** Part of the short form. @defaultValue false */
  readonly isCore?: boolean;
  /** What the victim tells of it, at least once each: `REP refused MSG_AUTH_REJECTED`. */
  readonly told: readonly string[];
  /** The most heap and buffers that it may take, in MiB, beside what garbage there is. */
  readonly mostMiB: number;
  run(scene: AttackScene): Promise<void>;
}

/** HELLO's numbers, of what pairs with each socket. */
const partnerNumbers: Readonly<Record<SocketName, number | undefined>> = {
  rep: undefined,
  pub: undefined,
  req: 2,
  sub: 3,
  pull: 5,
  push: 6,
};

/** What an attack has at hand: one transport, the victim's addresses, chance, and its links. */
export class AttackScene {
  readonly addresses: Addresses;
  readonly random: () => number;
  /** How long an attack without an end of its own goes on. */
  readonly forMs: number;
  readonly network: CampaignNetwork;
  readonly #links: HostileLink[] = [];
  readonly #transport: Transport;

  constructor(network: CampaignNetwork, addresses: Addresses, seed: number, forMs: number) {
    this.network = network;
    this.addresses = addresses;
    this.random = seededRandom(seed);
    this.forMs = forMs;
    this.#transport = transportOf(network);
  }

  get linkCount(): number {
    return this.#links.length;
  }

  /** A link on which nothing was said yet. */
  async dial(name: SocketName): Promise<HostileLink> {
    const link = await HostileLink.dial(this.#transport, this.addresses[name]);
    this.#links.push(link);
    return link;
  }

  /** Dials, and gives up when the signal aborts. */
  async dialUntil(name: SocketName, signal: AbortSignal): Promise<void> {
    await this.#transport.dial(this.addresses[name], signal).then(
      (link) => link.destroy(),
      () => {},
    );
  }

  async dialMany(name: SocketName, count: number): Promise<HostileLink[]> {
    return Promise.all(Array.from({ length: count }, () => this.dial(name)));
  }

  /** A link that was let in: that of somebody who has a token and means harm. */
  async enter(name: SocketName): Promise<HostileLink> {
    const link = await this.dial(name);
    link.write(auth("the bad token"));
    const number = partnerNumbers[name];
    await link.has(2);
    if (number === undefined) return link;
    link.send({ type: "hello", socketType: number, name: "mallory" });
    await link.has(7);
    return link;
  }

  async enterMany(name: SocketName, count: number): Promise<HostileLink[]> {
    return Promise.all(Array.from({ length: count }, () => this.enter(name)));
  }

  /** Random bytes. */
  noise(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => Math.floor(this.random() * 256));
  }

  /** Ends what is left. */
  leave(): void {
    for (const link of this.#links) link.destroy();
  }
}

/** An AUTH frame. */
export function auth(token: string): Uint8Array {
  return naiveEncode({ type: "auth", token: new TextEncoder().encode(token) });
}

/** A request. */
export function request(id: number, payload: Uint8Array, compression = 0): NaiveFrame {
  return { type: "request", id, compression, payload };
}

export function subscribe(topic: string): NaiveFrame {
  return { type: "subscribe", topic, timeMicros: 0 };
}

/** A message of a publisher. */
export function message(sequence: number, payload: Uint8Array, compression = 0): NaiveFrame {
  return { type: "message", topic: "bad.news", timeMicros: 0, sequence, compression, payload };
}

/** A job. */
export function job(sequence: number, payload: Uint8Array, compression = 0): NaiveFrame {
  return { type: "job", sequence, earlierDeliveries: 0, compression, payload };
}
