import { describe, expect, it } from "vitest";
import { parseOptions, usage, UsageError } from "../../bench/harness/options.ts";
import { everything } from "../../bench/harness/plan.ts";
import { contenderNames } from "../../bench/peers/names.ts";
import { scenarios } from "../../bench/scenarios/names.ts";

describe("the command line of the bench", () => {
  it("takes a scenario with its own count and size", () => {
    const { plan } = parseOptions(["req-rep-2048", "--transport", "ipc", "--rounds", "5"]);
    expect(plan).toHaveLength(1);
    expect(plan[0]).toMatchObject({ rounds: 5, peers: contenderNames });
    expect(plan[0]?.settings).toMatchObject({ transport: "ipc", sizeBytes: 512, count: 2_048 });
  });

  it("takes several scenarios, and styles of a contender", () => {
    const { plan } = parseOptions(["push-pull", "req-rep-1", "--peers", "ours/callback,raw"]);
    expect(plan.map(({ settings }) => settings.scenario)).toEqual(["push-pull", "req-rep-1"]);
    expect(plan[0]?.peers).toEqual(["ours/callback", "raw"]);
  });

  it("takes all", () => {
    expect(parseOptions(["all"]).plan).toEqual(everything);
    expect(parseOptions(["all", "--rounds", "1"]).plan.every(({ rounds }) => rounds === 1)).toBe(
      true,
    );
  });

  it("takes all rows of the contenders that were asked for", () => {
    const { plan } = parseOptions(["all", "--peers", "msg-rs,ours/callback", "--window", "50"]);
    const rows = plan.map(({ settings, peers }) => [settings.scenario, peers]);
    expect(rows).toContainEqual(["req-rep-2048", ["msg-rs"]]);
    expect(rows).toContainEqual(["push-pull", ["ours/callback"]]);
    expect(plan.every(({ settings }) => settings.windowMs === 50)).toBe(true);
  });

  for (const [words, message] of [
    [[], "which scenario?"],
    [["push-pool"], 'there is no scenario "push-pool"'],
    [["push-pull", "--transport", "udp"], '--transport is "udp", must be one of tcp, ipc'],
    [["push-pull", "--peers", "zmq"], '--peers is "zmq", must be one of '],
    [["push-pull", "--rounds", "0"], "--rounds is 0, must be a whole number, 1 or more"],
    [["push-pull", "--size", "-1"], "--size"],
    [["push-pull", "--fast"], "--fast"],
    [["all", "--size", "16"], "--size does not go with all"],
  ] as const) {
    it(`refuses "${words.join(" ")}" and says why`, () => {
      expect(() => parseOptions(words)).toThrow(UsageError);
      expect(() => parseOptions(words)).toThrow(message);
    });
  }

  it("lists every scenario in its usage", () => {
    for (const name of Object.keys(scenarios)) expect(usage()).toContain(`  ${name} `);
  });
});

describe("the plan of all", () => {
  it("names scenarios, contenders and sizes that there are, each row once", () => {
    const rows = everything.map(({ settings }) => JSON.stringify(settings));
    expect(new Set(rows).size).toBe(rows.length);
    for (const { settings, peers } of everything) {
      expect(Object.keys(scenarios)).toContain(settings.scenario);
      for (const peer of peers) expect(contenderNames).toContain(peer.split("/")[0]);
    }
  });
});
