import type { Runtime, TimerHandle } from "@msg-ts/core";
import type { DirectionFaults, Fate } from "./fault-plan.ts";

/** Where what passes a {@link FaultLine} comes out. Called in a turn of its own, never inside a call. */
export interface LineEnd {
  /** Whether it would take more now; when that changes, it calls {@link FaultLine.wake}. */
  readonly takesBytes: boolean;
  /** Takes the beginning of `bytes`, at least one; gives how many. */
  onBytes(bytes: Uint8Array): number;
  /** Nothing more comes out; what was before has. */
  onEnd(): void;
  /** The limit in bytes was reached, and is no `hold` or `drop`. */
  onFate(fate: "reset" | "end"): void;
  /** There is more room in the line. */
  onRoom(): void;
}

interface Part {
  bytes: Uint8Array;
  readonly dueMs: number;
}

const defaultCapacityBytes = 64 * 1024;

/** Bytes under way in one direction, in memory of their own. */
export class FaultLine {
  readonly #runtime: Runtime;
  readonly #faults: DirectionFaults;
  readonly #end: LineEnd;
  #parts: Part[] = [];
  #lastDueMs = 0;
  /** How many more bytes pass before {@link DirectionFaults.fate}. */
  #bytesLeft: number;
  #fate: Fate | undefined;
  #isHeld = false;
  #isScheduled = false;
  #timer: TimerHandle;
  #endState: "open" | "due" | "told" = "open";
  /** Bytes in it. */
  bytes = 0;

  constructor(runtime: Runtime, faults: DirectionFaults | undefined, end: LineEnd) {
    this.#runtime = runtime;
    this.#faults = faults ?? {};
    this.#end = end;
    this.isFaulty = Object.keys(this.#faults).length > 0;
    this.#bytesLeft = this.#faults.afterBytes ?? Infinity;
  }

  /** Its link is started: what is to happen before the first byte may happen. */
  start(): void {
    this.#checkFate();
  }

  /** Whether its faults ask for everything to go through it. */
  readonly isFaulty: boolean;

  /** Whether bytes have to go through it, to keep their order or to suffer. */
  get isInUse(): boolean {
    return this.isFaulty || this.#isHeld || this.#fate !== undefined || !this.isEmpty;
  }

  get isEmpty(): boolean {
    return this.#parts.length === 0 && this.#endState !== "due";
  }

  /** How many more bytes it takes. What is lost never fills it. */
  get room(): number {
    if (this.isDropping) return Infinity;
    return Math.max(0, (this.#faults.capacityBytes ?? defaultCapacityBytes) - this.bytes);
  }

  get isDropping(): boolean {
    return this.#fate === "drop" || this.#fate === "end" || this.#fate === "reset";
  }

  /** Copies bytes in. */
  push(bytes: Uint8Array): void {
    if (this.isDropping || bytes.length === 0) return;
    const { delayMs = 0 } = this.#faults;
    const dueMs = this.#runtime.now() + valueOf(delayMs);
    this.#lastDueMs = Math.max(this.#lastDueMs, dueMs);
    this.#parts.push({ bytes: new Uint8Array(bytes), dueMs: this.#lastDueMs });
    this.bytes += bytes.length;
    this.wake();
  }

  /** Ends the direction, behind what is in it. */
  pushEnd(): void {
    if (this.#endState !== "open" || this.isDropping) return;
    this.#endState = "due";
    this.wake();
  }

  hold(): void {
    this.#isHeld = true;
  }

  /** Ends every hold. */
  release(): void {
    this.#isHeld = false;
    if (this.#fate === "hold") this.#fate = undefined;
    this.wake();
  }

  /** From now on everything is taken and lost, the end too. */
  drop(): void {
    this.#fate = "drop";
    this.clear();
  }

  /** Forgets what is in it. */
  clear(): void {
    this.#parts = [];
    this.bytes = 0;
    if (this.#endState === "due") this.#endState = "open";
    this.#runtime.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  /** Moves on, when there is anything to move and somebody to take it. */
  wake(): void {
    if (this.#isScheduled || this.#timer !== undefined || !this.#canMove) return;
    const waitMs = (this.#parts[0]?.dueMs ?? this.#lastDueMs) - this.#runtime.now();
    if (waitMs > 0) {
      this.#timer = this.#runtime.setTimer(() => {
        this.#timer = undefined;
        this.#move();
      }, waitMs);
    } else this.#moveAfter(valueOf(this.#faults.extraTurns ?? 0));
  }

  #moveAfter(extraTurns: number): void {
    this.#isScheduled = true;
    this.#runtime.nextTurn(() => {
      this.#isScheduled = false;
      if (extraTurns > 0) this.#moveAfter(extraTurns - 1);
      else this.#move();
    });
  }

  get #canMove(): boolean {
    if (this.#isHeld || this.#fate !== undefined) return false;
    return this.#parts.length > 0 ? this.#end.takesBytes : this.#endState === "due";
  }

  #move(): void {
    if (!this.#canMove) return;
    const [first] = this.#parts;
    if (first === undefined) {
      this.#endState = "told";
      this.#end.onEnd();
      return;
    }
    const { pieceBytes = Infinity } = this.#faults;
    const most = Math.min(Math.max(1, valueOf(pieceBytes)), this.#bytesLeft);
    const { bytes } = first;
    // Taken out before it is told: who takes it may clear the line.
    this.#parts.shift();
    const taken = this.#end.onBytes(bytes.length > most ? bytes.subarray(0, most) : bytes);
    this.#bytesLeft -= taken;
    this.bytes = Math.max(0, this.bytes - taken);
    if (taken < bytes.length && !this.isDropping && this.bytes > 0) {
      this.#parts.unshift({ bytes: bytes.subarray(taken), dueMs: first.dueMs });
    }
    this.#checkFate();
    this.#end.onRoom();
    this.wake();
  }

  #checkFate(): void {
    if (this.#bytesLeft > 0 || this.#fate !== undefined) return;
    const { fate = "reset" } = this.#faults;
    this.#fate = fate;
    // Once: what is released goes on for good.
    this.#bytesLeft = Infinity;
    if (fate === "hold") return;
    this.clear();
    if (fate !== "drop") this.#runtime.nextTurn(() => this.#end.onFate(fate));
  }
}

function valueOf(value: number | (() => number)): number {
  return typeof value === "function" ? value() : value;
}
