/**
 * Puts each package into one file for each of its entries, and one for what they share, in the place
 * of what tsc wrote. An application then loads a dozen files instead of a hundred, which was most of
 * what importing `msg-ts` took (bench scenario: first-message). Declarations stay as tsc wrote them.
 */
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { packages, readJson } from "./files.ts";

/** What several entries share is named after this. */
const sharedPrefix = "shared-";

/** Of a package.json. */
type Exports = Readonly<Record<string, string | Readonly<Record<string, string>>>>;

/** The sources that others may import. */
function entriesOf(folder: string): string[] {
  const { exports } = readJson(join(folder, "package.json"));
  return Object.values(exports as Exports).flatMap((target) => {
    const source = typeof target === "string" ? undefined : target["@msg-ts/source"];
    return source === undefined ? [] : [join(folder, source)];
  });
}

/** The names of shared files change with what is in them. */
function removeShared(dist: string): void {
  for (const name of readdirSync(dist)) {
    if (name.startsWith(sharedPrefix)) rmSync(join(dist, name));
  }
}

for (const { folder, isPrivate } of packages()) {
  if (isPrivate) continue;
  const dist = join(folder, "dist");
  removeShared(dist);
  buildSync({
    entryPoints: entriesOf(folder),
    outbase: join(folder, "src"),
    outdir: dist,
    chunkNames: `${sharedPrefix}[hash]`,
    bundle: true,
    splitting: true,
    packages: "external",
    format: "esm",
    platform: "node",
    target: "node20",
    sourcemap: true,
    logLevel: "warning",
  });
}
