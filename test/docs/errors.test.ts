import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { runFlags } from "./code-blocks.ts";
import { document, documents, root } from "./markdown.ts";

it("docs/errors.md is what npm run docs would write", async () => {
  const args = [...runFlags, "scripts/write-errors.ts", "--check"];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root });
  expect(stdout).toContain("names all");
});

it("every error code that a document names is in docs/errors.md", () => {
  const known = new Set(codesIn(document("docs/errors.md").text));
  const unknown = documents().flatMap(({ file, text }) =>
    codesIn(text)
      .filter((code) => !known.has(code))
      .map((code) => `${file}: ${code}`),
  );
  expect(unknown).toEqual([]);
});

function codesIn(text: string): string[] {
  return [...text.matchAll(/`(MSG_[A-Z_]+)`/g)].map(([, code = ""]) => code);
}
