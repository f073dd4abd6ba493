import type { Link, LinkHandlers, Runtime, TimerHandle } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import type { LineEnd } from "./fault-line.ts";
import { FaultLine } from "./fault-line.ts";
import type { LinkFaults, LinkSide } from "./fault-plan.ts";

/** A direction of a link, as its end sees it. */
export type Direction = "outgoing" | "incoming";

const spoilt = 0xdd;

/** Memory for a receiver that has none to offer after all. */
const spareBytes = 65_536;

/**
 * One end of a link to which things happen.
 *
 * As long as no fault touches a direction its bytes go through untouched, by reference. Else they
 * pass a {@link FaultLine}. It keeps the contract of a link, except where a fault is named as
 * breaking it.
 */
export class FaultLink implements Link {
  readonly number: number;
  readonly side: LinkSide;
  readonly #inner: Link;
  readonly #runtime: Runtime;
  readonly #faults: LinkFaults;
  readonly #onGone: () => void;
  readonly #outgoing: FaultLine;
  readonly #incoming: FaultLine;
  #handlers: LinkHandlers | undefined;
  /** Given to `write`, not taken: the writer's memory. */
  #untaken: Uint8Array[] = [];
  #untakenBytes = 0;
  #isDrainOwed = false;
  #drainTimer: TimerHandle;
  #isDraining = false;
  /** The inner link has bytes that it did not take. */
  #isInnerBusy = false;
  /** Some of those are the writer's own memory. */
  #isInnerLent = false;
  #isReading = true;
  #isInnerReading = true;
  #hasEnded = false;
  #hasToldEnd = false;
  #isDark = false;
  #isDestroyed = false;
  #isInnerClosed = false;
  #innerReason: MsgError | undefined;
  #cutReason: MsgError | undefined;
  #isClosing = false;

  /** @param onGone - it is closed. */
  constructor(
    inner: Link,
    number: number,
    side: LinkSide,
    runtime: Runtime,
    faults: LinkFaults | undefined,
    onGone: () => void,
  ) {
    this.#inner = inner;
    this.number = number;
    this.side = side;
    this.#runtime = runtime;
    this.#faults = faults ?? {};
    this.#onGone = onGone;
    this.#outgoing = new FaultLine(runtime, faults?.outgoing, this.#outgoingEnd());
    this.#incoming = new FaultLine(runtime, faults?.incoming, this.#incomingEnd());
  }

  get remoteAddress(): string {
    return this.#inner.remoteAddress;
  }

  get certificate(): unknown {
    return this.#inner.certificate;
  }

  get bufferedBytes(): number {
    return this.#untakenBytes + (this.#isInnerLent ? this.#inner.bufferedBytes : 0);
  }

