import type { Runtime } from "@msg-ts/core";
import { SimulatedRuntime } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import { PatientTimer } from "../../../src/socket/pub-sub/patient-timer.ts";

/** A timer of 500 ms on an event loop that can stand still. */
function setUp() {
  const simulated = new SimulatedRuntime();
  let stoodMs = 0;
  const runtime: Runtime = {
    now: () => simulated.now() + stoodMs,
    wallClockMicros: () => simulated.wallClockMicros(),
    random: () => simulated.random(),
    setTimer: (callback, delayMs) => simulated.setTimer(callback, delayMs),
    clearTimer: (timer) => simulated.clearTimer(timer),
    endOfTick: (callback) => simulated.endOfTick(callback),
    nextTurn: (callback) => simulated.nextTurn(callback),
  };
  let calls = 0;
  const timer = new PatientTimer(runtime, 500, () => calls++);
  return {
    timer,
    simulated,
    calls: () => calls,
    standStill: (ms: number) => {
      stoodMs += ms;
    },
  };
}

describe("a patient timer", () => {
  it("calls back once, when its time has passed", () => {
    const { simulated, calls } = setUp();
    simulated.advance(499);
    expect(calls()).toBe(0);
    simulated.advance(1);
    expect(calls()).toBe(1);
    simulated.advance(10_000);
    expect(calls()).toBe(1);
  });

  it("does not count a part in which the event loop stood still", () => {
    const { simulated, calls, standStill } = setUp();
    standStill(2_000);
    simulated.advance(599);
    expect(calls()).toBe(0);
    simulated.advance(1);
    expect(calls()).toBe(1);
  });

  it("calls back in the end, however often the event loop stands still", () => {
    const { simulated, calls, standStill } = setUp();
    for (let part = 0; part < 24; part++) {
      standStill(1_000);
      simulated.advance(100);
    }
    expect(calls()).toBe(0);
    simulated.advance(100);
    expect(calls()).toBe(1);
  });

  it("leaves nothing behind when it is stopped", () => {
    const { timer, simulated, calls } = setUp();
    simulated.advance(300);
    timer.stop();
    expect(simulated.timersInMs).toEqual([]);
    simulated.advance(10_000);
    expect(calls()).toBe(0);
  });
});
