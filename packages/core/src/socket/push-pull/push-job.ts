import type { WirePayload } from "../../wire/compression.ts";
import type { Linked } from "../linked-queue.ts";
import { emptyBytes } from "../../bytes.ts";
import type { TimerHandle } from "../../runtime.ts";

/** Of every job that nobody has refused: one array for all. */
const nobody: readonly never[] = [];

/** The `send()` that waits until its job is given to a PULL. */
export interface WaitingSend {
  resolve(): void;
  reject(error: Error): void;
  readonly signal: AbortSignal | undefined;
  readonly onAbort: () => void;
  /** Its deadline, when it has one. */
  readonly timer: TimerHandle;
}

/**
 * One job from `send()` to its end.
 *
 * It is in exactly one place: among the waiting sends, in the ring of one PULL, or among those that
 * came back.
 */
export class PushJob<Target> implements Linked<PushJob<Target>> {
  /** As the application gave it. */
  payload: Uint8Array;
  /** Bytes of the payload, also when that is let go. */
  readonly bytes: number;
  /** In its wire form; `undefined` while it is being compressed. */
  wire: WirePayload | undefined;
  /** How often a PULL got it without acknowledging it. */
  earlierDeliveries = 0;
  /** Where it ends in what its PULL's connection was given: beyond what was sent, it never left. */
  endsAtByte = 0;
  /** Who refused it since its last back-off. */
  refusedBy: readonly Target[] = nobody;
  /** How many back-offs it had. */
  backOffs = 0;
  /** When whoever refused it may get it again. */
  dueAtMs = 0;
  waiting: WaitingSend | undefined;
  previousInQueue: PushJob<Target> | undefined;
  nextInQueue: PushJob<Target> | undefined;
  inQueue: object | undefined;

  constructor(payload: Uint8Array, wire: WirePayload | undefined) {
    this.payload = payload;
    this.bytes = payload.length;
    this.wire = wire;
  }

  /** A job whose payload goes out as it is. */
  static ofPlain<Target>(payload: Uint8Array): PushJob<Target> {
    return new PushJob(payload, { compression: 0, bytes: payload });
  }

  /** Lets the payload go: at most once needs no copy of what was written. */
  forgetPayload(): void {
    this.payload = emptyBytes;
    this.wire = undefined;
  }
}
