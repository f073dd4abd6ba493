import { describe } from "../bytes.ts";
import type { Codec, Decoder, Encoder } from "../contracts/codec.ts";
import { MsgError } from "../errors.ts";
import { checkMethods } from "../option-checks.ts";
import { raw } from "../raw-codec.ts";
import type { Message } from "./message.ts";

/** The option of a socket that says what its payloads mean. */
export interface CodecOption<Used> {
  /**
   * Turns what is sent into payloads, and payloads into `message.value`.
   *
   * @defaultValue raw(): bytes, or text sent as UTF-8
   */
  readonly codec?: Used | undefined;
}

/** The options of a socket of typed values. */
export type WithCodec<Options, Used> = Options & { readonly codec: Used };

/** The arguments behind the transport: a socket of anything but bytes must be given its codec. */
export type OptionsWithout<Options, Used> =
  Codec<string | Uint8Array, Uint8Array> extends Used
    ? [options?: Options & CodecOption<Used>]
    : [options: WithCodec<Options, Used>];

/** A codec as a socket uses it: every failure is one of this library's errors. */
export class ValueCodec {
  readonly #encoder: Encoder<unknown>;
  readonly #isRawEncoder: boolean;
  /** Absent where values are the payloads themselves. */
  readonly #decoder: Decoder<unknown> | undefined;

  /** @throws MsgError `MSG_INVALID_OPTION` unless it has the methods that the socket needs. */
  constructor(codec: unknown, methods: readonly ("encode" | "decode")[]) {
    const used = (codec ?? raw()) as Codec<unknown>;
    checkMethods("codec", used, methods);
    this.#encoder = used;
    this.#isRawEncoder = used === raw();
    this.#decoder = codec === undefined || codec === raw() ? undefined : used;
  }

  /** Whether {@link decode} does anything. */
  get isRaw(): boolean {
    return this.#decoder === undefined;
  }

  /**
   * The payload of a value.
   *
   * @throws MsgError `MSG_ENCODE_FAILED`, or what the codec throws of this library's errors.
   */
  encode(value: unknown): Uint8Array {
    // What nearly everybody sends, without a call and a handler (bench scenario: push-pull).
    if (this.#isRawEncoder && value instanceof Uint8Array) return value;
    let payload: unknown;
    try {
      payload = this.#encoder.encode(value);
    } catch (error) {
      const text = `codec ${this.#encoder.name} could not encode a value`;
      throw MsgError.from(error, "MSG_ENCODE_FAILED", text);
    }
    if (payload instanceof Uint8Array) return payload;
    const text = `codec ${this.#encoder.name} gave ${describe(payload)}, must be a Uint8Array`;
    throw new MsgError("MSG_ENCODE_FAILED", text);
  }

  /** Gives a message its value; or the error when its payload has none. */
  decode(message: Message<unknown>): MsgError | undefined {
    const decoder = this.#decoder;
    if (decoder === undefined) return undefined;
    try {
      message.setValue(decoder.decode(message.payload));
      return undefined;
    } catch (error) {
      const text = `codec ${decoder.name} could not decode a payload of ${message.payload.length} bytes`;
      return MsgError.from(error, "MSG_DECODE_FAILED", text);
    }
  }
}
