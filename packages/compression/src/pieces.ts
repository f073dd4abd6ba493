import type { Transform } from "node:stream";
import { tooLarge } from "./results.ts";

/**
 * Runs `input` through a stream of `node:zlib`, which works on a thread.
 *
 * @throws MsgError `MSG_PAYLOAD_TOO_LARGE` as soon as there are more than `maxBytes`; what the
 *   stream fails with.
 */
export function piecesOf(
  engine: Transform,
  input: Uint8Array,
  maxBytes: number,
): Promise<Uint8Array[]> {
  return new Promise((resolve, reject) => {
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    engine.on("data", (piece: Uint8Array) => {
      pieces.push(piece);
      bytes += piece.length;
      if (bytes > maxBytes) engine.destroy(tooLarge(maxBytes));
    });
    engine.on("error", reject);
    engine.on("end", () => resolve(pieces));
    engine.end(input);
  });
}
