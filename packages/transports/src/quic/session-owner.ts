import type { MsgError } from "@msg-ts/core";
import type { EngineConnection, HostPort } from "./engine.ts";
import type { QuicSession } from "./quic-session.ts";
import type { Rounds } from "./rounds.ts";
import type { SessionTimes } from "./session-clock.ts";
import type { StreamLink } from "./stream-link.ts";

/** How a session is set up: the same object for all of one kind. */
export interface SessionOptions extends SessionTimes {
  /** Several links share it, and both ends speak of them on control streams. */
  readonly isShared: boolean;
  readonly streamWindowBytes: number;
  readonly rounds: Rounds;
}

/** What one session stands on. */
export interface SessionBase {
  readonly connection: EngineConnection;
  readonly remoteAddress: string;
  /** The largest datagrams to be tried. */
  readonly maxDatagramBytes: number;
}

/** Who holds a session: the end that dials, or the one that listens. */
export interface SessionOwner {
  /**
   * Sends the beginning of what {@link scratchFor} gave. False when no more should be sent now: the
   * network does not take it.
   */
  transmit(length: number, to: HostPort): boolean;
  /** Memory for the next datagram. */
  scratchFor(bytes: number): Uint8Array;
  /** The handshake is done. Gives why the peer is not accepted. */
  onEstablished(session: QuicSession): MsgError | undefined;
  /** The peer opened a link. False when nobody wants it. */
  onLink(session: QuicSession, link: StreamLink): boolean;
  /** The last link is gone. Gives what that link waits for before it is told to be closed. */
  onUnused(session: QuicSession): Promise<void> | undefined;
  /** The peer takes no more links. */
  onGoAway(session: QuicSession): void;
  /** What was sent was not answered in time, so often in a row. */
  onSilence(timeouts: number): void;
  /** Once, last. @param reason - absent when it ended in order. */
  onOver(session: QuicSession, reason: MsgError | undefined): void;
}
