import { Buffer } from "node:buffer";

/** Who sent it: each restart of a sender is an epoch of its own. */
export interface Named {
  readonly epoch: number;
  readonly id: number;
}

const headBytes = 8;

/** Bytes that name what they are and can be checked to the last one. */
export function payloadOf(epoch: number, id: number, length: number): Buffer {
  const payload = Buffer.alloc(Math.max(headBytes, length), id);
  payload.writeUInt32LE(epoch, 0);
  payload.writeUInt32LE(id, 4);
  return payload;
}

/** What {@link payloadOf} named, or nothing when it is not what was sent. */
export function namedIn(bytes: Uint8Array, length: number): Named | undefined {
  const payload = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (payload.length !== Math.max(headBytes, length)) return undefined;
  const [epoch, id] = [payload.readUInt32LE(0), payload.readUInt32LE(4)];
  return payload.equals(payloadOf(epoch, id, length)) ? { epoch, id } : undefined;
}
