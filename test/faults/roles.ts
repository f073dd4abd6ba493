import type { Network } from "./network.ts";

/** What is published. */
export const feedTopic = "feed.all";

/** Where the server's sockets are. */
export interface Addresses {
  readonly rep: string;
  readonly pull: string;
  readonly pub: string;
}

/** What is published, and how fast. */
export interface Feed {
  readonly burst: number;
  readonly everyMs: number;
  readonly bytes: number;
}

/** What a server is started with. */
export interface ServerSettings {
  readonly network: Network;
  readonly epoch: number;
  readonly addresses: Addresses;
  readonly logFile: string;
  readonly payloadBytes: number;
  readonly feed: Feed;
}

/** What a client is started with. */
export interface ClientSettings extends ServerSettings {
  readonly requests: {
    readonly atATime: number;
    /** How long each asker rests behind an answer. */
    readonly everyMs: number;
    readonly timeoutMs: number;
  };
  readonly handshakeTimeoutMs: number;
  /** Dials this name instead of the address in the endpoints; the order `resolve` says where it is. */
  readonly hostName?: string | undefined;
}

/** What a name stands for: addresses, or what goes wrong. */
export type Resolution = readonly string[] | "fails" | "hangs";

/** What a stranger is: a program that has nothing to do with us. */
export type StrangerKind = "mute" | "http" | "tls" | "udp";

/** What a stranger is started with. */
export interface StrangerSettings {
  readonly kind: StrangerKind;
  readonly addresses: readonly string[];
  readonly certificate: Network["certificate"];
}

/** What a process is started with that only connects. */
export interface CrowdSettings {
  readonly network: Network;
  readonly address: string;
  readonly epoch: number;
  readonly logFile: string;
  readonly payloadBytes: number;
}

/** What callers did. */
export interface CallsReport {
  readonly sent: number;
  readonly answered: number;
  readonly seconds: number;
  /** The longest time from dialing to an answer. */
  readonly slowestMs: number;
  readonly rejections: Readonly<Record<string, number>>;
}

/** What a PUSH that is never killed is started with. */
export interface PusherSettings {
  readonly network: Network;
  readonly address: string;
  readonly payloadBytes: number;
}

/** What a worker is started with that may be killed at any time. */
export interface PullerSettings {
  readonly network: Network;
  readonly address: string;
  readonly effectsFile: string;
  readonly attemptsFile: string;
}
