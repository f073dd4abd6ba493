/** Turns values into payloads. */
export interface Encoder<T> {
  /** Its format, for people, such as `cbor`. */
  readonly name: string;

  /**
   * Gives the bytes of a value, at once. They are sent by reference and must not change afterwards.
   *
   * Whatever it throws becomes the cause of a `MSG_ENCODE_FAILED`, thrown by the call that sends;
   * a `MsgError` is passed on as it is.
   */
  readonly encode: (value: T) => Uint8Array;
}

/** Turns payloads into values. */
export interface Decoder<T> {
  /** Its format, for people, such as `cbor`. */
  readonly name: string;

  /**
   * Gives the value of a payload, at once. It never changes the payload.
   *
   * Payloads come from outside: it must end in time and memory that follow their length. Whatever
   * it throws becomes the cause of a `MSG_DECODE_FAILED` of that one message; a `MsgError` is
   * passed on as it is.
   */
  decode(payload: Uint8Array): T;
}

/**
 * One format of payloads, both ways: the option `codec` of a socket.
 *
 * @typeParam Sent - what may be sent.
 * @typeParam Received - what is received; the same, as a rule.
 */
export interface Codec<Sent, Received = Sent> extends Encoder<Sent>, Decoder<Received> {}
