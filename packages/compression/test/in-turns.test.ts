import { crc32 } from "node:zlib";
import { incompressibleBytes } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import { crc32InTurns, joinedInTurns } from "../src/in-turns.ts";

const mebibyte = 1024 * 1024;

/** How often the event loop came round while something went on. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let isDone = false;
  const count = (): void => {
    if (isDone) return;
    turns++;
    setImmediate(count);
  };
  setImmediate(count);
  await work();
  isDone = true;
  return turns;
}

describe("a CRC-32 in turns", () => {
  it("is that of zlib, whatever the length", async () => {
    const bytes = incompressibleBytes(2 * mebibyte + 1);
    for (const length of [0, 1, mebibyte - 1, mebibyte, mebibyte + 1, bytes.length]) {
      const part = bytes.subarray(0, length);
      expect(await crc32InTurns(part), `${length} bytes`).toBe(crc32(part));
    }
  });

  it("lets the event loop come round after each mebibyte, and not at all below", async () => {
    expect(await turnsDuring(() => crc32InTurns(new Uint8Array(mebibyte)))).toBe(0);
    const large = new Uint8Array(8 * mebibyte);
    expect(await turnsDuring(() => crc32InTurns(large))).toBeGreaterThanOrEqual(7);
  });
});

describe("pieces that are joined in turns", () => {
  const whole = incompressibleBytes(3 * mebibyte + 5);

  it("are one behind the other, whatever their lengths", async () => {
    for (const cuts of [
      [],
      [1],
      [mebibyte],
      [mebibyte - 1, mebibyte + 1],
      [10, 10, 2 * mebibyte],
    ]) {
      const pieces: Uint8Array[] = [];
      let start = 0;
      for (const end of [...cuts, whole.length]) {
        // Each with memory of its own, as zlib gives them.
        pieces.push(new Uint8Array(whole.subarray(start, end)));
        start = end;
      }
      const joined = await joinedInTurns(pieces);
      expect(Buffer.compare(joined, whole), `cut at ${cuts.join()}`).toBe(0);
    }
  });

  it("are nothing when there are none", async () => {
    expect((await joinedInTurns([])).length).toBe(0);
  });

  it("are not copied when there is one that uses most of its memory", async () => {
    expect(await joinedInTurns([whole])).toBe(whole);
  });

  it("are copied when there is one that uses little of its memory", async () => {
    const memory = new Uint8Array(3 * mebibyte);
    const joined = await joinedInTurns([memory.subarray(0, mebibyte)]);
    expect(joined.buffer.byteLength).toBe(mebibyte);
  });

  it("let the event loop come round after each mebibyte, and not at all below", async () => {
    const small = [new Uint8Array(1_000), new Uint8Array(1_000)];
    expect(await turnsDuring(() => joinedInTurns(small))).toBe(0);
    const large = Array.from({ length: 32 }, () => new Uint8Array(mebibyte / 4));
    expect(await turnsDuring(() => joinedInTurns(large))).toBeGreaterThanOrEqual(7);
  });
});
