import { execFile } from "node:child_process";
import process from "node:process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { corpus } from "./corpus.ts";
import type { Mutation } from "./mutations.ts";
import { mutations } from "./mutations.ts";
import { replayCommand, shrink } from "./shrink.ts";
import type { Run } from "./simulate.ts";
import { patterns, simulate } from "./simulate.ts";

const baseSeed = 20_261_129;
const seeds = 40;
/** In so many seeds each mutation has to show. */
const mostSeeds = 300;

// `npm run test:sim` is the long form.
describe("the sockets on a simulated network", { timeout: 120_000 }, () => {
  for (const pattern of patterns) {
    it(`keep every promise of ${pattern} in ${seeds} seeds`, async () => {
      for (let seed = baseSeed; seed < baseSeed + seeds; seed++) {
        const { violation } = await simulate({ pattern, seed });
        expect(`${seed}: ${violation}`).toBe(`${seed}: undefined`);
      }
    });
  }

  for (const { pattern, seed, found } of corpus) {
    it(`keep them in ${pattern} seed ${seed} again: ${found}`, async () => {
      const { violation } = await simulate({ pattern, seed });
      expect(violation).toBeUndefined();
    });
  }
});

describe("a simulated run", { timeout: 60_000 }, () => {
  for (const pattern of patterns) {
    it(`of ${pattern} is the same each time, event by event, whatever ran before`, async () => {
      const first = await simulate({ pattern, seed: 7, keepsLines: true });
      await simulate({ pattern: "pub-sub", seed: 8 });
      const again = await simulate({ pattern, seed: 7, keepsLines: true });
      expect(again.lines).toEqual(first.lines);
      expect(again.hash).toBe(first.hash);
      expect(first.lines.length).toBeGreaterThan(50);
      const other = await simulate({ pattern, seed: 9 });
      expect(other.hash).not.toBe(first.hash);
    });
  }

  it("is the same in another process", async () => {
    const { hash } = await simulate({ pattern: "push-pull", seed: 11 });
    const child = new URL("./children/hash.ts", import.meta.url).pathname;
    const node = ["--conditions=@msg-ts/source", "--import", "./dev/register.mjs"];
    const args = [...node, child, "push-pull", "11"];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    expect(stdout.trim()).toBe(hash);
  });
});

describe("the simulation", { timeout: 120_000 }, () => {
  for (const mutation of mutations) {
    it(`notices when ${mutation.name}`, async () => {
      const undo = mutation.apply();
      try {
        const failed = await firstFailure(mutation);
        expect(failed?.violation).toMatch(mutation.shows);
      } finally {
        undo();
      }
    });
  }

  it("finds a smaller schedule that fails in the same way, and tells how to repeat it", async () => {
    const mutation = mutations.find(({ name }) => name === "a returned job is lost");
    const undo = mutation?.apply();
    try {
      const failed = mutation && (await firstFailure(mutation));
      if (failed === undefined) throw new Error("nothing failed");
      const shrunk = await shrink(failed);
      expect(shrunk.steps.length).toBeLessThan(failed.steps);
      const command = replayCommand(shrunk);
      expect(command).toContain(`--seed ${failed.seed} --seeds 1 --steps `);
      const again = await simulate({
        pattern: "push-pull",
        seed: failed.seed,
        only: shrunk.steps,
      });
      expect(again.hash).toBe(shrunk.run.hash);
      expect(again.violation).toBe(shrunk.run.violation);
    } finally {
      undo?.();
    }
  });
});

async function firstFailure({ pattern, shows, firstSeed = 1 }: Mutation): Promise<Run | undefined> {
  for (let seed = firstSeed; seed < firstSeed + mostSeeds; seed++) {
    const run = await simulate({ pattern, seed });
    if (run.violation !== undefined && shows.test(run.violation)) return run;
  }
  return undefined;
}
