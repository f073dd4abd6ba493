import { setImmediate as nextTurn } from "node:timers/promises";
import { crc32 } from "node:zlib";
import { keepsTooMuch } from "./results.ts";

/** What the main thread copies or sums up before the event loop has its turn: about a millisecond. */
const bytesInOneTurn = 1024 * 1024;

/** The CRC-32 of bytes of any length, without holding the event loop. */
export async function crc32InTurns(bytes: Uint8Array): Promise<number> {
  let crc = 0;
  for (let start = 0; start < bytes.length; start += bytesInOneTurn) {
    if (start > 0) await nextTurn();
    crc = crc32(bytes.subarray(start, start + bytesInOneTurn), crc);
  }
  return crc;
}

/**
 * The pieces as one, without holding the event loop. A single one is not copied, unless it keeps
 * much more memory alive than it has bytes.
 */
export async function joinedInTurns(pieces: readonly Uint8Array[]): Promise<Uint8Array> {
  const [first] = pieces;
  if (first !== undefined && pieces.length === 1 && !keepsTooMuch(first)) return first;
  const whole = Buffer.allocUnsafeSlow(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let end = 0;
  for (const piece of pieces) {
    for (let start = 0; start < piece.length;) {
      // Up to where a turn ends, wherever in a piece that is.
      const part = piece.subarray(start, start + bytesInOneTurn - (end % bytesInOneTurn));
      whole.set(part, end);
      start += part.length;
      end += part.length;
      if (end % bytesInOneTurn === 0) await nextTurn();
    }
  }
  return whole;
}
