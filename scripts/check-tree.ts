/** Checks what a reader of the tree should never meet: open ends, `any`, overlong files, bare exports. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { report, root, shown, sourceFiles } from "./files.ts";

const maxLines = 500;

const openEnd = /\b(?:TODO|FIXME|XXX)\b/;
const looseType = /:\s*any\b|\bas\s+any\b|<any>|<any,|,\s*any>/;
const comment = /^\s*(?:\*|\/\/|\/\*)/;
const exported =
  /^export (?:default )?(?:declare )?(?:abstract )?(?:async )?(class|function\*?|interface|type|const|enum) (\w+)/;
const directive = /^\/\/ (?:oxlint|@ts-)/;

const violations: string[] = [];

function checkLines(file: string, lines: readonly string[]): void {
  lines.forEach((line, index) => {
    const at = `${shown(file)}:${index + 1}`;
    if (openEnd.test(line)) violations.push(`${at}: ${line.trim()}: file an issue and cite it`);
    const code = comment.test(line) ? "" : line.replace(/\s\/\/.*$/, "");
    if (looseType.test(code)) violations.push(`${at}: ${line.trim()}: use unknown, not any`);
  });
}

function checkLength(file: string, lines: readonly string[]): void {
  const count = lines.at(-1) === "" ? lines.length - 1 : lines.length;
  if (count > maxLines) {
    violations.push(`${shown(file)}:1: has ${count} lines, at most ${maxLines}: split it`);
  }
}

/** An overload after the first needs no comment of its own. */
function checkComments(file: string, lines: readonly string[]): void {
  const documented = new Set<string>();
  lines.forEach((line, index) => {
    const [, kind, name] = exported.exec(line) ?? [];
    if (kind === undefined || name === undefined || documented.has(name)) return;
    let above = index - 1;
    while (directive.test(lines[above] ?? "")) above -= 1;
    if (lines[above]?.trimEnd().endsWith("*/") === true) documented.add(name);
    else violations.push(`${shown(file)}:${index + 1}: exported ${kind} ${name} has no comment`);
  });
}

const seen = ["packages", "examples", "test", "bench"].flatMap(sourceFiles);
for (const file of seen) {
  const lines = readFileSync(file, "utf8").split(/\r?\n/);
  checkLines(file, lines);
  if (!file.endsWith(".test.ts")) checkLength(file, lines);
  if (/^packages\/[^/]+\/src\//.test(shown(file))) checkComments(file, lines);
}

const lockFile = join(root, "package-lock.json");
if (existsSync(lockFile)) {
  const lines = readFileSync(lockFile, "utf8").split("\n");
  lines.forEach((line, index) => {
    if (/"resolved":\s*"[a-z+]+:/.test(line)) {
      violations.push(`package-lock.json:${index + 1}: ${line.trim()}: names a registry`);
    }
  });
}

report(violations, `tree: ${seen.length} files have no open ends, no any, no bare exports`);