  start(handlers: LinkHandlers): void {
    this.#handlers = handlers;
    const inner: LinkHandlers = {
      onData: (chunk) => this.#onData(chunk),
      onDrain: () => this.#onInnerDrain(),
      onEnd: () => this.#onInnerEnd(),
      onClose: (reason) => this.#onInnerClose(reason),
    };
    if (handlers.nextBuffer !== undefined) inner.nextBuffer = () => nextBufferOf(handlers);
    this.#inner.start(inner);
    const reason = this.#cutReason;
    this.#cutReason = undefined;
    if (reason !== undefined) this.cut(reason);
    this.#outgoing.start();
    this.#incoming.start();
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (this.#hasEnded || this.#isOver) return true;
    if (!this.#outgoing.isInUse && this.#untaken.length === 0) {
      const isTaken = this.#inner.write(chunks);
      if (!isTaken) this.#isInnerBusy = this.#isInnerLent = this.#isDrainOwed = true;
      return isTaken;
    }
    for (const chunk of chunks) {
      if (chunk.length === 0) continue;
      this.#untaken.push(chunk);
      this.#untakenBytes += chunk.length;
    }
    this.#takeUntaken();
    if (this.#untaken.length > 0) this.#isDrainOwed = true;
    return this.#untaken.length === 0 && !this.#isInnerLent;
  }

  setReading(reading: boolean): void {
    this.#isReading = reading;
    this.#adjustInnerReading();
    this.#incoming.wake();
    this.#closeIfDone();
  }

  end(): void {
    if (this.#hasEnded || this.#isOver) return;
    this.#hasEnded = true;
    if (this.#untaken.length > 0) return;
    if (this.#outgoing.isInUse) this.#outgoing.pushEnd();
    else this.#inner.end();
  }

  destroy(): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    this.#forget();
    this.#inner.destroy();
    // One that is never started tells nobody.
    if (this.#handlers === undefined) this.#onGone();
    else if (this.#isInnerClosed) this.#close();
  }

  /**
   * Breaks it, at the latest when it is started: this end is told with `reason`, the other one as
   * its transport does.
   */
  cut(reason: MsgError = new MsgError("MSG_PEER_LOST", "link was cut")): void {
    if (this.#isOver) return;
    this.#cutReason = reason;
    if (this.#handlers === undefined) return;
    this.#isDark = false;
    this.#forget();
    if (this.#isInnerClosed) this.#close();
    else this.#inner.destroy();
  }

  /** Nothing moves in a direction any more, and its writer is held up, until {@link release}. */
  hold(direction: Direction): void {
    this.#lineOf(direction).hold();
  }

  /** Ends {@link hold}. */
  release(direction: Direction): void {
    this.#lineOf(direction).release();
  }

  /** From now on a direction loses everything, its end too, and nobody is told. */
  drop(direction: Direction): void {
    this.#lineOf(direction).drop();
    if (direction === "outgoing") this.#takeUntaken();
  }

  /**
   * Half-open: nothing passes either way, and this end is told of nothing that the other one does,
   * until it is destroyed or cut. Where both ends are to be in the dark, call it at both.
   */
  goDark(): void {
    this.drop("outgoing");
    this.drop("incoming");
    this.#isDark = true;
  }

  /** True once a direction loses what passes: what a host finds out by keep-alive probes. */
  get isLossy(): boolean {
    return this.#isDark || this.#outgoing.isDropping || this.#incoming.isDropping;
  }

  /** True when one of its faults ends it, holds it or loses bytes, sooner or later. */
  get isDoomed(): boolean {
    const { outgoing, incoming } = this.#faults;
    return this.isLossy || outgoing?.afterBytes !== undefined || incoming?.afterBytes !== undefined;
  }

  /** True behind {@link goDark}. */
  get isDark(): boolean {
    return this.#isDark;
  }

  get #isOver(): boolean {
    return this.#isDestroyed || this.#cutReason !== undefined || this.#isClosing;
  }

  #lineOf(direction: Direction): FaultLine {
    return direction === "outgoing" ? this.#outgoing : this.#incoming;
  }

  // --- Outgoing ----------------------------------------------------------------------------------

  #outgoingEnd(): LineEnd {
    const isFree = (): boolean => !this.#isInnerBusy;
    return {
      get takesBytes() {
        return isFree();
      },
      onBytes: (bytes) => {
        this.#isInnerBusy = !this.#inner.write([bytes]);
        return bytes.length;
      },
      onEnd: () => this.#inner.end(),
      onFate: (fate) => {
        if (fate === "reset") this.cut();
        else if (!this.#isOver) {
          this.#inner.end();
          this.#takeUntaken();
        }
      },
      onRoom: () => this.#takeUntaken(),
    };
  }

  /** Copies what there is room for out of the writer's memory. */
  #takeUntaken(): void {
    if (this.#isInnerLent) return;
    for (let first = this.#untaken[0]; first !== undefined; first = this.#untaken[0]) {
      const { room } = this.#outgoing;
      if (room <= 0) return;
      const taken = Math.min(room, first.length);
      this.#outgoing.push(first.subarray(0, taken));
      this.#untakenBytes -= taken;
      if (taken === first.length) this.#untaken.shift();
      else this.#untaken[0] = first.subarray(taken);
    }
    if (this.#hasEnded) this.#outgoing.pushEnd();
    if (this.#isDrainOwed) this.#tellDrainLater();
  }

  #onInnerDrain(): void {
    this.#isInnerBusy = this.#isInnerLent = false;
    if (!this.#outgoing.isInUse && this.#faults.drainDelayMs === undefined) {
      this.#tellDrain();
      return;
    }
    this.#outgoing.wake();
    this.#takeUntaken();
  }

  #tellDrainLater(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    const { drainDelayMs = 0 } = this.#faults;
    const tell = (): void => {
      this.#isDraining = false;
      this.#tellDrain();
    };
    if (drainDelayMs > 0) this.#drainTimer = this.#runtime.setTimer(tell, drainDelayMs);
    else this.#runtime.nextTurn(tell);
  }

  #tellDrain(): void {
    if (!this.#isDrainOwed || this.bufferedBytes > 0 || this.#isOver) return;
    this.#isDrainOwed = false;
    this.#handlers?.onDrain();
  }

  // --- Incoming ----------------------------------------------------------------------------------

  #incomingEnd(): LineEnd {
    const isReading = (): boolean => this.#isReading;
    return {
      get takesBytes() {
        return isReading();
      },
      onBytes: (bytes) => this.#deliver(bytes),
      onEnd: () => this.#tellEnd(),
      onFate: (fate) => {
        if (fate === "reset") this.cut();
        else this.#tellEnd();
      },
      onRoom: () => {
        this.#adjustInnerReading();
        this.#closeIfDone();
      },
    };
  }

  #onData(chunk: Uint8Array): void {
    if (this.#isOver) return;
    if (!this.#incoming.isInUse) {
      this.#handlers?.onData(chunk);
      return;
    }
    this.#incoming.push(chunk);
    this.#adjustInnerReading();
  }

  /** Into memory of the receiver's where it offers some, as links do, and spoils what it offers next. */
  #deliver(bytes: Uint8Array): number {
    const handlers = this.#handlers;
    if (handlers === undefined) return bytes.length;
    const offered = handlers.nextBuffer?.();
    if (offered === undefined) {
      handlers.onData(new Uint8Array(bytes));
      return bytes.length;
    }
    const length = Math.min(offered.length, bytes.length);
    offered.set(length === bytes.length ? bytes : bytes.subarray(0, length));
    handlers.onData(offered.subarray(0, length));
    if (this.#handlers !== undefined) this.#handlers.nextBuffer?.().fill(spoilt, 0, length);
    return length;
  }

  #adjustInnerReading(): void {
    if (this.#isOver || this.#isInnerClosed) return;
    const reading = this.#incoming.isInUse ? this.#incoming.room > 0 : this.#isReading;
    if (reading === this.#isInnerReading) return;
    this.#isInnerReading = reading;
    this.#inner.setReading(reading);
  }

  #onInnerEnd(): void {
    if (this.#isOver || this.#isDark) return;
    if (this.#incoming.isInUse) this.#incoming.pushEnd();
    else this.#tellEnd();
  }

  #tellEnd(): void {
    if (this.#isOver || this.#hasToldEnd) return;
    this.#hasToldEnd = true;
    this.#handlers?.onEnd();
    this.#closeIfDone();
  }

  // --- The end -----------------------------------------------------------------------------------

  #onInnerClose(reason: MsgError | undefined): void {
    this.#isInnerClosed = true;
    this.#innerReason = reason;
    if (this.#isDark && !this.#isOver) return;
    if (this.#isOver || reason !== undefined) this.#close();
    else this.#closeIfDone();
  }

  /** Both sides ended in order: what came before is told first. */
  #closeIfDone(): void {
    if (!this.#isInnerClosed || this.#isDark || !this.#incoming.isEmpty) return;
    this.#close();
  }

  #forget(): void {
    this.#outgoing.drop();
    this.#incoming.drop();
    this.#untaken = [];
    this.#untakenBytes = 0;
    this.#isInnerLent = false;
    this.#runtime.clearTimer(this.#drainTimer);
  }

  #close(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#forget();
    const { closeDelayMs = 0 } = this.#faults;
    const tell = (): void => this.#tellClose();
    if (closeDelayMs > 0) this.#runtime.setTimer(tell, closeDelayMs);
    else this.#runtime.nextTurn(tell);
  }

  #tellClose(): void {
    const handlers = this.#handlers;
    this.#handlers = undefined;
    this.#onGone();
    const reason = this.#cutReason ?? (this.#isDestroyed ? undefined : this.#innerReason);
    handlers?.onClose(reason);
    if (this.#faults.closesTwice !== true) return;
    this.#runtime.nextTurn(() => {
      handlers?.onEnd();
      handlers?.onClose(reason);
    });
  }
}

function nextBufferOf(handlers: LinkHandlers): Uint8Array {
  return handlers.nextBuffer?.() ?? new Uint8Array(spareBytes);
}
