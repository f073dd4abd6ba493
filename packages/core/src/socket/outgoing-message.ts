import type { OutgoingMessage } from "../contracts/protocol.ts";

/** One published message, shared by all its subscribers. */
export class PublishedMessage implements OutgoingMessage {
  readonly topic: string;
  readonly timestampMicros: number;
  readonly compression: number;
  readonly payload: Uint8Array;
  #protocol: object | undefined;
  #encoded: Uint8Array | undefined;

  constructor(topic: string, timestampMicros: number, compression: number, payload: Uint8Array) {
    this.topic = topic;
    this.timestampMicros = timestampMicros;
    this.compression = compression;
    this.payload = payload;
  }

  /** Remembers one protocol's form: a publisher rarely speaks more than one. */
  encodedFor(protocol: object, encode: (message: OutgoingMessage) => Uint8Array): Uint8Array {
    if (this.#encoded !== undefined && this.#protocol === protocol) return this.#encoded;
    const encoded = encode(this);
    this.#encoded = encoded;
    this.#protocol = protocol;
    return encoded;
  }
}
