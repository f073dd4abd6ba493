import { describe, expect, it, onTestFinished } from "vitest";
import { Fuzzer } from "./fuzzer.ts";
import { targets } from "./targets.ts";

const seed = 20_261_120;
const manyRuns = 2_000;
/** Of what takes a socket or a stream each time. */
const fewRuns = 500;
/** What is longer takes too long for a test, most of all where other processes want the processor. */
const maxInputBytes = 128 * 1024;

function runsOf(target: string): number {
  return /^(?:wire|connection|quic) /.test(target) ? fewRuns : manyRuns;
}

// `npm run fuzz` is the long form.
describe(`given ${fewRuns} or ${manyRuns} damaged inputs`, { timeout: 120_000 }, () => {
  for (const target of targets) {
    it(`${target.name} gives bytes within the limit or a coded error, and blocks for no long time`, async (context) => {
      const open = await target.open();
      if (typeof open === "string") return context.skip(open);
      onTestFinished(async () => open.close?.());
      const runs = runsOf(target.name);
      const counts = await new Fuzzer(target, open.makeCase).run({
        seed,
        from: 0,
        to: runs,
        maxInputBytes,
      });
      expect(counts.failures).toEqual([]);
      expect(counts.runs).toBeGreaterThan(0.9 * runs);
      expect(counts.accepted).toBeGreaterThan(runs / 20);
      for (const code of target.refusals) expect(counts.refused[code]).toBeGreaterThan(10);
    });
  }
});
