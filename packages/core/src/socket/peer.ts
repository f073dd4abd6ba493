import type { PeerInfo } from "../contracts/authenticator.ts";
import type { FrameDecoder } from "../contracts/protocol.ts";
import type { Connection } from "../connection/connection.ts";
import type { MsgError } from "../errors.ts";

/** How long the other half of a connection that the peer ended may take to go. */
const endLingerMs = 1_000;

/** One remote as its pattern sees it: what it hears is the sink of its wire. */
export abstract class Peer {
  readonly info: PeerInfo;
  readonly connection: Connection;
  /** What reads its frames. */
  abstract readonly decoder: FrameDecoder;
  /** False until the socket was told of it, and after it was told of its end. */
  isReady = false;

  constructor(info: PeerInfo, connection: Connection) {
    this.info = info;
    this.connection = connection;
  }

  /** There is room in the outbox again, after it was seen full. */
  onDrain(): void {}

  /** The tick ends: what waited for it is written now. */
  onBeforeFlush(): void {}

  /** The transport took everything that was handed to it. */
  onTaken(): void {}

  /** The peer ended its side. A pattern that owes it something closes later. */
  onPeerEnded(): void {
    this.connection.close(endLingerMs);
  }

  /** Ends the connection for what the peer did. */
  fail(error: MsgError): void {
    this.connection.destroy(error);
  }
}
