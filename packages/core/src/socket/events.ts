import type { PeerInfo } from "../contracts/authenticator.ts";
import type { MsgError } from "../errors.ts";

/** Why something the application gave, or would have got, is gone. */
export type DropReason =
  /** PUB: a subscriber's queue was full. */
  | "slow-subscriber"
  /** PUB: it waited for a subscriber whose connection ended. */
  | "lost-subscriber"
  /** PUB: nobody had subscribed to it. Counted, no event. */
  | "no-subscriber"
  /** REP: the peer that asked is gone, or its time to be answered had passed. */
  | "late-reply"
  /** REP: the peer does not read its replies. It gets an error reply instead. */
  | "unread-replies"
  /** REQ: a reply that nobody waits for any more. */
  | "unexpected-reply"
  /** Any receiver: a payload could not be decompressed or decoded. */
  | "unreadable"
  /** PUSH: delivered `maxDeliveries` times, never acknowledged. The event carries the job. */
  | "undeliverable"
  /**
   * PUSH and PULL, at most once: the job's connection ended, or its PULL refused it, before it was
   * settled; or the PULL closed before anybody took it, or its consumer threw or gave it back, which
   * the event of a PULL carries the job for. Over ZeroMQ's wire a PULL has no other delivery.
   */
  | "lost-job"
  /** REP and PUB: a request or a subscription that `authorize` does not allow. */
  | "forbidden"
  /** PUB: a frame that is no subscription, or a subscription over the limit. */
  | "ignored-frame"
  /** ROUTER: no peer is known by that name. */
  | "unroutable"
  /** ROUTER: the peer does not read fast enough. */
  | "slow-peer"
  /** A socket with `conflate`: a newer message took its place. Counted, no event. */
  | "conflated";

/** What a drop is told with; everything but the reason may be left out. */
export interface DropDetails {
  readonly peer?: PeerInfo | undefined;
  readonly count?: number;
  readonly error?: MsgError;
  readonly payload?: Uint8Array | undefined;
}

/** What a socket could not deliver when it closed. */
export interface CloseReport {
  /** Messages accepted that did not reach the transport. */
  readonly unsent: number;
  /** PUSH: jobs sent that no PULL acknowledged. REQ: requests sent that nobody answered. */
  readonly unacknowledged: number;
}

/** What a socket tells of itself, by event name. */
export interface SocketEvents {
  /** It listens. */
  readonly listening: { readonly endpoint: string };
  /** A peer finished its handshake. */
  readonly connected: { readonly peer: PeerInfo };
  /**
   * A peer is gone; `reason` is absent when the end looked orderly, as that of a process that is
   * killed does over TCP and IPC.
   */
  readonly disconnected: { readonly peer: PeerInfo; readonly reason: MsgError | undefined };
  /** This socket drains; or, with `peer`, that one does, and gets nothing new. */
  readonly draining: { readonly peer: PeerInfo | undefined };
  /** An endpoint is dialed again in `delayMs`. `attempt` tries in a row failed: 0 after a loss. */
  readonly retrying: {
    readonly endpoint: string;
    readonly attempt: number;
    readonly delayMs: number;
    readonly error: MsgError;
  };
  /** A handshake came to nothing, on either side: a wrong token, type, protocol, or a limit. */
  readonly refused: {
    readonly endpoint: string;
    readonly address: string;
    readonly error: MsgError;
  };
  /**
   * SUB: messages of this publisher were lost. `lost` is their exact number, or `undefined` when
   * the connection was lost and nobody can know.
   */
  readonly gap: { readonly peer: PeerInfo; readonly lost: number | undefined };
  /** Something was not delivered. One event may stand for several: `count`. */
  readonly dropped: {
    readonly reason: DropReason;
    readonly count: number;
    readonly peer: PeerInfo | undefined;
    readonly error: MsgError | undefined;
    /** The payload, where it is at hand. Not enumerable: who prints the event does not print it. */
    readonly payload: Uint8Array | undefined;
  };
  /** The socket is closed; nothing follows. */
  readonly closed: CloseReport;
  /** Something failed that no call could report: a handler that threw, an endpoint given up. */
  readonly error: { readonly error: MsgError };
}
