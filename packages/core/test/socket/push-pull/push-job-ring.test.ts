import { describe, expect, it } from "vitest";
import { JobRing } from "../../../src/socket/push-pull/job-ring.ts";

interface TestJob {
  readonly name: number;
}

function ringOf(count: number, firstSequence = 0): JobRing<TestJob> {
  const ring = new JobRing<TestJob>(firstSequence);
  for (let name = 0; name < count; name++) ring.push({ name }, 10);
  return ring;
}

function take(ring: JobRing<TestJob>, sequence: number, count: number): number[] {
  const names: number[] = [];
  ring.take(sequence, count, (job) => names.push(job.name));
  return names;
}

function takeAll(ring: JobRing<TestJob>): number[] {
  const names: number[] = [];
  ring.takeAll((job) => names.push(job.name));
  return names;
}

const nearWrap = 0xffff_fffc;

describe("JobRing", () => {
  it("takes out those that end at a byte or before, oldest first", () => {
    const ring = new JobRing<TestJob>(nearWrap);
    for (let name = 1; name <= 8; name++) {
      ring.push({ name }, 10);
      ring.setEnd(name * 100);
    }
    expect([ring.takeUpTo(99), ring.takeUpTo(300), ring.takeUpTo(349)]).toEqual([0, 3, 0]);
    expect([ring.size, ring.bytes]).toEqual([5, 50]);
    expect(takeAll(ring)).toEqual([4, 5, 6, 7, 8]);
    expect(ring.takeUpTo(Infinity)).toBe(0);
  });

  it.each([
    ["one beyond the next number", 10, 1],
    ["a range that ends one beyond the next number", 5, 6],
    ["a range one too far back", 0xffff_0000 - 1, 1],
    ["half the number space away", 0x8000_0000, 1],
    ["the longest range from the oldest on", 0, 65_536],
  ])("refuses %s", (_what, sequence, count) => {
    const ring = ringOf(10);
    expect(() => take(ring, sequence, count)).toThrow(
      expect.objectContaining({ code: "MSG_PROTOCOL" }),
    );
    expect(ring.size).toBe(10);
  });

  it("refuses a range after the wrap that was not sent", () => {
    const ring = ringOf(8, nearWrap);
    expect(() => take(ring, 4, 1)).toThrow(expect.objectContaining({ code: "MSG_PROTOCOL" }));
  });

  it("refuses any number that was never sent on an empty ring", () => {
    expect(() => take(new JobRing<TestJob>(), 0, 1)).toThrow(
      expect.objectContaining({ code: "MSG_PROTOCOL" }),
    );
  });

  it("takes a range that reaches as far back as allowed", () => {
    const ring = ringOf(10);
    expect(take(ring, 0xffff_0000, 65_536)).toEqual([]);
    expect(take(ring, 0xffff_0000 + 10, 65_536)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it("gives the jobs of a range once, oldest first", () => {
    const ring = ringOf(10);
    expect(take(ring, 2, 3)).toEqual([2, 3, 4]);
    expect(take(ring, 2, 3)).toEqual([]);
    expect(take(ring, 0, 10)).toEqual([0, 1, 5, 6, 7, 8, 9]);
    expect(ring.size).toBe(0);
  });

  it("counts jobs and bytes", () => {
    const ring = ringOf(10);
    take(ring, 0, 4);
    expect([ring.size, ring.bytes]).toEqual([6, 60]);
  });

  it("goes on over the wrap of the sequence numbers", () => {
    const ring = ringOf(8, nearWrap);
    expect(take(ring, 0xffff_fffe, 4)).toEqual([2, 3, 4, 5]);
    expect(take(ring, nearWrap, 8)).toEqual([0, 1, 6, 7]);
    expect(ring.push({ name: 8 }, 0)).toBe(4);
    expect(takeAll(ring)).toEqual([8]);
  });

  it("keeps every job when it grows over the wrap with holes in it", () => {
    const ring = ringOf(64, nearWrap);
    take(ring, 0, 8);
    for (let name = 64; name < 1_000; name++) ring.push({ name }, 0);
    const names = takeAll(ring);
    expect(names).toHaveLength(1_000 - 8);
    expect(names).toEqual(names.toSorted((a, b) => a - b));
    expect(names).not.toContain(4);
  });

  it("has no further number when the oldest is 65,535 behind", () => {
    const ring = ringOf(65_535);
    expect(ring.hasSequence).toBe(true);
    ring.push({ name: 65_535 }, 0);
    take(ring, 1, 65_535);
    expect([ring.size, ring.hasSequence]).toEqual([1, false]);
    take(ring, 0, 1);
    expect(ring.hasSequence).toBe(true);
  });

  it("tells where an entry ends in what its connection was given", () => {
    const ring = new JobRing<TestJob>(nearWrap);
    for (let name = 0; name < 100; name++) {
      ring.push({ name }, 0);
      ring.setEnd(1_000 * name);
    }
    const ends: number[] = [];
    ring.takeAll(({ name }, endsAtByte) => ends.push(endsAtByte - 1_000 * name));
    expect(ends).toEqual(Array.from({ length: 100 }, () => 0));
  });

  it("gives everything that is left, oldest first", () => {
    const ring = ringOf(6);
    take(ring, 1, 2);
    expect(takeAll(ring)).toEqual([0, 3, 4, 5]);
    expect([ring.size, ring.bytes]).toEqual([0, 0]);
    expect(takeAll(ring)).toEqual([]);
  });
});
