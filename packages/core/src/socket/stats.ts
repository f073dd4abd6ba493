import type { DropReason } from "./events.ts";
import type { TrafficCounters } from "./endpoints.ts";

/** What every socket counts, since it was made. */
export interface SocketStats {
  /** Peers connected now. */
  readonly peers: number;
  /** Bytes given to and taken from the transport, framing included. */
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** Messages given to a connection, and messages received. */
  readonly messagesSent: number;
  readonly messagesReceived: number;
  /** Payload bytes of what was sent, before and after compression. */
  readonly payloadBytesSent: number;
  readonly compressedBytesSent: number;
  /** Peers that came and went, attempts that failed, handshakes that came to nothing. */
  readonly connects: number;
  readonly disconnects: number;
  readonly retries: number;
  readonly refused: number;
  /** Not delivered, by reason; reasons that never occurred are absent. */
  readonly dropped: Readonly<Partial<Record<DropReason, number>>>;
}

/** What a socket counts of its messages; plain fields, changed on the hot path. */
export class MessageCounters {
  sent = 0;
  received = 0;
  payloadBytesSent = 0;
  compressedBytesSent = 0;

  /** One message was given to a connection, or (PUB) published. */
  onSent(payloadBytes: number, wireBytes: number): void {
    this.sent++;
    this.payloadBytesSent += payloadBytes;
    this.compressedBytesSent += wireBytes;
  }
}

/** Puts together what all sockets report. */
export function socketStats(
  peers: number,
  traffic: TrafficCounters,
  messages: MessageCounters,
  drops: ReadonlyMap<DropReason, number> | undefined,
): SocketStats {
  const { bytesSent, bytesReceived, connects, disconnects, retries, refused } = traffic;
  return {
    peers,
    bytesSent,
    bytesReceived,
    messagesSent: messages.sent,
    messagesReceived: messages.received,
    payloadBytesSent: messages.payloadBytesSent,
    compressedBytesSent: messages.compressedBytesSent,
    connects,
    disconnects,
    retries,
    refused,
    dropped: Object.fromEntries(drops ?? []),
  };
}
