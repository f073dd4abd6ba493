import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { sourceFiles } from "../../scripts/files.ts";
import { anchorOf, document, documents, root } from "./markdown.ts";

const all = documents();

describe("a link between documents", () => {
  it("leads to a file or folder that is there", () => {
    const broken = all.flatMap(({ file, links }) =>
      links
        .filter(({ path }) => !existsSync(join(root, path)))
        .map(({ line, target }) => `${file}:${line}: ${target}`),
    );
    expect(broken).toEqual([]);
  });

  it("leads to a heading that is there", () => {
    const broken = all.flatMap(({ file, links }) =>
      links
        .filter(({ path, anchor }) => anchor !== "" && path.endsWith(".md"))
        .filter(({ path }) => existsSync(join(root, path)))
        .filter(({ path, anchor }) => !document(path).headings.map(anchorOf).includes(anchor))
        .map(({ line, target }) => `${file}:${line}: ${target}`),
    );
    expect(broken).toEqual([]);
  });
});

describe("a comment in the sources that cites a document", () => {
  const cited = ["packages", "scripts", "test", "examples"].flatMap(sourceFiles).flatMap((file) => {
    const text = readFileSync(file, "utf8").replaceAll(/\n\s*(?:\*|\/\/)\s/g, " ");
    return [...text.matchAll(/(?<path>docs\/[\w/-]+\.md)(?:, "(?<section>[^"]+)")?/g)].map(
      ({ groups }) => ({
        source: file.slice(root.length),
        path: groups?.["path"] ?? "",
        section: groups?.["section"],
      }),
    );
  });

  it("names one that is there", () => {
    const missing = cited.filter(({ path }) => !existsSync(join(root, path)));
    expect(missing.map(({ source, path }) => `${source}: ${path}`)).toEqual([]);
  });

  it("names a section of it", () => {
    const missing = cited
      .filter(({ path, section }) => section !== undefined && existsSync(join(root, path)))
      .filter(({ path, section }) => !sectionsOf(path).some((title) => title === section))
      .map(({ source, path, section }) => `${source}: ${path}, "${section}"`);
    expect(missing).toEqual([]);
  });
});

/** Headings without their number and without the frame kind behind them. */
function sectionsOf(path: string): string[] {
  return document(path).headings.map((heading) =>
    heading.replace(/^\d+\.\s+/, "").replace(/\s+0x\p{Hex_Digit}+$/u, ""),
  );
}
