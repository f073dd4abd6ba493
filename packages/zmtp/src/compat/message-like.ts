import { Buffer } from "node:buffer";
import { copyOf } from "@msg-ts/core/building";
import { CompatError } from "./compat-error.ts";

/** What comes in: bytes, as `Buffer`. */
export type Message = Buffer;

/** What may be sent as one part. A number is sent as its digits, `null` as no bytes. */
export type MessageLike =
  | ArrayBufferView
  | ArrayBuffer
  | SharedArrayBuffer
  | string
  | number
  | null;

/** Up to this zeromq.js copies what it is given to send, which may then be changed. */
const copiedUpToBytes = 1_024;

/** The parts of what is sent. @throws CompatError `EINVAL` */
export function partsFrom(message: MessageLike | readonly MessageLike[]): readonly Uint8Array[] {
  if (!Array.isArray(message)) return [partFrom(message as MessageLike)];
  if (message.length > 0) return message.map((part: MessageLike) => partFrom(part));
  throw new CompatError("EINVAL", "message has no parts: it must have at least one");
}

/** What came, as zeromq.js gives it. Bytes are not copied. */
export function buffersOf(parts: readonly Uint8Array[]): Message[] {
  return parts.map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength));
}

function partFrom(part: MessageLike): Uint8Array {
  if (typeof part === "string") return Buffer.from(part);
  if (part instanceof Uint8Array) return settled(part);
  if (part === null) return Buffer.alloc(0);
  if (typeof part === "number") return Buffer.from(String(part));
  if (ArrayBuffer.isView(part)) {
    return settled(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
  }
  if (part instanceof ArrayBuffer || part instanceof SharedArrayBuffer) {
    return settled(new Uint8Array(part));
  }
  const text = `a part is of type ${typeof part}, must be bytes, a string, a number or null`;
  throw new CompatError("EINVAL", text);
}

function settled(bytes: Uint8Array): Uint8Array {
  return bytes.length <= copiedUpToBytes ? copyOf(bytes) : bytes;
}
