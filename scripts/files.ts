import { readdirSync, readFileSync, existsSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the repository, without a slash at its end. */
export const root: string = fileURLToPath(new URL("..", import.meta.url)).replace(/[\\/]$/, "");

const skipped = new Set(["node_modules", "dist", "coverage", ".pack", ".git"]);

/** A path as it is written in messages: from the root of the repository, with forward slashes. */
export function shown(path: string): string {
  return relative(root, path).split(sep).join("/");
}

/** Every TypeScript file under a folder of the repository, sorted; none if the folder is missing. */
export function sourceFiles(folder: string): string[] {
  const start = join(root, folder);
  return existsSync(start) ? walk(start).toSorted() : [];
}

function walk(folder: string): string[] {
  const found: string[] = [];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !skipped.has(entry.name)) found.push(...walk(path));
    else if (entry.isFile() && /\.m?ts$/.test(entry.name)) found.push(path);
  }
  return found;
}

export interface PackageFolder {
  readonly name: string;
  readonly folder: string;
  readonly isPrivate: boolean;
}

/** The packages of the workspace, by folder name. */
export function packages(): PackageFolder[] {
  const parent = join(root, "packages");
  return readdirSync(parent)
    .toSorted()
    .filter((folder) => existsSync(join(parent, folder, "package.json")))
    .map((folder) => {
      const manifest = readJson(join(parent, folder, "package.json"));
      return {
        name: String(manifest["name"]),
        folder: join(parent, folder),
        isPrivate: manifest["private"] === true,
      };
    });
}

export function readJson(path: string): Record<string, unknown> {
  return JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
}

/** Prints what is wrong and fails, or prints the one line of success. */
export function report(violations: readonly string[], success: string): void {
  for (const violation of violations) console.error(violation);
  if (violations.length === 0) console.log(success);
  else process.exitCode = 1;
}
