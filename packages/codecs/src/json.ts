import type { Codec } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { checkJsonItems } from "./json-items.ts";
import type { ItemLimits } from "./limits.ts";
import { resolveMaxItems } from "./limits.ts";
import { validated } from "./validated.ts";

/** How {@link json} works. */
export interface JsonOptions<Received = unknown> extends ItemLimits {
  /**
   * What received values must fit; they become what the schema makes of them. Any schema that
   * follows Standard Schema, version 1, and is synchronous.
   *
   * @defaultValue none: whatever arrives is taken to be of the type that the application names
   */
  readonly schema?: StandardSchemaV1<unknown, Received> | undefined;
}

const encoder = new TextEncoder();
/** Drops a byte order mark: RFC 8259 forbids to write one, and allows to ignore it. */
const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * Makes the codec `json`: RFC 8259, as `JSON.stringify` and `JSON.parse` know it.
 *
 * @throws MsgError `MSG_INVALID_OPTION`, naming the option and its limits. When used:
 *   `MSG_ENCODE_FAILED` for what JSON has no form for, such as a bigint or a value that contains
 *   itself; `MSG_DECODE_FAILED` for a payload that is no JSON, or over a limit; `MSG_INVALID_VALUE`
 *   for one that does not fit the schema.
 *
 * @example
 * ```ts
 * const sub = new SubSocket<Quote>(new Tcp(), { codec: json({ schema: quoteSchema }) });
 * ```
 */
export function json<Schema extends StandardSchemaV1, Sent = StandardSchemaV1.InferInput<Schema>>(
  options: JsonOptions & { readonly schema: Schema },
): Codec<Sent, StandardSchemaV1.InferOutput<Schema>>;
export function json<Received = unknown, Sent = Received>(
  options?: JsonOptions<Received>,
): Codec<Sent, Received>;
export function json(options: JsonOptions = {}): Codec<unknown> {
  const maxItems = resolveMaxItems("json", options.maxItems);
  const codec: Codec<unknown> = {
    name: "json",
    encode: (value) => encode(value, maxItems),
    decode: (payload) => decode(payload, maxItems),
  };
  return options.schema === undefined ? codec : validated(codec, options.schema);
}

function encode(value: unknown, maxItems: number): Uint8Array {
  const payload = encoder.encode(stringified(value));
  checkJsonItems(payload, maxItems, "MSG_ENCODE_FAILED");
  return payload;
}

function stringified(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    throw new MsgError("MSG_ENCODE_FAILED", "json cannot encode a value", { cause });
  }
  if (text !== undefined) return text;
  throw new MsgError("MSG_ENCODE_FAILED", `json has no form for ${typeof value}`);
}

function decode(payload: Uint8Array, maxItems: number): unknown {
  checkJsonItems(payload, maxItems, "MSG_DECODE_FAILED");
  const text = decodedText(payload);
  try {
    return JSON.parse(text);
  } catch (error) {
    // Not as the cause: it quotes the payload.
    const message = `json payload of ${payload.length} bytes is not JSON: ${reason(error)}`;
    throw new MsgError("MSG_DECODE_FAILED", message);
  }
}

function decodedText(payload: Uint8Array): string {
  try {
    return decoder.decode(payload);
  } catch (cause) {
    const message = `json payload of ${payload.length} bytes is not UTF-8`;
    throw new MsgError("MSG_DECODE_FAILED", message, { cause });
  }
}

/** What `JSON.parse` says, without the piece of text that it quotes. */
function reason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/, (?:\.\.\.)?".*$/s, "");
}
