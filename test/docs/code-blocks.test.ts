import { afterAll, describe, expect, it } from "vitest";
import { BlockFolder, expectedOutput } from "./code-blocks.ts";
import { documents } from "./markdown.ts";

const blocks = documents()
  .flatMap((document) => document.blocks)
  .filter(({ language }) => language === "ts" || language === "typescript");
const folder = new BlockFolder();
afterAll(() => folder.remove());

describe("the TypeScript in the documents", () => {
  it("has a runnable example in README.md", () => {
    const marked = blocks.filter(({ marks }) => marks.includes("run"));
    expect(marked.map(({ file }) => file)).toContain("README.md");
  });

  it("is marked with nothing but run and fragment", () => {
    const other = blocks.filter(({ marks }) =>
      marks.some((mark) => mark !== "run" && mark !== "fragment"),
    );
    expect(other.map(({ file, line }) => `${file}:${line}`)).toEqual([]);
  });

  it("type-checks", async () => {
    for (const block of blocks) folder.write(block);
    expect(await folder.check()).toEqual([]);
  });
});

describe("an example that is marked to run", () => {
  for (const block of blocks.filter(({ marks }) => marks.includes("run"))) {
    it.concurrent(`in ${block.file}, line ${block.line}, prints what it says and ends`, async () => {
      const { output, code } = await folder.run(block);
      expect(output.trim().split("\n")).toEqual(expectedOutput(block));
      expect(code).toBe(0);
    });
  }
});
