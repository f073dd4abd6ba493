import { describe, expect, it } from "vitest";
import type { CpuProfile } from "../../bench/harness/cpu-profile.ts";
import { selfTimes, topList } from "../../bench/harness/cpu-profile.ts";

function node(id: number, functionName: string, url: string, lineNumber: number) {
  return { id, callFrame: { functionName, url, lineNumber, columnNumber: 0 } };
}

const profile: CpuProfile = {
  nodes: [
    node(1, "(idle)", "", -1),
    node(2, "decode", "node:internal/x", 9),
    node(3, "decode", "node:internal/x", 9),
    node(4, "", "node:internal/y", 0),
  ],
  // A delta is the time before its sample: 100 idle, 300 in 2, 200 in 3, 500 in 4.
  samples: [1, 2, 3, 4, 1],
  timeDeltas: [0, 100, 300, 200, 500],
};

describe("the list of a CPU profile", () => {
  it("adds up a function over its callers, and leaves the idle time out", () => {
    const { busyMicros, idleMicros, functions } = selfTimes(profile);
    expect({ busyMicros, idleMicros }).toEqual({ busyMicros: 1_000, idleMicros: 100 });
    expect(functions.map(({ name, place, micros }) => [name, place, micros])).toEqual([
      ["decode", "node:internal/x:10", 500],
      ["(anonymous)", "node:internal/y:1", 500],
    ]);
  });

  it("shows shares of the busy time and nanoseconds for each message", () => {
    const text = topList(profile, 10_000, 1);
    expect(text).toContain("idle 9 %");
    expect(text).toMatch(/50\.0 % +50\.0 {2}decode +node:internal\/x:10/);
    expect(text).not.toContain("anonymous");
  });
});
