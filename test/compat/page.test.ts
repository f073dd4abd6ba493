import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { faultsOf, scenarioOf, surprisesOf } from "./judge.ts";
import { page, readRecord, renderedPage } from "./page.ts";
import { plays } from "./scenarios/all.ts";

describe("the scenarios in docs/zeromq-js.md", () => {
  const run = readRecord();

  it("are those that test/compat/history has: npm run test:compat -- --render", () => {
    const text = readFileSync(page, "utf8").replaceAll("\r\n", "\n");
    expect(renderedPage(text, run)).toBe(text);
  });

  it("are all that there are: npm run test:compat -- --record", () => {
    expect(run.results.map(({ what, carrier }) => `${what}, ${carrier}`)).toEqual(
      plays.map(({ scenario, carrier }) => `${scenario.what}, ${carrier}`),
    );
  });

  it("came out as they have to, and say why they differ where they do", () => {
    expect([...faultsOf(run.results), ...surprisesOf(run.results)]).toEqual([]);
  });

  it("fail when ours gives another, or a difference is not told or not there", () => {
    const [first, differing] = [
      run.results.find((result) => scenarioOf(result)?.difference === undefined),
      run.results.find((result) => scenarioOf(result)?.difference !== undefined),
    ];
    if (first === undefined || differing === undefined) throw new Error("both kinds are there");
    const another = { ...first, theirs: "another" };
    const same = { ...differing, theirs: differing.ours };
    expect(faultsOf([{ ...first, ours: "another" }])[0]).toContain("must give");
    expect(surprisesOf([another])[0]).toContain("nothing says why");
    expect(surprisesOf([same])[0]).toContain("tells of a difference");
  });

  it("need the two comments", () => {
    expect(() => renderedPage("nothing", run)).toThrow("lacks the line");
  });
});
