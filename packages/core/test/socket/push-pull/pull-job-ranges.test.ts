import { describe, expect, it } from "vitest";
import { JobRanges } from "../../../src/socket/push-pull/job-ranges.ts";

function drained(...sequences: readonly number[]): [number, number][] {
  const ranges = new JobRanges();
  for (const sequence of sequences) ranges.add(sequence);
  const result: [number, number][] = [];
  ranges.drain((start, count) => result.push([start, count]));
  expect(ranges.isEmpty).toBe(true);
  return result;
}

describe("JobRanges", () => {
  it("gives nothing when nothing was added", () => {
    expect(drained()).toEqual([]);
  });

  it("gives neighbours as one range", () => {
    expect(drained(4, 5, 6)).toEqual([[4, 3]]);
  });

  it("gives what was added in any order as few ranges, oldest first", () => {
    expect(drained(9, 2, 5, 1, 3, 0, 8)).toEqual([
      [0, 4],
      [5, 1],
      [8, 2],
    ]);
  });

  it("gives one range over the wrap", () => {
    expect(drained(0xffff_fffe, 0xffff_ffff, 0, 1)).toEqual([[0xffff_fffe, 4]]);
    expect(drained(1, 0xffff_ffff, 0, 0xffff_fffe)).toEqual([[0xffff_fffe, 4]]);
  });

  it("cuts a range over 65,536", () => {
    const sequences = Array.from({ length: 65_537 }, (_, i) => i);
    expect(drained(...sequences)).toEqual([
      [0, 65_536],
      [65_536, 1],
    ]);
  });

  it("forgets what it gave", () => {
    const ranges = new JobRanges();
    ranges.add(1);
    ranges.drain(() => {});
    ranges.add(2);
    const result: [number, number][] = [];
    ranges.drain((start, count) => result.push([start, count]));
    expect(result).toEqual([[2, 1]]);
  });
});
