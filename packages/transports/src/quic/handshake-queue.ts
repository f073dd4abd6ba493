import type { Buffer } from "node:buffer";
import type { HostPort } from "./engine.ts";

/** So much of a turn of the event loop goes to handshakes; one takes some 0.5 ms. */
const turnMs = 2;

/** Some 3,000 first packets; what comes beside them is dropped, as the system would. */
const maxWaitingBytes = 4 * 1024 * 1024;

/** libuv hands over so many datagrams of a socket at most before all else has its turn. */
const batchDatagrams = 32;

interface Waiting {
  readonly datagram: Buffer;
  readonly from: HostPort;
}

/**
 * Datagrams of handshakes, until it is their turn.
 *
 * A handshake costs a signature and much more. If that were done as its datagrams arrive, the queue
 * of the system would run over when many peers come at once: under Linux it has 208 KiB by default,
 * some 90 first packets. What is lost there comes again after a second, then two, then four; and
 * what peers sent that have long been connected is lost with it. Here they are out of the way of
 * those.
 *
 * Who is in the middle of a handshake goes before who begins one: so few are under way.
 */
export class HandshakeQueue {
  readonly #hear: (datagram: Buffer, from: HostPort) => void;
  readonly #begun: Lane = new Lane();
  readonly #new: Lane = new Lane();
  #turn: NodeJS.Immediate | undefined;
  /** Since the last turn. */
  #arrived = 0;

  /** @param hear - is given one after the other. */
  constructor(hear: (datagram: Buffer, from: HostPort) => void) {
    this.#hear = hear;
  }

  /** Drops it when too many wait. @param isBegun - it is of a handshake that we take part in. */
  push(datagram: Buffer, from: HostPort, isBegun: boolean): void {
    if (this.#bytes + datagram.length > maxWaitingBytes) return;
    this.#arrived += 1;
    (isBegun ? this.#begun : this.#new).push({ datagram, from });
    this.#turn ??= setImmediate(() => this.#run());
  }

  /** Forgets all that wait. */
  clear(): void {
    clearImmediate(this.#turn);
    this.#turn = undefined;
    this.#begun.clear();
    this.#new.clear();
  }

  get #bytes(): number {
    return this.#begun.bytes + this.#new.bytes;
  }

  #run(): void {
    // What is heard may make others come, or clear the queue.
    this.#turn = setImmediate(() => this.#run());
    const isMoreThere = this.#arrived >= batchDatagrams;
    this.#arrived = 0;
    // First what the system has is to be out of its queue, unless that goes on for ever.
    if (isMoreThere && this.#bytes < maxWaitingBytes / 2) return;
    const endMs = performance.now() + turnMs;
    do {
      const waiting = this.#begun.take() ?? this.#new.take();
      if (waiting === undefined) {
        this.clear();
        return;
      }
      this.#hear(waiting.datagram, waiting.from);
    } while (performance.now() < endMs);
  }
}

/** First in, first out, without moving the rest for each that is taken. */
class Lane {
  #items: Waiting[] = [];
  #next = 0;
  bytes = 0;

  push(waiting: Waiting): void {
    this.#items.push(waiting);
    this.bytes += waiting.datagram.length;
  }

  take(): Waiting | undefined {
    const waiting = this.#items[this.#next];
    if (waiting === undefined) {
      if (this.#next > 0) this.clear();
      return undefined;
    }
    this.#next += 1;
    this.bytes -= waiting.datagram.length;
    // A queue that never runs empty is not to keep all that it ever had.
    if (this.#next >= 1_024) {
      this.#items.splice(0, this.#next);
      this.#next = 0;
    }
    return waiting;
  }

  clear(): void {
    this.#items = [];
    this.#next = 0;
    this.bytes = 0;
  }
}
