import type { PeerInfo } from "../../contracts/authenticator.ts";
import { Message } from "../message.ts";

/** A message that was subscribed to. */
export class TopicMessage<T = Uint8Array> extends Message<T> {
  readonly topic: string;
  /**
   * When it was published, by the publisher's clock: microseconds since 1970. A publisher of ours
   * looks at it once a tick, and again after every 64 messages.
   */
  readonly timestampMicros: number;
  /**
   * Its number on this connection, over all topics: from 0, +1 for each message that matched, also
   * for those that were lost; wraps at 2^32.
   */
  readonly sequence: number;

  /** @internal */
  constructor(
    topic: string,
    timestampMicros: number,
    sequence: number,
    payload: Uint8Array,
    peer: PeerInfo,
  ) {
    super(payload, peer);
    this.topic = topic;
    this.timestampMicros = timestampMicros;
    this.sequence = sequence;
  }
}
