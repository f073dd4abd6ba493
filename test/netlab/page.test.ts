import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { newest, page, renderedPage } from "./page.ts";
import { readRecord } from "./record.ts";

const text = readFileSync(page, "utf8").replaceAll("\r\n", "\n");
const runs = readRecord();

describe("docs/reliability.md", () => {
  it("shows what test/netlab/history.jsonl says: npm run test:netlab -- --render", () => {
    expect(renderedPage(text, runs)).toBe(text);
  });

  it("shows no network in which anything was unaccounted", () => {
    expect(newest(runs).filter(({ unaccounted }) => unaccounted > 0)).toEqual([]);
  });

  it("needs the two comments", () => {
    expect(() => renderedPage("nothing", runs)).toThrow("lacks the line");
  });
});
