/** What every path carries (RFC 9000, section 14). */
const minBytes = 1_200;

/**
 * What is tried, the largest that is allowed first: what an engine can make, jumbo frames, Ethernet,
 * and what tunnels leave of it.
 */
const sizes: readonly number[] = [16_383, 8_952, 1_452, 1_400, 1_350, 1_280];

/** Losses happen: a size that was lost so often, or whose fate remained open, is given up. */
const maxLost = 2;
const maxOpen = 16;

/** A probe is judged by what came back since: soon on a busy connection, later on an idle one. */
const busyPackets = 32;
const busyAnswers = 4;
const busyWaitMs = 15;
const idleWaitMs = 150;

/** Lost datagrams that came to less than this share of full ones leave open which they were. */
const hidingShare = 0.85;

/** After so many timeouts in a row without an answer the path is taken to have changed. */
const blackHoleTimeouts = 3;

/** How long a path that lost large datagrams is left alone. */
const restMs = 60_000;

/** What of a connection a path is judged by. */
export interface PathStats {
  readonly receivedPackets: number;
  readonly lostPackets: number;
  readonly lostBytes: number;
  readonly roundTripMs: number;
}

interface Probe {
  readonly bytes: number;
  readonly atMs: number;
  readonly receivedPackets: number;
  readonly lostPackets: number;
  readonly lostBytes: number;
  sentSince: number;
}

/**
 * Finds how large the datagrams of a connection may be (RFC 8899), because the engine does not.
 *
 * The probes are datagrams that have to be sent anyway, made larger: one that is lost costs what any
 * lost datagram costs, and a connection that has little to say is not probed.
 */
export class PathMtu {
  readonly #maxBytes: number;
  #bytes: number = minBytes;
  #isStarted = false;
  #untried: number[];
  #lost = 0;
  #open = 0;
  #probe: Probe | undefined;
  #timeouts = 0;
  #restUntilMs = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#untried = this.#allSizes();
  }

  /** How large datagrams are that are known to get through. */
  get bytes(): number {
    return this.#bytes;
  }

  get isProbing(): boolean {
    return this.#probe !== undefined;
  }

  /** How large the next datagram may be made. */
  get nextBytes(): number {
    if (this.#probe !== undefined || !this.#isStarted) return this.#bytes;
    return this.#untried[0] ?? this.#bytes;
  }

  /** The handshake is done, and its last datagrams are sent: the engine fills those up. */
  start(): void {
    this.#isStarted = true;
  }

  /** A datagram was sent that is larger than {@link bytes}. */
  onProbe(bytes: number, stats: PathStats, now: number): void {
    const { receivedPackets, lostPackets, lostBytes } = stats;
    this.#probe = { bytes, atMs: now, receivedPackets, lostPackets, lostBytes, sentSince: 0 };
  }

  /** Datagrams were sent since. */
  onSent(count: number): void {
    if (this.#probe !== undefined) this.#probe.sentSince += count;
  }

  /** Something came: judges the probe, if it can be judged. */
  onReceived(stats: PathStats, now: number): void {
    const probe = this.#probe;
    if (probe === undefined) return;
    const lost = stats.lostPackets - probe.lostPackets;
    const lostBytes = stats.lostBytes - probe.lostBytes;
    // Then one of them was larger than all but the probe are.
    if (lostBytes > lost * this.#bytes) return this.#onFailed(maxLost);
    const waitedMs = now - probe.atMs;
    const answers = stats.receivedPackets - probe.receivedPackets;
    const isBusy = probe.sentSince >= busyPackets && answers >= busyAnswers;
    const waitMs = isBusy ? stats.roundTripMs * 3 + busyWaitMs : stats.roundTripMs * 2 + idleWaitMs;
    if (answers === 0 || waitedMs < waitMs) return;
    // Some were smaller than they might have been, and could hide that the probe was among them.
    if (lost > 0 && lostBytes < lost * this.#bytes * hidingShare) return this.#onFailed(maxOpen);
    this.#probe = undefined;
    this.#lost = 0;
    this.#open = 0;
    this.#bytes = Math.max(this.#bytes, probe.bytes);
    // Smaller ones need no proof any more.
    this.#untried = this.#untried.filter((bytes) => bytes > this.#bytes);
  }

  /** Anything at all came from the peer. */
  onAnswer(now: number): void {
    this.#timeouts = 0;
    if (this.#restUntilMs === 0 || now < this.#restUntilMs) return;
    this.#restUntilMs = 0;
    this.#untried = this.#allSizes();
  }

  /** What was sent was not answered in time. */
  onTimeout(now: number): void {
    if (this.#bytes === minBytes && this.#probe === undefined) return;
    this.#timeouts += 1;
    if (this.#timeouts < blackHoleTimeouts) return;
    this.#timeouts = 0;
    this.#probe = undefined;
    this.#bytes = minBytes;
    this.#untried = [];
    this.#restUntilMs = now + restMs;
  }

  /** Tries again, or, after so many times of this kind, the next smaller size. */
  #onFailed(max: typeof maxLost | typeof maxOpen): void {
    this.#probe = undefined;
    const count = max === maxLost ? ++this.#lost : ++this.#open;
    if (count < max) return;
    this.#lost = 0;
    this.#open = 0;
    this.#untried.shift();
  }

  #allSizes(): number[] {
    const allowed = sizes.filter((bytes) => bytes < this.#maxBytes);
    return this.#maxBytes > minBytes ? [this.#maxBytes, ...allowed] : [];
  }
}
