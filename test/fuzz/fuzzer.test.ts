import process from "node:process";
import type { ErrorCode } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import { describe, expect, it } from "vitest";
import type { Case, Target } from "./case.ts";
import { Fuzzer } from "./fuzzer.ts";
import { Random } from "./random.ts";

const target: Target = {
  name: "made up",
  refusals: ["MSG_DECODE_FAILED"],
  open: async () => "made up",
};

/** What the fuzzer counts of one call. */
async function countsOf(take: (input: Uint8Array) => unknown, more: Partial<Case> = {}) {
  const input = Uint8Array.of(1, 2, 3);
  const made: Case = {
    how: "made up",
    input,
    take: () => take(input),
    wrongResult: () => undefined,
    wrongRefusal: () => undefined,
    ...more,
  };
  return new Fuzzer(target, () => made).run({ seed: 1, from: 7, to: 8 });
}

/** The first bytes that a run is given. */
function start(seed: number, run: number): string {
  return Random.ofRun(seed, run).bytes(8).join();
}

/** Keeps the processor for so long, whoever else wants it. */
function hold(ms: number): void {
  const startCpu = process.cpuUsage();
  let cpuMicros = 0;
  while (cpuMicros < 1000 * ms) {
    const { user, system } = process.cpuUsage(startCpu);
    cpuMicros = user + system;
  }
}

function refuse(code: ErrorCode): never {
  throw new MsgError(code, "made up");
}

describe("the fuzzer", () => {
  it("counts what is accepted and what is refused, at once or later", async () => {
    expect(await countsOf(() => 1)).toMatchObject({ runs: 1, accepted: 1, failures: [] });
    expect(await countsOf(async () => 1)).toMatchObject({ runs: 1, accepted: 1, failures: [] });
    const refused = { runs: 1, accepted: 0, refused: { MSG_DECODE_FAILED: 1 }, failures: [] };
    expect(await countsOf(() => refuse("MSG_DECODE_FAILED"))).toMatchObject(refused);
    expect(await countsOf(async () => refuse("MSG_DECODE_FAILED"))).toMatchObject(refused);
  });

  const wrong: [
    it: string,
    what: string,
    take: (input: Uint8Array) => unknown,
    more: Partial<Case>,
  ][] = [
    [
      "throws an error of others",
      "threw Error: other",
      () => Promise.reject(new Error("other")),
      {},
    ],
    ["refuses with a code that it may not use", "MSG_CLOSED", () => refuse("MSG_CLOSED"), {}],
    ["gives a wrong result", "wrong", () => 1, { wrongResult: () => "wrong" }],
    [
      "refuses what it should take",
      "wrong",
      () => refuse("MSG_DECODE_FAILED"),
      { wrongRefusal: () => "wrong" },
    ],
    ["changes its input", "changed its input", (input) => input.fill(9), {}],
    ["blocks at once", "blocked for", () => hold(100), {}],
    ["blocks later", "blocked for", () => Promise.resolve().then(() => hold(100)), {}],
  ];
  for (const [does, what, take, more] of wrong) {
    it(`tells of a call that ${does}, with the run and the input`, async () => {
      const { failures } = await countsOf(take, more);
      const shown = { run: 7, how: "made up", hex: "010203", bytes: 3 };
      expect(failures).toEqual([{ ...shown, what: expect.stringContaining(what) }]);
    });
  }

  it("does not tell of a call that was slow only once", async () => {
    let calls = 0;
    const { failures, slowestMs } = await countsOf(() => {
      if (calls++ === 0) hold(100);
    });
    expect(failures).toEqual([]);
    // Asked again until it was quick once, which a busy machine may put off.
    expect(calls).toBeGreaterThan(1);
    expect(slowestMs).toBeLessThan(50);
  });
});

describe("the chance of a run", () => {
  it("is the same each time, and another one for another run or seed", () => {
    expect(start(1, 1)).toBe(start(1, 1));
    const starts = [1, 2, 3].flatMap((seed) => [1, 2, 3].map((run) => start(seed, run)));
    expect(new Set(starts).size).toBe(starts.length);
  });
});
