import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { barChart } from "../../bench/harness/chart.ts";
import { goals, rowOf } from "../../bench/harness/goals.ts";
import { readHistory } from "../../bench/harness/history.ts";
import type { HistoryLine } from "../../bench/harness/history.ts";
import { chartFolder, page, renderedCharts, renderedPage } from "../../bench/harness/page.ts";
import { everything } from "../../bench/harness/plan.ts";
import { networkPage, networkTables, renderedNetworkPage } from "../../bench/network/page.ts";
import { figure } from "../../bench/harness/statistics.ts";

function line(rate: number, perZeromq: number, date: string): HistoryLine {
  const quotient = { perSecond: figure([perZeromq]) };
  return {
    date,
    commit: "abc1234",
    node: "v20.0.0",
    machine: "2 x a core",
    load: 0.5,
    scenario: "push-pull",
    transport: "tcp",
    sizeBytes: 64,
    count: 1,
    pin: "none",
    rounds: 3,
    contenders: {
      "ours/callback": { perSecond: figure([rate]), cpuMicros: figure([0.1]) },
      zeromq: { perSecond: figure([rate / perZeromq]), cpuMicros: figure([5]) },
    },
    ratios: { "ours/callback": { zeromq: quotient } },
  };
}

const empty =
  "before\n<!-- Written by `npm run bench:render` from bench/history: do not edit. -->\n";
const around = `${empty}old\n<!-- Written until here. -->\nafter\n`;

describe("docs/performance.md", () => {
  const text = readFileSync(page, "utf8");
  const history = readHistory();

  it("shows what bench/history says: npm run bench:render", () => {
    expect(renderedPage(text, history)).toBe(text);
  });

  it("has the charts of bench/history, and no others", () => {
    const charts = renderedCharts(history);
    const files = existsSync(chartFolder) ? readdirSync(chartFolder) : [];
    expect(files.toSorted()).toEqual([...charts.keys()].toSorted());
    for (const [name, svg] of charts) {
      expect(readFileSync(new URL(name, chartFolder), "utf8")).toBe(svg);
    }
  });
});

describe("docs/network.md", () => {
  const text = readFileSync(networkPage, "utf8");

  it("shows what bench/history says: npm run bench:render", () => {
    expect(renderedNetworkPage(text, readHistory())).toBe(text);
  });
});

describe("a page rendered from lines", () => {
  const written = renderedPage(around, [
    line(1_000_000, 10, "2026-01-01"),
    line(4_000_000, 40, "2026-01-02"),
  ]);

  it("shows the newest line of a row, with ratios and circumstances", () => {
    expect(written).toContain("| ours/callback | 4M (4M to 4M) | 0.1 |  |");
    expect(written).toContain("| zeromq | 100k (100k to 100k) | 5 | 40 x |");
    expect(written).toContain(
      "3 rounds, 2026-01-02, commit abc1234, 2 x a core, Node.js 20.0.0, load 0.5.",
    );
    expect(written).not.toContain("1M");
  });

  it("says of each goal whether it is reached, or that it is not measured", () => {
    const title = "push-pull 64 B tcp, callback";
    expect(written).toContain(`| ${title} | at least 30 x zeromq | 40 x | reached |`);
    expect(written).toContain(`| ${title} | at least 3 x libzmq |  | not measured |`);
    const slower = renderedPage(around, [line(1_000_000, 10, "2026-01-01")]);
    expect(slower).toContain(`| ${title} | at least 30 x zeromq | 10 x | **not reached** |`);
  });

  it("leaves alone what is around it, and refuses a page without its place", () => {
    expect(written.startsWith("before\n")).toBe(true);
    expect(written.endsWith("<!-- Written until here. -->\nafter\n")).toBe(true);
    expect(() => renderedPage("no place", [])).toThrow("docs/performance.md lacks the line");
  });
});

describe("the goals", () => {
  it("speak of rows that all measures, but for what is not built yet", () => {
    const overNetworks = networkTables.flatMap(([{ scenario }, networks]) =>
      networks.map(({ name }) => ({ scenario, transport: name })),
    );
    const planned = [...everything.map(({ settings }) => settings), ...overNetworks];
    const rows = planned.map((settings): HistoryLine => {
      const anything = new Proxy({}, { get: () => figure([1]) }) as Record<string, never>;
      const row = { ...line(1, 1, "2026-01-01"), ...settings };
      const each = new Proxy({}, { get: () => anything }) as Record<string, never>;
      return { ...row, contenders: each, ratios: new Proxy({}, { get: () => each }) };
    });
    const missing = goals.filter(({ measure }) => measure(rows) === undefined);
    expect(missing.map(({ title }) => title)).toEqual([]);
  });

  it("take the other one's time over ours where less is better", () => {
    const row = { ...line(1, 1, "2026-01-01"), scenario: "req-rep-1", pin: "one" };
    const quotient = { p50Micros: figure([0.25]) };
    const rows = [{ ...row, ratios: { ours: { zeromq: quotient, raw: quotient } } }];
    const outcomes = goals.map(({ aim, measure }) => [aim, measure(rows)?.text]);
    expect(outcomes).toContainEqual(["at least 3 x zeromq", "4 x"]);
    expect(outcomes).toContainEqual(["at most 1.10 x raw", "0.25 x"]);
  });

  it("look at the row of their own transport, size and pinning", () => {
    const rows = [line(1, 1, "2026-01-01")];
    expect(rowOf(rows, { scenario: "push-pull" })).toBe(rows[0]);
    expect(rowOf(rows, { scenario: "push-pull", transport: "ipc" })).toBeUndefined();
    expect(rowOf(rows, { scenario: "push-pull", sizeBytes: 16 })).toBeUndefined();
    expect(rowOf(rows, { scenario: "push-pull", pin: "one" })).toBeUndefined();
  });
});

describe("a chart", () => {
  const svg = barChart('a < b & "c"', [
    { label: "ours", value: 100, text: "100/s", isOurs: true },
    { label: "other", value: 25, text: "25/s", isOurs: false },
  ]);

  it("draws bars on one scale from 0", () => {
    const widths = [...svg.matchAll(/<rect[^>]* width="([\d.]+)"/g)].map(([, width]) =>
      Number(width),
    );
    expect(widths).toEqual([440, 110]);
  });

  it("escapes its texts, and has colours for a dark page", () => {
    expect(svg).toContain("a &lt; b &amp; &quot;c&quot;");
    expect(svg).toContain("prefers-color-scheme:dark");
  });
});
