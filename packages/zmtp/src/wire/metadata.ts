import { allocate, copyOf, decodeText, encodeText, viewOf } from "@msg-ts/core/building";
import { MsgError } from "@msg-ts/core";

/** Names of properties. libzmq compares them letter by letter; we read them in any case. */
export const propertyName = { identity: "Identity", socketType: "Socket-Type" } as const;

/** What a peer says of itself, by names in lower case. */
export type Metadata = ReadonlyMap<string, Uint8Array>;

/** Properties in the order in which they are sent. */
export type Properties = readonly (readonly [name: string, value: Uint8Array])[];

/** RFC 37: a name has 1 to 255 of these. */
const namePattern = /^[A-Za-z0-9._+-]{1,255}$/;

/** Whether a name may be that of a property. */
export function isPropertyName(name: string): boolean {
  return namePattern.test(name);
}

/** Metadata: name length (1), name, value length (4), value; again and again. */
export function encodeMetadata(properties: Properties): Uint8Array {
  let length = 0;
  for (const [name, value] of properties) length += 5 + name.length + value.length;
  const bytes = allocate(length);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  let offset = 0;
  for (const [name, value] of properties) {
    bytes[offset] = name.length;
    bytes.set(encodeText(name), offset + 1);
    view.setUint32(offset + 1 + name.length, value.length);
    bytes.set(value, offset + 5 + name.length);
    offset += 5 + name.length + value.length;
  }
  return bytes;
}

/**
 * Reads metadata. Of a name that comes twice the last one counts.
 *
 * @throws MsgError `MSG_PROTOCOL` when a name or a value does not fit.
 */
export function decodeMetadata(bytes: Uint8Array): Metadata {
  const properties = new Map<string, Uint8Array>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let offset = 0;
  while (offset < bytes.length) {
    const nameLength = view.getUint8(offset);
    const valueOffset = offset + 5 + nameLength;
    if (nameLength === 0 || valueOffset > bytes.length) throw malformed(offset);
    const name = decodeText(viewOf(bytes, offset + 1, nameLength));
    const valueLength = view.getUint32(valueOffset - 4);
    if (!isPropertyName(name) || valueOffset + valueLength > bytes.length) throw malformed(offset);
    properties.set(name.toLowerCase(), copyOf(viewOf(bytes, valueOffset, valueLength)));
    offset = valueOffset + valueLength;
  }
  return properties;
}

function malformed(offset: number): MsgError {
  return new MsgError("MSG_PROTOCOL", `peer's metadata is malformed at byte ${offset}`);
}
