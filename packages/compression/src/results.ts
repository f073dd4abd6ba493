import { MsgError } from "@msg-ts/core";

/** Keeping this much alive is cheaper than a copy. */
const neverTrimmedBytes = 8 * 1024;

/**
 * A result that would keep more than twice its own memory alive is copied out of it: Node's pool,
 * from which libraries take their pieces, has 64 KiB since Node 24.
 */
export function trimmed(result: Uint8Array): Uint8Array {
  if (!keepsTooMuch(result)) return result;
  const copy = Buffer.allocUnsafeSlow(result.length);
  copy.set(result);
  return copy;
}

/** Whether {@link trimmed} would copy a result. */
export function keepsTooMuch(result: Uint8Array): boolean {
  const keptBytes = result.buffer.byteLength;
  return keptBytes > neverTrimmedBytes && keptBytes > 2 * result.length;
}

/** The error of a payload that decompresses to more than the limit, or says that it would. */
export function tooLarge(maxBytes: number): MsgError {
  const text = `payload decompresses to over ${maxBytes} bytes, maxMessageBytes is ${maxBytes}`;
  return new MsgError("MSG_PAYLOAD_TOO_LARGE", text);
}

/** Whether `node:zlib` stopped because there was more output than `maxOutputLength`. */
export function isOverLimit(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
}

/** The error of a payload that is damaged, unless it is one of ours already. */
export function decompressFailed(algorithm: string, cause: unknown): MsgError {
  return MsgError.from(cause, "MSG_DECOMPRESS_FAILED", `${algorithm} could not decompress`);
}

/** The error of a payload that the library could not compress. */
export function compressFailed(algorithm: string, cause: unknown): MsgError {
  return MsgError.from(cause, "MSG_COMPRESS_FAILED", `${algorithm} could not compress`);
}
