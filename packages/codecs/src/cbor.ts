import type { Codec } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { CborCheck } from "./cbor-check.ts";
import type { CborLimits, ResolvedCborLimits } from "./cbor-limits.ts";
import { resolveCborLimits } from "./cbor-limits.ts";
import { checkCborValue } from "./cbor-value.ts";
import { readCbor, writeCbor } from "./cbor-x.ts";
import { validated } from "./validated.ts";

/** How {@link cbor} works. */
export interface CborOptions<Received = unknown> extends CborLimits {
  /**
   * What received values must fit; they become what the schema makes of them. Any schema that
   * follows Standard Schema, version 1, and is synchronous.
   *
   * @defaultValue none: whatever arrives is taken to be of the type that the application names
   */
  readonly schema?: StandardSchemaV1<unknown, Received> | undefined;
}

/**
 * Makes the codec `cbor`: RFC 8949, written and read by cbor-x behind checks of this package's own.
 *
 * The limits hold for what is sent as for what is received, so that one end refuses to send what
 * the other, with the same options, would refuse to read.
 *
 * @throws MsgError `MSG_INVALID_OPTION`, naming the option and its limits. When used:
 *   `MSG_ENCODE_FAILED` for a value that is no data or over a limit, naming where in the value;
 *   `MSG_DECODE_FAILED` for a payload that is not CBOR, not safe to read, or over a limit;
 *   `MSG_INVALID_VALUE` for a value that does not fit the schema.
 *
 * @example
 * ```ts
 * const sub = new SubSocket<Quote>(new Tcp(), { codec: cbor({ schema: quoteSchema }) });
 * ```
 */
export function cbor<Schema extends StandardSchemaV1, Sent = StandardSchemaV1.InferInput<Schema>>(
  options: CborOptions & { readonly schema: Schema },
): Codec<Sent, StandardSchemaV1.InferOutput<Schema>>;
export function cbor<Received = unknown, Sent = Received>(
  options?: CborOptions<Received>,
): Codec<Sent, Received>;
export function cbor(options: CborOptions = {}): Codec<unknown> {
  const limits = resolveCborLimits(options);
  const check = new CborCheck(limits);
  const codec: Codec<unknown> = {
    name: "cbor",
    encode: (value) => encode(value, limits),
    decode: (payload) => decode(payload, check),
  };
  return options.schema === undefined ? codec : validated(codec, options.schema);
}

function encode(value: unknown, limits: ResolvedCborLimits): Uint8Array {
  try {
    checkCborValue(value, limits);
    return writeCbor(value);
  } catch (error) {
    throw MsgError.from(error, "MSG_ENCODE_FAILED", "cbor could not encode a value");
  }
}

/** Tag 55799 in front of a payload says that it is CBOR, and nothing else. */
const selfDescribedBytes = 3;

function decode(payload: Uint8Array, check: CborCheck): unknown {
  try {
    const isMarked = payload[0] === 0xd9 && payload[1] === 0xd9 && payload[2] === 0xf7;
    const start = isMarked ? selfDescribedBytes : 0;
    return readCbor(payload, start, check.run(payload, start));
  } catch (error) {
    throw MsgError.from(error, "MSG_DECODE_FAILED", "cbor could not decode a payload");
  }
}
