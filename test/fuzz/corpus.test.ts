import { describe, expect, it, onTestFinished } from "vitest";
import { readInputs } from "./corpus.ts";
import { Fuzzer } from "./fuzzer.ts";
import { targets } from "./targets.ts";

// Inputs that once reached something new, and every input that ever failed.
describe("the inputs that were kept", { timeout: 120_000 }, () => {
  for (const target of targets) {
    it(`are taken in well by ${target.name}`, async (context) => {
      const open = await target.open();
      if (typeof open === "string") return context.skip(open);
      onTestFinished(async () => open.close?.());
      const inputs = [...readInputs("failed", target.name), ...readInputs("corpus", target.name)];
      let next = open.caseOf(new Uint8Array(0));
      const fuzzer = new Fuzzer(target, () => next);
      for (const [at, input] of inputs.entries()) {
        next = open.caseOf(input);
        await fuzzer.run({ seed: 0, from: at, to: at + 1 });
      }
      expect(fuzzer.counts.failures).toEqual([]);
      expect(fuzzer.counts.runs).toBe(inputs.length);
    });
  }
});
