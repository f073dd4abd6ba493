import { expectNoLeaks } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import { rollPubs, rollPulls, rollReps } from "./rolling.ts";

describe("processes that are replaced one after the other", { timeout: 120_000 }, () => {
  expectNoLeaks({ withinMs: 10_000 });

  it("three REPs, at 2,000 requests a second: none fails", async () => {
    const report = await rollReps({ rounds: 1, rate: 2_000 });
    expect(report).toMatchObject({ restarts: 3, failed: {}, incomplete: 0 });
    expect(report.answered).toBe(report.asked);
    expect(report.asked).toBeGreaterThan(0);
  });

  it("three PULLs, at 2,000 jobs a second: none is lost, none is done twice", async () => {
    const report = await rollPulls({ rounds: 1, rate: 2_000 });
    expect(report).toMatchObject({ restarts: 3, redelivered: 0, refused: 0, incomplete: 0 });
    expect([report.acknowledged, report.done]).toEqual([report.sent, report.sent]);
    expect(report.sent).toBeGreaterThan(0);
  });

  it("two PUBs: all they published is heard in order, and each change is told as a gap", async () => {
    const report = await rollPubs({ rounds: 1, rate: 0 });
    expect(report).toMatchObject({ restarts: 2, lost: 0, outOfOrder: 0, incomplete: 0 });
    expect(report).toMatchObject({ uncountedGaps: 2, goodbyes: 4, heard: report.published });
  });
});
