import type { Metadata } from "./wire/metadata.ts";
import type { Cipher } from "./wire/frame-writer.ts";

/** What a handshake found out. */
export interface Session {
  /** 0: subscriptions are messages; 1: they are commands. */
  readonly minor: 0 | 1;
  /** What the peer says it is; undefined when it says nothing. */
  readonly peerType: string | undefined;
  /** What the peer wants to be known by; empty when it leaves that to us. Nothing proves it. */
  readonly identity: Uint8Array;
  /** All properties of the peer, by names in lower case. */
  readonly metadata: Metadata;
  readonly cipher: Cipher | undefined;
}
