/**
 * Compares two commits of ours: A B, then B A, and so on.
 *
 *   npm run bench:ab -- <commit> <commit> [scenario...] [options of npm run bench]
 *
 * Each commit is checked out and built in a folder of its own, with the bench of this tree; `.` is
 * this tree as it stands. Printed is how many times as much the second has as the first, from
 * quotients of the same round: of a rate more is better, of CPU less.
 */
import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "./harness/build.ts";
import { entriesOf } from "./harness/entries.ts";
import { parseOptions, runCommand, UsageError } from "./harness/options.ts";
import type { Plan } from "./harness/plan.ts";
import { heading, short } from "./harness/print.ts";
import type { Entry } from "./harness/round.ts";
import type { Row } from "./harness/row.ts";
import { measureRow } from "./harness/row.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const usual = ["push-pull", "req-rep-1", "req-rep-64", "pub-sub-1"];
const usualRounds = 10;

/** A commit that can be run. */
interface Tree {
  readonly label: string;
  readonly folder: string;
}

function git(...args: string[]): string {
  return execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
}

/** Everything that is installed here, but the packages of the tree itself. */
function linkInstalled(folder: string): void {
  const [from, to] = [join(root, "node_modules"), join(folder, "node_modules")];
  mkdirSync(join(to, "@msg-ts"), { recursive: true });
  for (const name of readdirSync(from)) {
    if (name !== "@msg-ts" && name !== "msg-ts") symlinkSync(join(from, name), join(to, name));
  }
  for (const name of readdirSync(join(folder, "packages"))) {
    const link = name === "msg-ts" ? "msg-ts" : `@msg-ts/${name}`;
    symlinkSync(join(folder, "packages", name), join(to, link));
  }
}

function checkOut(revision: string, parent: string): Tree {
  if (revision === ".") {
    build(root);
    return { label: "this", folder: root };
  }
  const label = git("rev-parse", "--short", "--verify", `${revision}^{commit}`);
  const folder = join(parent, label);
  if (existsSync(folder)) throw new UsageError(`both are ${label}`);
  git("worktree", "add", "--detach", "--quiet", folder, label);
  for (const name of ["bench", "dev"]) {
    rmSync(join(folder, name), { recursive: true, force: true });
    cpSync(join(root, name), join(folder, name), { recursive: true });
  }
  linkInstalled(folder);
  try {
    build(folder);
  } catch {
    throw new UsageError(`${label} cannot be built`);
  }
  return { label, folder };
}

async function compare({ settings, peers, rounds }: Plan, trees: readonly Tree[]): Promise<void> {
  const found = await entriesOf(settings, peers, (line) => console.error(line));
  for (const { contender, variant } of found) {
    const entries = trees.map(({ label, folder }): Entry => {
      return { label, contender, variant, root: folder };
    });
    const isOurs = (entry: Entry): boolean => entry === entries[1];
    const { row, failures } = await measureRow(settings, entries, { rounds, isOurs });
    for (const { label, message } of failures) console.error(`${label} failed: ${message}`);
    console.log(`${heading(row)}${variant === "" ? "" : `, ${variant}`}, ${rounds} rounds`);
    console.log(comparison(row, trees));
  }
}

function comparison(row: Row, [first, second]: readonly Tree[]): string {
  const quotients = row.ratios[second?.label ?? ""]?.[first?.label ?? ""] ?? {};
  return Object.entries(quotients)
    .map(([name, { median, min, max }]) => {
      const [before, after] = [first, second].map((tree) => {
        return short(row.contenders[tree?.label ?? ""]?.[name]?.median ?? Number.NaN);
      });
      const spread = `${min.toFixed(3)} to ${max.toFixed(3)}`;
      return `  ${name.padEnd(18)} x${median.toFixed(3)} (${spread})  ${before} -> ${after}`;
    })
    .join("\n");
}

async function main(args: readonly string[]): Promise<void> {
  const [before, after, ...rest] = args;
  if (before === undefined || after === undefined) throw new UsageError("which two commits?");
  const isNamed = rest[0] !== undefined && !rest[0].startsWith("--");
  const words = isNamed ? rest : [...usual, ...rest];
  if (!words.includes("--peers")) words.push("--peers", "ours");
  if (!words.includes("--rounds")) words.push("--rounds", String(usualRounds));
  const { plan } = parseOptions(words);
  const parent = mkdtempSync(join(tmpdir(), "msg-ts-bench-"));
  const cleanUp = (): void => {
    rmSync(parent, { recursive: true, force: true });
    git("worktree", "prune");
  };
  process.once("SIGINT", () => {
    cleanUp();
    process.exit(130);
  });
  const trees: Tree[] = [];
  try {
    trees.push(checkOut(before, parent), checkOut(after, parent));
    for (const one of plan) await compare(one, trees);
  } finally {
    cleanUp();
  }
}

await runCommand(main);
