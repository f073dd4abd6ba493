import type { Codec } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import { isWellFormed } from "./utf8.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const codec: Codec<string> = { name: "text", encode, decode };

/**
 * Makes the codec `text`: a string is sent as UTF-8, and comes out as it went in, a byte order mark
 * included.
 *
 * @throws MsgError when used: `MSG_ENCODE_FAILED` for anything but a string, and for a string with a
 *   lone surrogate, which UTF-8 has no form for; `MSG_DECODE_FAILED` for bytes that are not UTF-8.
 */
export function text(): Codec<string> {
  return codec;
}

function encode(value: string): Uint8Array {
  if (typeof value !== "string") {
    throw new MsgError("MSG_ENCODE_FAILED", `text cannot encode a ${typeof value}`);
  }
  if (isWellFormed(value)) return encoder.encode(value);
  throw new MsgError("MSG_ENCODE_FAILED", "text cannot encode a string with a lone surrogate");
}

function decode(payload: Uint8Array): string {
  try {
    return decoder.decode(payload);
  } catch (cause) {
    const message = `text payload of ${payload.length} bytes is not UTF-8`;
    throw new MsgError("MSG_DECODE_FAILED", message, { cause });
  }
}
