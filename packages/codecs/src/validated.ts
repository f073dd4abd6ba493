import type { Codec } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { shortened, shownPath } from "./path.ts";

/**
 * Makes a codec whose received values were checked by a schema, and are what the schema made of
 * them. What is sent is encoded unchecked.
 *
 * @param schema - of any library that follows Standard Schema, version 1, and synchronous.
 * @throws MsgError `MSG_INVALID_OPTION` when `schema` is no Standard Schema, or says that it is
 *   asynchronous. When used: `MSG_INVALID_VALUE` for a value that does not fit, naming the first
 *   three places, and when the schema itself throws; `MSG_DECODE_FAILED` when it answers later.
 *
 * @example
 * ```ts
 * const quotes = validated(json(), z.object({ symbol: z.string(), bid: z.number() }));
 * ```
 */
export function validated<Sent, Schema extends StandardSchemaV1>(
  codec: Codec<Sent, unknown>,
  schema: Schema,
): Codec<Sent, StandardSchemaV1.InferOutput<Schema>> {
  const { name } = codec;
  checkSchema(name, schema);
  return {
    name,
    encode: (value) => codec.encode(value),
    decode: (payload) => validate(name, schema, codec.decode(payload)),
  };
}

function checkSchema(name: string, schema: unknown): void {
  if (!isStandardSchema(schema)) {
    const text = `${name} schema must follow Standard Schema, version 1 (https://standardschema.dev)`;
    throw new MsgError("MSG_INVALID_OPTION", text);
  }
  // The standard has no word for it; Valibot has.
  if ("async" in schema && schema.async === true) {
    throw new MsgError("MSG_INVALID_OPTION", `${name} schema is asynchronous: ${whatToDo}`);
  }
}

function isStandardSchema(schema: unknown): schema is StandardSchemaV1 {
  const isHolder = typeof schema === "function" || (typeof schema === "object" && schema !== null);
  if (!isHolder || !("~standard" in schema)) return false;
  const standard = schema["~standard"] as Partial<StandardSchemaV1.Props> | null | undefined;
  return standard?.version === 1 && typeof standard.validate === "function";
}

const whatToDo = "payloads are decoded at once, validate in the handler instead";

function validate<Output>(
  name: string,
  schema: StandardSchemaV1<unknown, Output>,
  value: unknown,
): Output {
  const result = resultOf(name, schema, value);
  if (isPromiseLike(result)) {
    // Nobody waits for it, and nobody handles its rejection otherwise.
    Promise.resolve(result).catch(() => {});
    // Zod tries again, asynchronously, also after an error.
    const text = `${name} schema gave a promise, as it is asynchronous or threw: ${whatToDo}`;
    throw new MsgError("MSG_DECODE_FAILED", text);
  }
  if (!result.issues) return result.value;
  const text = `${name} value does not fit the schema: ${shownIssues(result.issues)}`;
  throw new MsgError("MSG_INVALID_VALUE", text);
}

function resultOf<Output>(
  name: string,
  schema: StandardSchemaV1<unknown, Output>,
  value: unknown,
): StandardSchemaV1.Result<Output> | Promise<StandardSchemaV1.Result<Output>> {
  try {
    return schema["~standard"].validate(value);
  } catch (cause) {
    throw new MsgError("MSG_INVALID_VALUE", `${name} schema threw on a value`, { cause });
  }
}

function isPromiseLike(result: object): result is PromiseLike<unknown> {
  return "then" in result && typeof result.then === "function";
}

const maxIssues = 3;
const maxReasonLength = 160;

function shownIssues(issues: readonly StandardSchemaV1.Issue[]): string {
  const shown = issues.slice(0, maxIssues).map(({ path = [], message }) => {
    const keys = path.map((part) => (typeof part === "object" ? part.key : part));
    const reason = shortened(message, maxReasonLength);
    return keys.length === 0 ? reason : `${shownPath(keys)}: ${reason}`;
  });
  const rest = issues.length - maxIssues;
  return rest > 0 ? `${shown.join("; ")}; and ${rest} more` : shown.join("; ");
}
