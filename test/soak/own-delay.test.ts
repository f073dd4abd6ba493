import process from "node:process";
import { describe, expect, it } from "vitest";
import { mainThreadWait, OwnDelay } from "./own-delay.ts";

function simulated() {
  const clock = { nowMs: 0, waitedMs: 0 };
  const delay = new OwnDelay(
    10,
    () => clock.waitedMs,
    () => clock.nowMs,
  );
  const turn = (lateMs: number, waitedMs: number): void => {
    clock.nowMs += 10 + lateMs;
    clock.waitedMs += waitedMs;
    delay.tick();
  };
  return { clock, delay, turn };
}

describe("the delay of our own", () => {
  it("is what a turn was late without what the thread waited for a processor", () => {
    const { delay, turn } = simulated();
    for (let i = 0; i < 98; i++) turn(0, 0);
    turn(300, 280);
    turn(40, 0);
    expect(delay.take(99)).toBeCloseTo(20);
  });

  it("grows with what runs in a turn, however busy the machine is", () => {
    const { delay, turn } = simulated();
    for (let i = 0; i < 100; i++) turn(i % 2 === 0 ? 130 : 30, i % 2 === 0 ? 100 : 0);
    expect(delay.take(99)).toBeCloseTo(30);
  });

  it("begins anew when it is asked: what happened meanwhile is nobody's", () => {
    const { clock, delay, turn } = simulated();
    turn(50, 0);
    expect(delay.take(99)).toBe(50);
    expect(delay.take(99)).toBe(0);
    clock.nowMs += 1_000;
    delay.take(99);
    turn(1, 0);
    expect(delay.take(99)).toBe(1);
  });

  it("is never less than nothing: both clocks are read one after the other", () => {
    const { delay, turn } = simulated();
    turn(1, 2);
    expect(delay.take(99)).toBe(0);
  });
});

describe("what the main thread waited", () => {
  it.runIf(process.platform === "linux")("only grows, and far less than a busy loop runs", () => {
    const waited = mainThreadWait();
    if (waited === undefined) return;
    const [before, startMs] = [waited(), performance.now()];
    while (performance.now() < startMs + 20);
    const grown = waited() - before;
    expect(grown).toBeGreaterThanOrEqual(0);
    expect(grown).toBeLessThanOrEqual(performance.now() - startMs + 1);
  });
});
