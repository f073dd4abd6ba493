import type { EngineStats } from "./engine.ts";

/** After so many datagrams, both ways, it is looked at what they were for. */
const datagramsPerLook = 512;

/** Of so many links that were closed unread what may have waited there is allowed for. */
const maxUnreadGone = 16;

/** What a link has moved. */
export interface LinkTraffic {
  readonly moves: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  /** Whether what arrives is read at once. */
  readonly isReading: boolean;
}

/** Watches what a connection is used for, and says when that is not its streams. */
export class TrafficBudget {
  readonly #streamWindowBytes: number;
  readonly #startedMs: number = performance.now();
  #sentDatagrams = 0;
  #datagramsSinceLook = 0;
  #pastMoves = 0;
  #pastReceivedBytes = 0;
  #pastSentBytes = 0;
  #unreadGone = 0;

  constructor(streamWindowBytes: number) {
    this.#streamWindowBytes = streamWindowBytes;
  }

  /** Whether {@link excessOf} should be asked: it costs too much for each datagram. */
  get isLookDue(): boolean {
    return this.#datagramsSinceLook >= datagramsPerLook;
  }

  onReceived(): void {
    this.#datagramsSinceLook += 1;
  }

  onSent(): void {
    this.#datagramsSinceLook += 1;
    this.#sentDatagrams += 1;
  }

  /** What it moved counts on: the engine counts by connection. */
  onLinkGone({ moves, receivedBytes, sentBytes, isReading }: LinkTraffic): void {
    if (!isReading && this.#unreadGone < maxUnreadGone) this.#unreadGone += 1;
    this.#pastMoves += moves;
    this.#pastReceivedBytes += receivedBytes;
    this.#pastSentBytes += sentBytes;
  }

  /** What the peer did that its streams do not explain; `undefined` when all is well. */
  excessOf(
    links: Iterable<LinkTraffic>,
    stats: Pick<EngineStats, "receivedPackets" | "receivedBytes">,
  ): string | undefined {
    this.#datagramsSinceLook = 0;
    let moves = this.#pastMoves;
    let streamBytesReceived = this.#pastReceivedBytes;
    let streamBytesSent = this.#pastSentBytes;
    let unreadBytes = this.#unreadGone * this.#streamWindowBytes;
    for (const link of links) {
      moves += link.moves;
      streamBytesReceived += link.receivedBytes;
      streamBytesSent += link.sentBytes;
      if (!link.isReading) unreadBytes += this.#streamWindowBytes;
    }
    return overBudget({
      receivedPackets: stats.receivedPackets,
      receivedBytes: stats.receivedBytes,
      sentDatagrams: this.#sentDatagrams,
      moves,
      streamBytesReceived,
      streamBytesSent,
      unreadBytes,
      ageMs: performance.now() - this.#startedMs,
    });
  }
}

/**
 * What a connection has moved so far. A move is one read or write of a stream that moved something.
 */
export interface Traffic {
  /** Packets of the peer that were encrypted by it. */
  readonly receivedPackets: number;
  readonly receivedBytes: number;
  readonly sentDatagrams: number;
  readonly moves: number;
  readonly streamBytesReceived: number;
  readonly streamBytesSent: number;
  /** What may have arrived on streams that are not read from now, or were not to their end. */
  readonly unreadBytes: number;
  readonly ageMs: number;
}

/** A connection that does nothing for its streams may have so many datagrams, of both ends. */
const freeDatagrams = 4_096;
/** Far more than acknowledgements, losses and duplicates come to for each datagram with data. */
const datagramsPerMove = 16;
/** Signs of life, and probes of the path. */
const datagramsPerSecond = 256;
/** At least so much is in a datagram that is full. */
const fullDatagramBytes = 1_200;

const freeBytes = 8 * 1024 * 1024;
/** Headers, acknowledgements and updates of windows. */
const overheadBytes = 100;
/** Losses and duplicates: each byte may come three times. */
const copies = 2;
/** Probes of the path: what fills them is nothing. */
const bytesPerSecond = 2_048;

/**
 * Whether a peer causes more traffic, or has sent more, than its streams explain. The engine keeps
 * what comes beside streams without a bound, and answers it without a bound (CVE-2024-1765,
 * CVE-2023-6193: SECURITY.md), and nobody else sees it.
 *
 * @returns what it did, for an error message; `undefined` when all is well.
 */
export function overBudget(traffic: Traffic): string | undefined {
  const { moves, streamBytesReceived, streamBytesSent, unreadBytes } = traffic;
  const seconds = traffic.ageMs / 1_000;
  const streamBytes = streamBytesReceived + streamBytesSent + unreadBytes;
  const datagrams = traffic.receivedPackets + traffic.sentDatagrams;
  const explained = datagramsPerMove * (moves + streamBytes / fullDatagramBytes);
  if (datagrams > freeDatagrams + explained + datagramsPerSecond * seconds) {
    return `caused ${datagrams} datagrams for ${moves} reads and writes of its streams`;
  }
  const { receivedBytes, receivedPackets } = traffic;
  const beside = receivedBytes - overheadBytes * receivedPackets - streamBytesReceived;
  const allowed = freeBytes + unreadBytes + copies * streamBytesReceived + bytesPerSecond * seconds;
  if (beside <= allowed) return undefined;
  return `sent ${beside} bytes beside ${streamBytesReceived} bytes of its streams`;
}
