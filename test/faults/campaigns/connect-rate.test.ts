import { describe, expect, it } from "vitest";
import { othersShare } from "../machine.ts";
import { problemsOfRate } from "./connect-rate.ts";

const slow = { reached: 700, rejections: {}, slowestMs: 900, others: 0.02 };

describe("the rate of connections", () => {
  it("must be reached where the machine was ours, and nowhere else", () => {
    const told = ["700 connections a second of 1000, others used 2 % of the machine"];
    expect(problemsOfRate(slow, true)).toEqual(told);
    expect(problemsOfRate(slow, false)).toEqual([]);
    expect(problemsOfRate({ ...slow, others: 0.3 }, true)).toEqual([]);
    expect(problemsOfRate({ ...slow, reached: 985 }, true)).toEqual([]);
  });

  it("is no excuse for a call that was rejected", () => {
    const rejecting = { ...slow, reached: 1_000, rejections: { MSG_TIMEOUT: 3 }, others: 0.9 };
    expect(problemsOfRate(rejecting, false)).toEqual(["3 calls: MSG_TIMEOUT"]);
  });
});

describe("the share of the machine that others use", () => {
  it("is what was busy without us, of all cores", () => {
    const [from, to] = [
      { busyMs: 100, allMs: 1_000 },
      { busyMs: 1_100, allMs: 3_000 },
    ];
    expect(othersShare(from, to, 600)).toBe(0.2);
    // Both are counted in ticks: ours may seem to be more than all.
    expect(othersShare(from, to, 1_200)).toBe(0);
  });
});
