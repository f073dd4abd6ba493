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
