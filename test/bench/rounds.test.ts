import { describe, expect, it } from "vitest";
import { rowText } from "../../bench/harness/print.ts";
import { settingsOf } from "../../bench/harness/plan.ts";
import type { Entry } from "../../bench/harness/round.ts";
import { runRound } from "../../bench/harness/round.ts";
import { measureRow } from "../../bench/harness/row.ts";
import type { Contender } from "../../bench/peers/contender.ts";
import { contenderNames, loadContender } from "../../bench/peers/names.ts";

const short = { warmUpMs: 10, windowMs: 250 };

async function contenderOf(name: string): Promise<Contender> {
  const loaded = await loadContender(name);
  if ("missing" in loaded) throw new Error(loaded.missing);
  return loaded.contender;
}

async function entry(name: string, variant: string): Promise<Entry> {
  return { label: name, contender: await contenderOf(name), variant };
}

describe("a round", { timeout: 60_000 }, () => {
  it("counts in two processes, ours and raw in turns, and gives their quotients", async () => {
    const entries = [await entry("ours", "callback"), await entry("raw", "")];
    const settings = settingsOf({ scenario: "push-pull", ...short });
    const { row, failures } = await measureRow(settings, entries, {
      rounds: 1,
      fromSource: true,
      isOurs: ({ label }) => label === "ours",
    });
    expect(failures).toEqual([]);
    const { ours, raw } = row.contenders;
    for (const name of ["perSecond", "receiveCpuMicros", "sendCpuMicros"]) {
      expect(ours?.[name]?.median).toBeGreaterThan(0);
      expect(raw?.[name]?.median).toBeGreaterThan(0);
    }
    const quotient = (ours?.["perSecond"]?.median ?? 0) / (raw?.["perSecond"]?.median ?? 0);
    expect(row.ratios["ours"]?.["raw"]?.["perSecond"]?.median).toBeCloseTo(quotient, 2);
    expect(rowText(row)).toMatch(/^push-pull, 64 B, tcp\n.*per second.*ours is\n {2}ours /);
  });

  it("times round trips one by one", async () => {
    const settings = settingsOf({ scenario: "req-rep-1", ...short });
    const measures = await runRound(await entry("ours", ""), settings, { fromSource: true });
    const { p50Micros = 0, p99Micros = 0 } = measures;
    expect(p50Micros).toBeGreaterThan(0);
    expect(p99Micros).toBeGreaterThanOrEqual(p50Micros);
  });

  it("fails in the words of the process that failed", async () => {
    const settings = settingsOf({ scenario: "pub-sub-1", ...short });
    const round = runRound(await entry("grpc", ""), settings, { fromSource: true });
    await expect(round).rejects.toThrow(/^grpc sender ended with 1\n[^]*grpc publishes nothing/);
  });
});

describe("the contenders", () => {
  it("each have a file that says what they are, or how to install it", async () => {
    for (const name of contenderNames) {
      const loaded = await loadContender(name);
      const said = "missing" in loaded ? loaded.missing : `is ${loaded.contender.name}`;
      expect(said).toMatch(new RegExp(`^is ${name}$|npm ci|apt install|install Rust`));
    }
  });
});
