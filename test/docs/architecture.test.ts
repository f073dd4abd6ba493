import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { document, root } from "./markdown.ts";

const page = document("docs/architecture.md");

describe("an invariant of docs/architecture.md", () => {
  const claims = [...page.text.matchAll(/\]\((?<path>[^)]+\.ts)\): "(?<name>[^"]+)" \|$/gm)].map(
    ({ groups }) => ({ path: groups?.["path"] ?? "", name: groups?.["name"] ?? "" }),
  );

  for (const { path, name } of claims) {
    it(`names a test that is there: ${name}`, () => {
      const source = readFileSync(join(root, dirname(page.file), path), "utf8");
      expect(source).toContain(name);
    });
  }

  it("is one of many", () => {
    expect(claims.length).toBeGreaterThan(20);
  });
});

describe("docs/architecture.md", () => {
  it("names only files and folders that are there", () => {
    const paths = [...page.text.matchAll(/(?:`|^)((?:packages|scripts)\/[\w./-]+?)(?:`|\s)/gm)];
    const named = paths.map(([, path = ""]) => path);
    expect(named).not.toEqual([]);
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});
