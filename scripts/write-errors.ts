/** Writes docs/errors.md from the table in packages/core/src/errors.ts; with --check, only compares. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "./files.ts";

const source = "packages/core/src/errors.ts";
const target = "docs/errors.md";

async function readTable(): Promise<Map<string, string>> {
  if (!existsSync(join(root, source))) throw new Error(`${source} is missing`);
  const module = (await import(new URL(`../${source}`, import.meta.url).href)) as Record<
    string,
    unknown
  >;
  const table = module["errorCodes"];
  if (typeof table !== "object" || table === null) {
    throw new Error(`${source} exports no table errorCodes`);
  }
  const rows = new Map<string, string>();
  for (const [code, advice] of Object.entries(table)) {
    if (typeof advice !== "string") throw new Error(`${source}: ${code} is not a text`);
    rows.set(code, advice);
  }
  return rows;
}

function render(rows: ReadonlyMap<string, string>): string {
  const lines = [...rows].map(
    ([code, advice]) => `| \`${code}\` | ${advice.replaceAll("|", "\\|").replaceAll("\n", " ")} |`,
  );
  return [
    "# Errors",
    "",
    `<!-- Generated from ${source} by \`npm run docs\`. Do not edit. -->`,
    "",
    "Every error of this library is a `MsgError`. Match on its `code`: messages are for people and may",
    "change in any release. An error from below, of Node.js for example, is its `cause`.",
    "",
    "| Code | What it means and what to do |",
    "| --- | --- |",
    ...lines,
    "",
  ].join("\n");
}

const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });
const rows = await readTable();
const wanted = render(rows);
const path = join(root, target);
const found = existsSync(path) ? readFileSync(path, "utf8").replaceAll("\r\n", "\n") : "";

if (found === wanted) {
  console.log(`docs: ${target} names all ${rows.size} codes`);
} else if (values.check) {
  console.error(`${target}: differs from ${source}: run npm run docs`);
  process.exitCode = 1;
} else {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, wanted);
  console.log(`docs: wrote ${target}, ${rows.size} codes`);
}
