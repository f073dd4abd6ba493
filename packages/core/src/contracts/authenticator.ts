import type { MsgError } from "../errors.ts";

/** What is known of a peer once it was let in; anything the authenticator chose to say. */
export interface Claims {
  /** Who the peer is. The only identity to base a decision on. */
  readonly identity?: string;
  readonly [claim: string]: unknown;
}

/** One remote, as messages and events show it. */
export interface PeerInfo {
  /** Unique in this process; a reconnected peer has a new one. */
  readonly id: number;
  /** Where it is, in its transport's words. */
  readonly address: string;
  /** Which transport and wire reached it, such as `tcp` and `msg`. */
  readonly transport: string;
  /** The endpoint of ours it belongs to: what was given to `connect` or `bind`. */
  readonly endpoint: string;
  /** What it calls itself, unverified: never use it to decide anything. */
  readonly name: string;
  /** Who it is, as our authenticator or hook said; absent when neither did. */
  readonly identity?: string;
  /** Everything our authenticator or hook said of it. */
  readonly claims: Claims;
  /** The certificate it proved to have, on transports that know of such. */
  readonly certificate?: unknown;
}

/** What is known of a peer before it was let in. */
export interface CandidatePeer {
  readonly address: string;
  readonly transport: string;
  readonly certificate?: unknown;
}

/** What an {@link Authenticator} is asked. */
export interface AuthRequest {
  /** The token as sent, at most 4 KiB; over another wire what its mechanism proves the peer by. */
  readonly token: Uint8Array;
  /** How the peer proves who it is, where that is not a token: such as `PLAIN` or `CURVE`. */
  readonly mechanism?: string | undefined;
  /** The name that the peer gave, where the mechanism has one. */
  readonly username?: string | undefined;
  readonly peer: CandidatePeer;
  /** Aborts when the handshake's deadline passes or the peer goes. */
  readonly signal: AbortSignal;
}

/**
 * Decides on the accepting side whether a token lets a peer in.
 *
 * False refuses. True or claims let it in; the claims are on every message's `peer`. A throw
 * refuses too and is reported as the event `refused` with code `MSG_AUTH_FAILED`.
 */
export type Authenticator = (request: AuthRequest) => boolean | Claims | Promise<boolean | Claims>;

/** A token, or a function that is asked for one at each (re)connect. */
export type AuthToken =
  | string
  | Uint8Array
  | (() => string | Uint8Array | Promise<string | Uint8Array>);

/** Says what it means that a peer ends its connection now, such as that it dislikes what we said. */
export type ExplainEnd = (lost: MsgError) => MsgError;

/**
 * The raw bytes of a connection that is not let in yet.
 *
 * Bytes it did not read are the first input of the protocol. At most 8 KiB wait there, then
 * reading from the peer stops until some were read.
 */
export interface HandshakeLink {
  readonly peer: CandidatePeer;
  /** True on the side that dialed. */
  readonly isDialer: boolean;
  /** Aborts when the handshake's deadline passes, the peer goes, or the socket closes. */
  readonly signal: AbortSignal;
  /**
   * Takes exactly `length` bytes (0 to 8,192), waiting for them.
   *
   * Rejects with `MSG_PEER_LOST` at the end of the stream, `MSG_HANDSHAKE_TIMEOUT` at the deadline.
   *
   * @param explain - says what the end of the stream means at this point, where it means something;
   *   the connection then ends for that reason.
   */
  read(length: number, explain?: ExplainEnd): Promise<Uint8Array>;
  /** Looks at the next `length` bytes without taking them. Rejects as {@link read}. */
  peek(length: number): Promise<Uint8Array>;
  /** Sends bytes in one write. */
  write(bytes: Uint8Array | string): void;
}

/**
 * Owns a new connection until it says yes, on either side: challenge-response, a ticket, anything.
 * Returns claims about the peer, or nothing. A throw refuses the peer, which sees its connection
 * end: a hook that wants the other side to know why writes its own verdict first.
 */
export interface ConnectionHook {
  (link: HandshakeLink): Promise<Claims | void>;
  /**
   * True when the accepting side writes first. Such a hook is refused, at `bind` and `connect`, on
   * a transport whose dialer must.
   *
   * @defaultValue false
   */
  readonly acceptorSpeaksFirst?: boolean;
}

/**
 * Compares two tokens in a time that does not depend on where they differ.
 *
 * @example
 * ```ts
 * const authenticator = ({ token }) => tokensEqual(token, process.env.TOKEN);
 * ```
 */
export function tokensEqual(left: Uint8Array | string, right: Uint8Array | string): boolean {
  const encoder = new TextEncoder();
  const a = typeof left === "string" ? encoder.encode(left) : left;
  const b = typeof right === "string" ? encoder.encode(right) : right;
  // The loop always runs over `a`, what the peer sent, so that its time says nothing about `b`.
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) {
    difference |= (a[i] ?? 0) ^ (b[b.length === 0 ? 0 : i % b.length] ?? 0);
  }
  return difference === 0;
}
