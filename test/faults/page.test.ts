import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { campaigns } from "./campaigns.ts";
import { newestRuns, page, renderedPage } from "./page.ts";
import type { RecordedRun } from "./record.ts";
import { isRecordedSince, readRecord } from "./record.ts";

const text = readFileSync(page, "utf8").replaceAll("\r\n", "\n");
const runs = readRecord();

function run(more: Partial<RecordedRun>): RecordedRun {
  return {
    date: "2026-01-01",
    commit: "abc1234",
    node: "v20.0.0",
    machine: "2 x a core",
    campaign: "restart-storm",
    what: "killed",
    transport: "tcp",
    seed: 1,
    isShort: false,
    seconds: 1,
    faults: 1_000,
    accounts: { jobs: { sent: 9, delivered: 7, reportedLost: 2, unaccounted: 0 } },
    highestBytes: 2 ** 20,
    recoveryMs: 7,
    notes: [],
    wrong: [],
    ...more,
  };
}

describe("docs/reliability.md", () => {
  it("shows what test/faults/history says: npm run test:faults -- --render", () => {
    expect(renderedPage(text, runs)).toBe(text);
  });

  it("has a row for each campaign, and says of each what is broken", () => {
    const shown = new Set(newestRuns(runs).map(({ campaign }) => campaign));
    for (const { name, what } of campaigns) {
      expect(shown).toContain(name);
      expect(text).toContain(`| \`${name}\` | ${what} |`);
    }
  });

  it("shows no run in which anything was wrong or unaccounted", () => {
    for (const { accounts, wrong } of newestRuns(runs)) {
      expect(wrong).toEqual([]);
      for (const { unaccounted } of Object.values(accounts)) expect(unaccounted).toBe(0);
    }
  });
});

/** A page with something between its two comments. */
function around(inside: string): string {
  const begin =
    "<!-- Written by `npm run test:faults -- --render` from test/faults/history: do not edit. -->";
  return `a\n${begin}${inside}<!-- Written until here. -->\nb`;
}

describe("a page rendered from runs", () => {
  it("has the newest whole run, and leaves the rest of the page alone", () => {
    const rendered = renderedPage(around("\nold\n"), [
      run({ faults: 1 }),
      run({}),
      run({ faults: 3, isShort: true }),
    ]);
    expect(rendered).toMatch(/^a\n/);
    expect(rendered).toMatch(/\nb$/);
    expect(rendered).toContain("| `restart-storm` | tcp | 1,000 | 9 | 7 | 2 | 0 | 1 MiB | 7 ms |");
    expect(rendered.match(/restart-storm/g)?.length).toBe(1);
  });

  it("needs the two comments", () => {
    expect(() => renderedPage("nothing", [])).toThrow("lacks the line");
  });
});

describe("a run that goes on", () => {
  it("leaves out what was recorded whole and well since", () => {
    const wanted = { campaign: "restart-storm", transport: "tcp" };
    const [before, since] = [Date.parse("2025-12-31"), Date.parse("2026-01-02")];
    expect(isRecordedSince([run({})], wanted, before)).toBe(true);
    expect(isRecordedSince([run({})], wanted, since)).toBe(false);
    expect(isRecordedSince([run({ isShort: true })], wanted, before)).toBe(false);
    expect(isRecordedSince([run({ wrong: ["x"] })], wanted, before)).toBe(false);
    expect(isRecordedSince([run({ transport: "ipc" })], wanted, before)).toBe(false);
  });
});
