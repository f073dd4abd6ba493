import { MsgError } from "@msg-ts/core";
// This build keeps its state to itself: addExtension() and setSizeLimits() of the main one reach
// into it from anywhere in the process, as does every encoder into the buffer that all share. It
// also compiles no code from what it reads, and loads no native addon.
import { Decoder, Encoder } from "cbor-x/index-no-eval";

const decoder = new Decoder({ useRecords: false, mapsAsObjects: true, copyBuffers: true });

/** What cbor-x documents, but does not declare. */
interface BufferedEncoder {
  encode(value: unknown): Uint8Array;
  useBuffer(buffer: Uint8Array): void;
}

const encoder = new Encoder({
  useRecords: false,
  mapsAsObjects: true,
  variableMapSize: true,
  tagUint8Array: false,
  useToJSON: true,
}) as unknown as BufferedEncoder;

/** What cbor-x writes into, one message behind the other; as long as Node's own pool. */
const bufferBytes = 8 * 1024;

let isWriting = false;

/**
 * Writes a value that was checked.
 *
 * Results lie behind each other in memory of 8 KiB, which is never written again; one that needed
 * more memory than that gets its own.
 *
 * @throws MsgError `MSG_ENCODE_FAILED` when it is called from within itself, by a getter or a
 *   `toJSON`: cbor-x would mix both results.
 */
export function writeCbor(value: unknown): Uint8Array {
  if (isWriting) {
    const text =
      "cbor cannot encode a value while it writes another one: called by a getter or toJSON";
    throw new MsgError("MSG_ENCODE_FAILED", text);
  }
  isWriting = true;
  try {
    return ownMemory(encoder.encode(value));
  } finally {
    isWriting = false;
  }
}

/** cbor-x would go on with memory that grew for one large value, and every result would keep it. */
function ownMemory(result: Uint8Array): Uint8Array {
  const keptBytes = result.buffer.byteLength;
  if (keptBytes <= bufferBytes) return result;
  encoder.useBuffer(allocate(bufferBytes));
  if (keptBytes <= 2 * result.length) return result;
  const copy = allocate(result.length);
  copy.set(result);
  return copy;
}

/** cbor-x expects a `Buffer` where there is one. */
function allocate(length: number): Uint8Array {
  return typeof Buffer === "undefined" ? new Uint8Array(length) : Buffer.allocUnsafeSlow(length);
}

/**
 * Reads the item at `start`, to the end, of a payload that was checked.
 *
 * @param marks - where text begins whose byte order mark cbor-x would drop.
 */
export function readCbor(payload: Uint8Array, start: number, marks: readonly number[]): unknown {
  if (marks.length > 0) return readCbor(withDoubledMarks(payload, marks), start, []);
  // A view of its own: cbor-x leaves a property on what it reads, and makes byte strings of its class.
  const view = new Uint8Array(
    payload.buffer,
    payload.byteOffset + start,
    payload.byteLength - start,
  );
  return decoder.decode(view) as unknown;
}

const mark = [0xef, 0xbb, 0xbf];

/** The payload with a second byte order mark in front of each that would be dropped. */
function withDoubledMarks(payload: Uint8Array, marks: readonly number[]): Uint8Array {
  const longestHead = 5;
  const doubled = new Uint8Array(payload.length + marks.length * (longestHead + mark.length));
  let [from, to] = [0, 0];
  for (const start of marks) {
    const lengthBytes = 1 << ((payload[start] ?? 0) & 3);
    const length = bigEndian(payload, start + 1, lengthBytes);
    doubled.set(payload.subarray(from, start), to);
    to += start - from;
    from = start + 1 + lengthBytes;
    doubled[to] = 0x7a;
    new DataView(doubled.buffer).setUint32(to + 1, length + mark.length);
    doubled.set(mark, to + longestHead);
    to += longestHead + mark.length;
  }
  doubled.set(payload.subarray(from), to);
  return doubled.subarray(0, to + payload.length - from);
}

function bigEndian(bytes: Uint8Array, start: number, length: number): number {
  let value = 0;
  for (let index = 0; index < length; index++) value = value * 256 + (bytes[start + index] ?? 0);
  return value;
}
