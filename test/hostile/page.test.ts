import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { attacks } from "./campaign/attacks.ts";
import { page, readRecord, renderedPage, withResult } from "./page.ts";

describe("the attacks in docs/reliability.md", () => {
  const results = readRecord();

  it("are those that test/hostile/history has: npm run test:hostile -- --render", () => {
    const text = readFileSync(page, "utf8").replaceAll("\r\n", "\n");
    expect(renderedPage(text, results)).toBe(text);
  });

  it("are all there, on every transport that they are for", () => {
    for (const { name, over = ["tcp", "tls", "ipc", "quic"] } of attacks) {
      const found = results.filter((result) => result.name === name);
      expect([name, found.map(({ transport }) => transport)]).toEqual([
        name,
        ["tcp", "tls", "ipc", "quic"].filter((transport) => over.some((one) => one === transport)),
      ]);
    }
  });

  it("are replaced one by one, and all others stay", () => {
    const [first, second, ...rest] = results;
    if (first === undefined || second === undefined) throw new Error("nothing is recorded");
    const newer = { ...second, date: "2030-01-01T00:00:00.000Z" };
    expect(withResult(results, newer)).toEqual([first, newer, ...rest]);
    expect(withResult([second, ...rest], first)).toEqual(results);
  });

  it("need the two comments", () => {
    expect(() => renderedPage("nothing", results)).toThrow("lacks the line");
  });
});
