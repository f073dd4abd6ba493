import type { Buffer } from "node:buffer";
import type { DatagramFaults, ResolvedDatagramFaults } from "./datagram-faults.ts";
import { resolveDatagramFaults } from "./datagram-faults.ts";

/**
 * What a {@link DatagramPipe} did, in datagrams. When nothing waits,
 * `received + duplicated = sent + lost + blocked + overflowed`.
 */
export interface DatagramCounts {
  readonly received: number;
  readonly receivedBytes: number;
  /** Given on, duplicates and damaged ones too. */
  readonly sent: number;
  readonly sentBytes: number;
  readonly lost: number;
  /** Dropped while the way was blocked. */
  readonly blocked: number;
  /** Dropped because the queue in front of the wire was full. */
  readonly overflowed: number;
  readonly duplicated: number;
  /** Overtaken by at least one other. */
  readonly reordered: number;
  readonly corrupted: number;
}

/** Where datagrams of a pipe go; those with the same route keep their order. */
export interface DatagramRoute {
  send(datagram: Buffer): void;
}

/** What a pipe does with everything: carries it, drops it, or holds it back for later. */
type PipeState = "open" | "blocked" | "stalled";

interface Held {
  readonly route: DatagramRoute;
  readonly datagram: Buffer;
  readonly untilMs: number;
  passesLeft: number;
  isOvertaken: boolean;
}

interface Waiting {
  readonly route: DatagramRoute;
  readonly datagram: Buffer;
  readonly dueMs: number;
}

/** When nothing overtakes it by then, a held datagram goes on: its loss is not what was asked for. */
const longestHoldMs = 20;

const zeroCounts = {
  received: 0,
  receivedBytes: 0,
  sent: 0,
  sentBytes: 0,
  lost: 0,
  blocked: 0,
  overflowed: 0,
  duplicated: 0,
  reordered: 0,
  corrupted: 0,
};

/**
 * One way of a network: datagrams go in, and come out late, damaged, twice, out of order or not at
 * all, by seeded chance. For each datagram the choices are made in one order: blocked, lost,
 * corrupted, duplicated, reordered, then the wire's rate and delay.
 */
export class DatagramPipe {
  readonly #random: () => number;
  readonly #counts = { ...zeroCounts };
  #faults: ResolvedDatagramFaults = resolveDatagramFaults({});
  #state: PipeState = "open";
  #held: Held[] = [];
  /** In the order in which they leave: delays never change it. */
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  /** When the wire has carried all it was given. */
  #wireFreeMs = 0;
  #lastDueMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #timerDueMs = Infinity;

  constructor(random: () => number) {
    this.#random = random;
  }

