import { payloadBytes } from "./bytes.ts";
import type { Payload } from "./bytes.ts";
import type { Codec } from "./contracts/codec.ts";

const theRaw: Codec<Payload, Uint8Array> = {
  name: "raw",
  encode: payloadBytes,
  decode: (payload) => payload,
};

/** The codec of a socket that is given none: bytes as they are, and text, sent as UTF-8. */
export function raw(): Codec<Payload, Uint8Array> {
  return theRaw;
}
