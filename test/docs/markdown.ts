import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the repository. */
export const root: string = fileURLToPath(new URL("../..", import.meta.url));

/** A fenced block of code. */
export interface CodeBlock {
  /** The document it stands in, from the root. */
  readonly file: string;
  /** Where its first line of code is, counted from 1. */
  readonly line: number;
  readonly language: string;
  /** What follows the language: `run`, `fragment`. */
  readonly marks: readonly string[];
  readonly text: string;
}

/** A link that leads to another place in the repository. */
interface LocalLink {
  readonly line: number;
  /** As written. */
  readonly target: string;
  /** The file or folder it leads to, from the root. */
  readonly path: string;
  /** Behind the `#`, empty when there is none. */
  readonly anchor: string;
}

/** A table with a comment `<!-- name: argument -->` on the line before it. */
interface MarkedTable {
  readonly line: number;
  readonly name: string;
  readonly argument: string;
  /** Cells by column title. */
  readonly rows: readonly Readonly<Record<string, string>>[];
}

/** One Markdown file, taken apart. */
export interface MarkdownFile {
  /** From the root, with forward slashes. */
  readonly file: string;
  readonly text: string;
  readonly headings: readonly string[];
  readonly blocks: readonly CodeBlock[];
  readonly links: readonly LocalLink[];
  readonly tables: readonly MarkedTable[];
}

/** Every document of the repository. */
export function documents(): MarkdownFile[] {
  const packages = readdirSync(join(root, "packages")).map((name) => `packages/${name}/README.md`);
  const files = [
    ...readdirSync(root),
    ...packages.filter((file) => existsSync(join(root, file))),
    ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" }).map((path) =>
      ["docs", ...path.split(sep)].join("/"),
    ),
  ];
  return files
    .filter((file) => file.endsWith(".md"))
    .toSorted()
    .map(document);
}

/** One document. Throws when there is none. */
export function document(file: string): MarkdownFile {
  return parseMarkdown(file, readFileSync(join(root, file), "utf8"));
}

function parseMarkdown(file: string, text: string): MarkdownFile {
  const lines = text.split(/\r?\n/);
  const blocks = codeBlocksOf(file, lines);
  const prose = withoutCode(lines);
  return {
    file,
    text,
    headings: prose.flatMap((line) => /^#+\s+(.*?)\s*$/.exec(line)?.[1] ?? []),
    blocks,
    links: prose.flatMap((line, index) => linksOf(file, line, index + 1)),
    tables: tablesOf(prose),
  };
}

const fence = /^(?<indent>\s*)(?<ticks>`{3,})(?<info>[^`]*)$/;

function codeBlocksOf(file: string, lines: readonly string[]): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  for (let index = 0; index < lines.length; index++) {
    const opening = fence.exec(lines[index] ?? "")?.groups;
    if (opening === undefined) continue;
    const [language = "", ...marks] = (opening["info"] ?? "").trim().split(/\s+/);
    const start = index + 1;
    do index++;
    while (index < lines.length && lines[index]?.trim() !== opening["ticks"]);
    const text = `${lines.slice(start, index).join("\n")}\n`;
    blocks.push({ file, line: start + 1, language, marks, text });
  }
  return blocks;
}

/** The same number of lines, those of code blocks empty. */
function withoutCode(lines: readonly string[]): string[] {
  let closing: string | undefined;
  return lines.map((line) => {
    if (closing !== undefined) {
      if (line.trim() === closing) closing = undefined;
      return "";
    }
    closing = fence.exec(line)?.groups?.["ticks"];
    return closing === undefined ? line : "";
  });
}

function linksOf(file: string, line: string, number: number): LocalLink[] {
  const plain = line.replaceAll(/`[^`]*`/g, (code) => "x".repeat(code.length));
  return [...plain.matchAll(/\[[^\]]*\]\((?<target>[^)\s]+)\)/g)].flatMap((match) => {
    const target = match.groups?.["target"] ?? "";
    if (/^[a-z]+:/.test(target)) return [];
    const [path = "", anchor = ""] = target.split("#");
    const found = path === "" ? file : relative(root, resolve(root, dirname(file), path));
    return [{ line: number, target, path: found.split(sep).join("/"), anchor }];
  });
}

const marker = /^<!-- (?<name>\w+)(?:: (?<argument>\w+))? -->$/;

function tablesOf(lines: readonly string[]): MarkedTable[] {
  return lines.flatMap((line, index) => {
    const marked = marker.exec(line)?.groups;
    if (marked === undefined || lines[index + 1]?.startsWith("|") !== true) return [];
    const rows: string[][] = [];
    for (let next = index + 1; lines[next]?.startsWith("|") === true; next++) {
      rows.push(cellsOf(lines[next] ?? ""));
    }
    const [titles = [], , ...body] = rows;
    return [
      {
        line: index + 1,
        name: marked["name"] ?? "",
        argument: marked["argument"] ?? "",
        rows: body.map((cells) =>
          Object.fromEntries(titles.map((title, at) => [title, cells[at] ?? ""])),
        ),
      },
    ];
  });
}

function cellsOf(line: string): string[] {
  return line
    .slice(1, line.lastIndexOf("|"))
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());
}

/** The anchor that a heading gets: lower case, spaces as hyphens, other signs left out. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(/\s/g, "-");
}
