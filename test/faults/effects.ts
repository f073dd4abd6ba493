import { closeSync, openSync, readFileSync, readSync, writeFileSync } from "node:fs";
import { Buffer } from "node:buffer";

/** An attempt: the id of the job and its delivery count. */
export const attemptBytes = 8;

const pieceBytes = 1024 * attemptBytes * 64;

/** What the files of all workers say. */
export interface Effects {
  /** Jobs whose effect is there. */
  readonly done: number;
  /** Jobs below `sent` without one. */
  readonly missing: number;
  readonly attempts: number;
  /** Attempts with a delivery count over 1. */
  readonly repeated: number;
  /** Jobs with two attempts of which both said that they are the first: done twice, unnoticed. */
  readonly doubled: number;
}

/** An empty file of effects. */
export function makeEffectsFile(path: string): void {
  writeFileSync(path, "");
}

/** Counts effects and attempts. A worker that was killed may have left half an attempt: it did nothing. */
export function readEffects(
  effectsFile: string,
  attemptFiles: readonly string[],
  sent: number,
): Effects {
  const bytes = readFileSync(effectsFile);
  const done = bytes.subarray(0, sent).reduce((sum, byte) => sum + (byte === 1 ? 1 : 0), 0);
  const firsts = new Uint8Array(sent);
  let [attempts, repeated, doubled] = [0, 0, 0];
  for (const file of attemptFiles) {
    eachAttempt(file, (id, deliveryCount) => {
      attempts++;
      if (deliveryCount > 1) repeated++;
      else if (firsts[id] === 1) doubled++;
      else firsts[id] = 1;
    });
  }
  return { done, missing: sent - done, attempts, repeated, doubled };
}

function eachAttempt(path: string, told: (id: number, deliveryCount: number) => void): void {
  const file = openSync(path, "r");
  const piece = Buffer.alloc(pieceBytes);
  for (let at = 0; ;) {
    const length = readSync(file, piece, 0, pieceBytes, at);
    const whole = length - (length % attemptBytes);
    for (let offset = 0; offset < whole; offset += attemptBytes) {
      told(piece.readUInt32LE(offset), piece.readUInt8(offset + 4));
    }
    if (whole === 0) break;
    at += whole;
  }
  closeSync(file);
}