  get counts(): DatagramCounts {
    return { ...this.#counts };
  }

  /** Datagrams that are under way in here. */
  get waitingCount(): number {
    return this.#held.length + this.#waiting.length;
  }

  /** From now on; what is under way keeps its delay. Faults that are not named are off. */
  setFaults(faults: DatagramFaults): void {
    this.#faults = resolveDatagramFaults(faults);
  }

  /** Drops everything that comes, until {@link open}. */
  block(): void {
    this.#state = "blocked";
  }

  /** Keeps everything back, up to `queueBytes`, until {@link open}. */
  stall(): void {
    this.#state = "stalled";
  }

  /** Ends {@link block} and {@link stall}; what was kept back leaves now. */
  open(): void {
    this.#state = "open";
    this.#leave();
  }

  /** Drops what is under way, uncounted, and stops. */
  close(): void {
    clearTimeout(this.#timer);
    this.#state = "blocked";
    this.#held = [];
    this.#waiting = [];
  }

  /** Takes one datagram, which is the pipe's from now on. */
  push(datagram: Buffer, route: DatagramRoute): void {
    const counts = this.#counts;
    counts.received += 1;
    counts.receivedBytes += datagram.length;
    if (this.#state === "blocked") counts.blocked += 1;
    else if (this.#happens(this.#faults.lossPercent)) counts.lost += 1;
    else this.#admit(datagram, route);
    if (this.#held.length > 0) this.#schedule();
  }

  #admit(datagram: Buffer, route: DatagramRoute): void {
    if (this.#happens(this.#faults.corruptPercent)) this.#corrupt(datagram);
    const isTwice = this.#happens(this.#faults.duplicatePercent);
    if (isTwice) this.#counts.duplicated += 1;
    if (this.#happens(this.#faults.reorderPercent)) this.#hold(datagram, route);
    else this.#passOne(datagram, route);
    if (isTwice) this.#passOne(datagram, route);
  }

  #happens(percent: number): boolean {
    return percent > 0 && this.#random() * 100 < percent;
  }

  #corrupt(datagram: Buffer): void {
    if (datagram.length === 0) return;
    this.#counts.corrupted += 1;
    const flips = 1 + Math.floor(this.#random() * 8);
    const seen = new Set<number>();
    while (seen.size < Math.min(flips, datagram.length * 8)) {
      const bit = Math.floor(this.#random() * datagram.length * 8);
      if (seen.has(bit)) continue;
      seen.add(bit);
      datagram[bit >> 3] = (datagram[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    }
  }

  #hold(datagram: Buffer, route: DatagramRoute): void {
    const untilMs = performance.now() + longestHoldMs;
    const passesLeft = this.#faults.overtakenBy;
    this.#held.push({ route, datagram, untilMs, passesLeft, isOvertaken: false });
  }

  /** Onto the wire, past what is held of the same route. */
  #passOne(datagram: Buffer, route: DatagramRoute): void {
    this.#ontoWire(datagram, route);
    if (this.#held.length === 0) return;
    for (const held of this.#held) {
      if (held.route !== route) continue;
      held.passesLeft -= 1;
      held.isOvertaken = true;
    }
    this.#release((held) => held.passesLeft <= 0);
  }

  #release(isDue: (held: Held) => boolean): void {
    const due = this.#held.filter(isDue);
    if (due.length === 0) return;
    this.#held = this.#held.filter((held) => !due.includes(held));
    for (const { datagram, route, isOvertaken } of due) {
      if (isOvertaken) this.#counts.reordered += 1;
      this.#ontoWire(datagram, route);
    }
  }

  #ontoWire(datagram: Buffer, route: DatagramRoute): void {
    const { delayMs, jitterMs, bytesPerSecond, queueBytes } = this.#faults;
    const isStraight = delayMs === 0 && jitterMs === 0 && bytesPerSecond === Infinity;
    if (isStraight && this.#state === "open" && this.#waiting.length === 0) {
      this.#send(datagram, route);
      return;
    }
    const nowMs = performance.now();
    const startMs = Math.max(nowMs, this.#wireFreeMs);
    const isFull =
      (startMs - nowMs) * (bytesPerSecond / 1_000) > queueBytes ||
      (this.#state === "stalled" && this.#waitingBytes + datagram.length > queueBytes);
    if (isFull) {
      this.#counts.overflowed += 1;
      return;
    }
    this.#wireFreeMs = startMs + (datagram.length / bytesPerSecond) * 1_000;
    const jitter = jitterMs === 0 ? 0 : this.#random() * jitterMs;
    this.#lastDueMs = Math.max(this.#lastDueMs, this.#wireFreeMs + delayMs + jitter);
    this.#waiting.push({ route, datagram, dueMs: this.#lastDueMs });
    this.#waitingBytes += datagram.length;
    this.#schedule();
  }

  #send(datagram: Buffer, route: DatagramRoute): void {
    this.#counts.sent += 1;
    this.#counts.sentBytes += datagram.length;
    route.send(datagram);
  }

  /** Lets go what is due. */
  #leave(): void {
    const nowMs = performance.now();
    this.#release((held) => held.untilMs <= nowMs);
    if (this.#state !== "stalled") this.#sendDue(nowMs);
    this.#schedule();
  }

  #sendDue(nowMs: number): void {
    let count = 0;
    for (const { dueMs, datagram, route } of this.#waiting) {
      // Timers have whole milliseconds: half of one early is nearer than half of one late.
      if (dueMs > nowMs + 0.5) break;
      count += 1;
      this.#waitingBytes -= datagram.length;
      this.#send(datagram, route);
    }
    if (count > 0) this.#waiting.splice(0, count);
  }

  #schedule(): void {
    const wireMs = this.#state === "stalled" ? Infinity : (this.#waiting[0]?.dueMs ?? Infinity);
    const dueMs = Math.min(wireMs, this.#held[0]?.untilMs ?? Infinity);
    if (dueMs === Infinity || (this.#timer !== undefined && this.#timerDueMs <= dueMs)) return;
    clearTimeout(this.#timer);
    this.#timerDueMs = dueMs;
    const onTimer = (): void => {
      this.#timer = undefined;
      this.#leave();
    };
    this.#timer = setTimeout(onTimer, Math.max(0, Math.round(dueMs - performance.now())));
  }
}
