import { MsgError } from "./errors.ts";

/** What an application may send: bytes as they are, or text as UTF-8. */
export type Payload = Uint8Array | string;

type ViewConstructor = new (
  buffer: ArrayBufferLike,
  byteOffset: number,
  length: number,
) => Uint8Array;

// Buffer[Symbol.species] is the class behind Buffer: views made with it are real Buffers and cost
// less than half of subarray() (bench scenario: push-pull 64 B).
const View: ViewConstructor = ((): ViewConstructor => {
  const HostBuffer = (globalThis as { Buffer?: unknown }).Buffer as
    | { readonly [Symbol.species]: ViewConstructor }
    | undefined;
  return HostBuffer?.[Symbol.species] ?? Uint8Array;
})();

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** No bytes. */
export const emptyBytes: Uint8Array = new View(new ArrayBuffer(0), 0, 0);

/** A view on part of `bytes`, no copy; a `Buffer` where there is one. */
export function viewOf(bytes: Uint8Array, start: number, length: number): Uint8Array {
  return new View(bytes.buffer, bytes.byteOffset + start, length);
}

/**
 * A view on `memory`; a `Buffer` where there is one. In a loop it costs a third of {@link viewOf},
 * because `bytes.buffer` is a call out of compiled code (bench scenario: push-pull).
 */
export function viewAt(memory: ArrayBufferLike, byteOffset: number, length: number): Uint8Array {
  return new View(memory, byteOffset, length);
}

/** New memory of its own, not zeroed where the host allows; never part of a larger shared one. */
export function allocate(length: number): Uint8Array {
  const HostBuffer = (globalThis as { Buffer?: { allocUnsafeSlow(size: number): Uint8Array } })
    .Buffer;
  return HostBuffer === undefined ? new Uint8Array(length) : HostBuffer.allocUnsafeSlow(length);
}

/** A copy that shares no memory with `bytes`. */
export function copyOf(bytes: Uint8Array): Uint8Array {
  const HostBuffer = (globalThis as { Buffer?: { allocUnsafe(size: number): Uint8Array } }).Buffer;
  const copy =
    HostBuffer === undefined ? new Uint8Array(bytes.length) : HostBuffer.allocUnsafe(bytes.length);
  copy.set(bytes);
  return copy;
}

/** Writes all of `source` into `target`, from `offset` on. */
export function copyInto(target: Uint8Array, offset: number, source: Uint8Array): void {
  const { length } = source;
  // Up to 16 bytes a loop beats the call (bench scenario: push-pull 16 B).
  if (length > 16) target.set(source, offset);
  else for (let i = 0; i < length; i++) target[offset + i] = source[i] as number;
}

/** Text as UTF-8. */
export function encodeText(text: string): Uint8Array {
  const bytes = encoder.encode(text);
  return viewOf(bytes, 0, bytes.length);
}

/** UTF-8 as text; invalid bytes become U+FFFD. */
export function decodeText(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/**
 * The bytes of a payload.
 *
 * @throws MsgError `MSG_INVALID_ARGUMENT` when it is neither bytes nor text.
 */
export function payloadBytes(payload: Payload): Uint8Array {
  if (typeof payload === "string") return encodeText(payload);
  if (payload instanceof Uint8Array) return payload;
  throw new MsgError(
    "MSG_INVALID_ARGUMENT",
    `payload is ${describe(payload)}, must be a Uint8Array or a string`,
  );
}

/** What a value is, for an error message: never its contents, which may be secret. */
export function describe(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "object") return value.constructor?.name ?? "an object";
  return typeof value === "number" || typeof value === "boolean" ? String(value) : typeof value;
}
