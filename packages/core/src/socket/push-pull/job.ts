import type { PeerInfo } from "../../contracts/authenticator.ts";
import { Message } from "../message.ts";

/** Who tells the PUSH what became of a job. Both give false when the PUSH cannot be told any more. */
export interface JobSettler {
  /** True for jobs that were acknowledged when they came: it is too late to give one back. */
  readonly isTooLate?: boolean;
  acknowledge(sequence: number): boolean;
  refuse(sequence: number, payload: Uint8Array): boolean;
}

/** A job that came in: the PUSH keeps it until it is settled here. */
export class Job<T = Uint8Array> extends Message<T> {
  /** How often it was given to a PULL, this time included; the wire counts up to 16. */
  readonly deliveryCount: number;
  /** @internal */
  readonly sequence: number;
  /** Absent once it is settled. */
  #settler: JobSettler | undefined;

  /** @internal */
  constructor(
    payload: Uint8Array,
    peer: PeerInfo,
    deliveryCount: number,
    sequence: number,
    settler: JobSettler | undefined,
  ) {
    super(payload, peer);
    this.deliveryCount = deliveryCount;
    this.sequence = sequence;
    this.#settler = settler;
  }

  /** @internal Whether it is still to be settled. */
  get isUnsettled(): boolean {
    return this.#settler !== undefined && this.#settler.isTooLate !== true;
  }

  /**
   * Says that it is done: the PUSH may forget it.
   *
   * @returns false when it was settled before, or its PUSH is gone and gives it to somebody again.
   *   True is no proof: the connection may end before the PUSH hears of it.
   */
  ack(): boolean {
    const settler = this.#settler;
    this.#settler = undefined;
    return settler !== undefined && settler.acknowledge(this.sequence);
  }

  /**
   * Gives it back: the PUSH gives it to another PULL, or to this one after a while.
   *
   * One that was acknowledged when it came (`delivery: "at-most-once"`, or a wire that cannot give
   * back, as ZeroMQ's) is lost: the event `dropped` tells.
   *
   * @returns as {@link ack}.
   */
  nack(): boolean {
    const settler = this.#settler;
    this.#settler = undefined;
    return settler !== undefined && settler.refuse(this.sequence, this.payload);
  }
}
