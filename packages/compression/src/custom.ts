import type { Compressor } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import { guarded } from "./guarded.ts";
import { checkWhole } from "./options.ts";
import { compressFailed, decompressFailed, isOverLimit, tooLarge, trimmed } from "./results.ts";

/** An algorithm of the application's own. */
export interface CustomOptions {
  /** Its number on the wire, 5 or 6: the two that no standard algorithm has. Same on both ends. */
  readonly id: 5 | 6;

  /**
   * Its name, for people: it is in messages of errors.
   *
   * @defaultValue `custom`
   */
  readonly name?: string | undefined;

  /**
   * Gives the compressed bytes, at once or later, and at least one. Never changes `payload`, which
   * does not change either until the result is there. Off the main thread if it takes long.
   */
  readonly compress: (payload: Uint8Array) => Uint8Array | Promise<Uint8Array>;

  /**
   * Gives the plain bytes, at once or later. Never changes `payload`.
   *
   * A few bytes that a peer sends may stand for gigabytes, so that it must stop at `maxBytes`
   * before it takes the memory: by what the data announces, or by a limit of the library such as
   * the `maxOutputLength` of `node:zlib`. Beyond it, it throws a `MsgError` of code
   * `MSG_PAYLOAD_TOO_LARGE`, or lets the `ERR_BUFFER_TOO_LARGE` of `node:zlib` through, or gives
   * more than `maxBytes`: all three refuse the payload in the same way.
   */
  readonly decompress: (payload: Uint8Array, maxBytes: number) => Uint8Array | Promise<Uint8Array>;
}

/**
 * Makes a compressor of two functions of the application.
 *
 * Whatever they throw, or reject with, becomes a `MsgError` with it as the cause:
 * `MSG_COMPRESS_FAILED` or `MSG_DECOMPRESS_FAILED`. A `MsgError` passes as it is. So does a result
 * that is no `Uint8Array`, or that has no bytes where a payload was compressed.
 *
 * @throws MsgError `MSG_INVALID_OPTION`, naming the option and what it must be.
 * @example
 * ```ts
 * const brotli = custom({
 *   id: 5,
 *   name: "brotli",
 *   compress: (payload) => brotliCompressSync(payload),
 *   decompress: (payload, maxBytes) =>
 *     brotliDecompressSync(payload, { maxOutputLength: Math.max(1, maxBytes) }),
 * });
 * ```
 */
export function custom(options: CustomOptions): Compressor {
  const { id, compress, decompress } = options;
  const name = options.name ?? "custom";
  checkWhole("custom id", id, 5, 6);
  checkName(name);
  checkFunction("compress", compress);
  checkFunction("decompress", decompress);
  return {
    id,
    name,
    compress: (payload) =>
      guarded(
        () => compress(payload),
        notEmpty,
        (error) => compressFailed(name, error),
      ),
    decompress: (payload, maxBytes) =>
      guarded(
        () => decompress(payload, maxBytes),
        (result) => within(result, maxBytes),
        (error) => (isOverLimit(error) ? tooLarge(maxBytes) : decompressFailed(name, error)),
      ),
  };
}

/** A receiver refuses a payload that is compressed and has no bytes. */
function notEmpty(result: Uint8Array): Uint8Array {
  if (checkedBytes("compress", result).length > 0) return trimmed(result);
  throw new Error("compress gave no bytes");
}

function within(result: Uint8Array, maxBytes: number): Uint8Array {
  if (checkedBytes("decompress", result).length <= maxBytes) return trimmed(result);
  throw tooLarge(maxBytes);
}

function checkedBytes(what: string, result: unknown): Uint8Array {
  if (result instanceof Uint8Array) return result;
  const shown = result === null ? "null" : typeof result;
  throw new TypeError(`${what} gave ${shown}, must be a Uint8Array`);
}

function checkName(name: unknown): void {
  if (typeof name === "string" && name !== "") return;
  const shown = typeof name === "string" ? "empty" : typeof name;
  throw new MsgError(
    "MSG_INVALID_OPTION",
    `custom name is ${shown}, must be a text of one or more characters`,
  );
}

function checkFunction(what: string, value: unknown): void {
  if (typeof value === "function") return;
  throw new MsgError("MSG_INVALID_OPTION", `custom ${what} is ${typeof value}, must be a function`);
}
