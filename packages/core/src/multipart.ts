import type { Payload } from "./bytes.ts";
import { allocate, payloadBytes, viewOf } from "./bytes.ts";

/** Where the parts of payloads end. */
const lengths = new WeakMap<Uint8Array, readonly number[]>();

/** So that nobody looks for what was never made. */
let isUsed = false;

/**
 * One payload of several parts, copied. Over a wire with multipart messages (ZMTP) each part is a
 * frame of its own; over any other the payload is the parts one after the other.
 *
 * @throws MsgError `MSG_INVALID_ARGUMENT` when a part is neither bytes nor text.
 */
export function multipart(parts: readonly Payload[]): Uint8Array {
  const given = parts.map((part) => payloadBytes(part));
  const payload = allocate(given.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of given) {
    payload.set(part, offset);
    offset += part.length;
  }
  isUsed = true;
  lengths.set(
    payload,
    given.map(({ length }) => length),
  );
  return payload;
}

/** The parts of what {@link multipart} made; `undefined` for any other payload. */
export function partsOf(payload: Uint8Array): readonly Uint8Array[] | undefined {
  const found = isUsed ? lengths.get(payload) : undefined;
  if (found === undefined) return undefined;
  let offset = 0;
  return found.map((length) => {
    const part = viewOf(payload, offset, length);
    offset += length;
    return part;
  });
}
