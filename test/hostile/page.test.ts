import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { attacks } from "./campaign/attacks.ts";
import { page, readRecord, renderedPage } from "./page.ts";

describe("the attacks in docs/reliability.md", () => {
  const run = readRecord();

  it("are those that test/hostile/history has: npm run test:hostile -- --render", () => {
    const text = readFileSync(page, "utf8").replaceAll("\r\n", "\n");
    expect(renderedPage(text, run)).toBe(text);
  });

  it("are all there, on every transport that they are for", () => {
    for (const { name, over = ["tcp", "tls", "ipc", "quic"] } of attacks) {
      const found = run.results.filter((result) => result.name === name);
      expect([name, found.map(({ transport }) => transport)]).toEqual([
        name,
        ["tcp", "tls", "ipc", "quic"].filter((transport) => over.some((one) => one === transport)),
      ]);
    }
  });

  it("need the two comments", () => {
    expect(() => renderedPage("nothing", run)).toThrow("lacks the line");
  });
});
