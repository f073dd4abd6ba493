import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { page, readRecord, renderedPage } from "./record.ts";

describe("docs/network.md", () => {
  const text = readFileSync(page, "utf8").replaceAll("\r\n", "\n");

  it("shows what test/quic/history.jsonl says: npm run test:quic -- --render", () => {
    expect(renderedPage(text, readRecord())).toBe(text);
  });

  it("needs the two comments", () => {
    expect(() => renderedPage("nothing", [])).toThrow("lacks the line");
  });
});
