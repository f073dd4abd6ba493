import { expectNoLeaks, waitFor } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import { hostRuntime, maxTimerMs } from "../src/runtime.ts";

expectNoLeaks();

describe("the runtime of the host", () => {
  it("has a clock that never goes back, and a wall clock in microseconds", () => {
    const times = Array.from({ length: 1_000 }, () => hostRuntime.now());
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(Math.abs(hostRuntime.wallClockMicros() - Date.now() * 1_000)).toBeLessThan(1_000_000);
    expect(Number.isSafeInteger(hostRuntime.wallClockMicros())).toBe(true);
  });

  it("has random numbers from 0 to 1", () => {
    for (let count = 0; count < 100; count++) {
      const random = hostRuntime.random();
      expect(random >= 0 && random < 1).toBe(true);
    }
  });

  it("runs a timer after its delay, unless it was cleared", async () => {
    const ran: string[] = [];
    hostRuntime.clearTimer(hostRuntime.setTimer(() => ran.push("cleared"), 1));
    hostRuntime.clearTimer(undefined);
    hostRuntime.setTimer(() => ran.push("ran"), 10);
    expect(ran).toEqual([]);
    await waitFor(() => ran.length > 0, { what: "the timer ran" });
    expect(ran).toEqual(["ran"]);
  });

  it("does not run a timer of Infinity, or over the longest delay, at once", async () => {
    const ran: string[] = [];
    const timers = [Infinity, maxTimerMs + 1, 1e300].map((delayMs) =>
      hostRuntime.setTimer(() => ran.push(`${delayMs}`), delayMs),
    );
    let isLater = false;
    hostRuntime.setTimer(() => {
      isLater = true;
    }, 10);
    await waitFor(() => isLater, { what: "a later timer ran" });
    for (const timer of timers) hostRuntime.clearTimer(timer);
    expect(ran).toEqual([]);
  });

  it("ends a tick before a timer or the next turn, in the order of the calls", async () => {
    const order: string[] = [];
    hostRuntime.nextTurn(() => order.push("turn 1"));
    hostRuntime.nextTurn(() => order.push("turn 2"));
    hostRuntime.endOfTick(() => order.push("tick 1"));
    hostRuntime.endOfTick(() => order.push("tick 2"));
    order.push("now");
    await waitFor(() => order.includes("turn 2"), { what: "the next turn came" });
    expect(order).toEqual(["now", "tick 1", "tick 2", "turn 1", "turn 2"]);
  });

  it("ends the tick of a callback behind that callback", async () => {
    const order: string[] = [];
    hostRuntime.nextTurn(() => {
      hostRuntime.endOfTick(() => order.push("end of turn 1"));
      order.push("turn 1");
    });
    hostRuntime.nextTurn(() => order.push("turn 2"));
    await waitFor(() => order.length === 3, { what: "both turns came" });
    expect(order).toEqual(["turn 1", "end of turn 1", "turn 2"]);
  });
});
