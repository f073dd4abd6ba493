import { describe, expect, it } from "vitest";
import type { DialerEvent, DialerState } from "../../src/connection/dialer-state.ts";
import { firstDialerState, nextDialerState } from "../../src/connection/dialer-state.ts";
import { MsgError } from "../../src/errors.ts";

const refused = new MsgError("MSG_DIAL_FAILED", "refused");
const lost = new MsgError("MSG_PEER_LOST", "lost");

const failed: DialerEvent = { type: "failed", error: refused };
const ended: DialerEvent = { type: "failed", error: lost };
const waited: DialerEvent = { type: "waited" };
const linked: DialerEvent = { type: "linked" };
const proven: DialerEvent = { type: "proven" };
const close: DialerEvent = { type: "close" };

function run(events: readonly DialerEvent[], maxAttempts = Infinity): DialerState {
  return events.reduce<DialerState>(
    (state, event) => nextDialerState(state, event, maxAttempts),
    firstDialerState,
  );
}

describe("the state of a dialer", () => {
  it("begins with dialing, nothing failed yet", () => {
    expect(firstDialerState).toEqual({ phase: "dialing", attempt: 0, isSuspect: false });
  });

  it("waits after a failed attempt, and counts it", () => {
    expect(run([failed])).toEqual({
      phase: "waiting",
      attempt: 1,
      isSuspect: false,
      lastError: refused,
    });
  });

  it("dials again after the wait, and goes on counting", () => {
    expect(run([failed, waited])).toEqual({ phase: "dialing", attempt: 1, isSuspect: false });
    expect(run([failed, waited, failed, waited, failed])).toMatchObject({ attempt: 3 });
  });

  it("keeps the count while a connection has not proven itself", () => {
    expect(run([failed, waited, linked])).toEqual({
      phase: "connected",
      attempt: 1,
      isSuspect: false,
      isProven: false,
    });
  });

  it("counts from the bottom after a proven connection", () => {
    expect(run([failed, waited, failed, waited, linked, proven])).toEqual({
      phase: "connected",
      attempt: 0,
      isSuspect: false,
      isProven: true,
    });
  });

  it("counts the end of an unproven connection as one more failed attempt", () => {
    expect(run([failed, waited, linked, ended])).toEqual({
      phase: "waiting",
      attempt: 2,
      isSuspect: true,
      lastError: lost,
    });
  });

  it("does not count the end of a proven connection as a failed attempt", () => {
    expect(run([linked, proven, ended])).toEqual({
      phase: "waiting",
      attempt: 0,
      isSuspect: false,
      lastError: lost,
    });
  });

  it("puts the connection after an unproven one on probation", () => {
    expect(run([linked, ended, waited, linked])).toMatchObject({
      phase: "connected",
      isSuspect: true,
      isProven: false,
    });
  });

  it("lifts the suspicion when the connection proves itself", () => {
    expect(run([linked, ended, waited, linked, proven])).toMatchObject({ isSuspect: false });
  });

  it("suspects nobody because of an attempt that made no connection", () => {
    expect(run([linked, ended, waited, failed])).toMatchObject({ isSuspect: false });
  });

  it("ignores a failure that arrives while it already waits", () => {
    const waiting = run([failed]);
    expect(nextDialerState(waiting, ended, Infinity)).toBe(waiting);
  });

  it("ignores a link that arrives while it waits, is connected, or has ended", () => {
    for (const state of [run([failed]), run([linked]), run([close])]) {
      expect(nextDialerState(state, linked, Infinity)).toBe(state);
    }
  });

  it("ignores a second proof, and proof without a connection", () => {
    for (const state of [run([linked, proven]), run([]), run([failed])]) {
      expect(nextDialerState(state, proven, Infinity)).toBe(state);
    }
  });

  it("ignores the end of a wait that is over", () => {
    for (const state of [run([]), run([linked]), run([close])]) {
      expect(nextDialerState(state, waited, Infinity)).toBe(state);
    }
  });

  it("ends without an error when it is closed, from every phase", () => {
    for (const events of [[], [failed], [linked], [linked, proven]]) {
      expect(run([...events, close])).toEqual({ phase: "ended", lastError: undefined });
    }
  });

  it("stays as it is once it ended", () => {
    const state = run([close]);
    for (const event of [failed, waited, linked, proven, close]) {
      expect(nextDialerState(state, event, Infinity)).toBe(state);
    }
  });
});

describe("the state of a dialer with maxAttempts", () => {
  it("ends with the last error at the attempt of that number", () => {
    expect(run([failed, waited, failed], 3)).toMatchObject({ phase: "waiting", attempt: 2 });
    expect(run([failed, waited, failed, waited, ended], 3)).toEqual({
      phase: "ended",
      lastError: lost,
    });
  });

  it("ends at the first failure when it is 1", () => {
    expect(run([failed], 1)).toEqual({ phase: "ended", lastError: refused });
  });

  it("ends when connections end unproven that often", () => {
    expect(run([linked, ended, waited, linked, ended], 2)).toMatchObject({ phase: "ended" });
  });

  it("has all its attempts again after a proven connection, also when it is 1", () => {
    expect(run([linked, proven, ended], 1)).toMatchObject({ phase: "waiting", attempt: 0 });
    expect(run([linked, proven, ended, waited, failed], 2)).toMatchObject({ phase: "waiting" });
    expect(run([linked, proven, ended, waited, failed, waited, failed], 2)).toMatchObject({
      phase: "ended",
    });
  });
});
