import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  reconnectDefaults,
  resolveReconnectOptions,
  retryDelayMs,
} from "../../src/connection/reconnect-options.ts";

const largestMs = 2 ** 31 - 1;

describe("the options of reconnecting", () => {
  it("are 100 ms to 5 s, for ever, unless given", () => {
    expect(resolveReconnectOptions()).toEqual({
      minDelayMs: 100,
      maxDelayMs: 5_000,
      maxAttempts: Infinity,
    });
    expect(resolveReconnectOptions({ minDelayMs: undefined })).toEqual(reconnectDefaults);
  });

  it("are taken as given, and the caller's object is not changed", () => {
    const given = Object.freeze({ minDelayMs: 1, maxDelayMs: 1, maxAttempts: 1 });
    expect(resolveReconnectOptions(given)).toEqual(given);
    expect(resolveReconnectOptions(given)).not.toBe(given);
  });

  it("raise the cap with a minDelayMs over its default", () => {
    expect(resolveReconnectOptions({ minDelayMs: 9_000 })).toMatchObject({ maxDelayMs: 9_000 });
  });

  for (const [name, lowest, highest] of [
    ["minDelayMs", 1, 5_000],
    ["maxDelayMs", 100, largestMs],
    ["maxAttempts", 1, largestMs],
  ] as const) {
    it(`take ${name} of ${lowest} and ${highest}`, () => {
      for (const value of [lowest, highest]) {
        const maxDelayMs = name === "maxDelayMs" ? value : 5_000;
        expect(resolveReconnectOptions({ maxDelayMs, [name]: value })).toMatchObject({
          [name]: value,
        });
      }
    });

    for (const value of [lowest - 1, highest + 1, Number.NaN, -1]) {
      it(`refuse ${name} of ${value}, naming it`, () => {
        const maxDelayMs = 5_000;
        expect(() => resolveReconnectOptions({ maxDelayMs, [name]: value })).toThrow(
          expect.objectContaining({
            code: "MSG_INVALID_OPTION",
            message: expect.stringContaining(`reconnect.`),
          }),
        );
      });
    }
  }

  it("take maxAttempts of Infinity, and no fraction", () => {
    expect(resolveReconnectOptions({ maxAttempts: Infinity }).maxAttempts).toBe(Infinity);
    expect(() => resolveReconnectOptions({ maxAttempts: 1.5 })).toThrow("maxAttempts");
  });
});

describe("the wait before a retry", () => {
  const options = { minDelayMs: 100, maxDelayMs: 5_000, maxAttempts: Infinity };

  it("is at most minDelayMs first, then twice as long each time, up to maxDelayMs", () => {
    const longest = [1, 2, 3, 4, 5, 6, 7, 8].map((attempt) => retryDelayMs(attempt, options, 1));
    expect(longest).toEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000]);
  });

  it("is drawn evenly from 0 to that", () => {
    for (const random of [0, 0.25, 0.5, 0.999]) {
      expect(retryDelayMs(3, options, random)).toBe(400 * random);
    }
  });

  it("is as short after a proven connection as after the first failure", () => {
    expect(retryDelayMs(0, options, 1)).toBe(100);
  });

  it("is never over maxDelayMs, however many attempts failed", () => {
    const property = fc.property(
      fc.nat({ max: 2 ** 31 }),
      fc.integer({ min: 1, max: largestMs }),
      fc.integer({ min: 0, max: largestMs - 1 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (attempt, minDelayMs, more, random) => {
        const maxDelayMs = Math.min(minDelayMs + more, largestMs);
        const delayMs = retryDelayMs(attempt, { ...options, minDelayMs, maxDelayMs }, random);
        expect(delayMs).toBeGreaterThanOrEqual(0);
        expect(delayMs).toBeLessThanOrEqual(maxDelayMs);
      },
    );
    fc.assert(property, { seed: 20_261_120 });
  });
});
