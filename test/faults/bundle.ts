import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

/** Beside the packages that stay outside, where they are found. */
const cache = fileURLToPath(
  new URL(`../../node_modules/.msg-ts-children/${process.pid}/`, import.meta.url),
);

/** By the folder of their sources. */
const built = new Map<string, string>();

/**
 * The child of that name as one file of JavaScript: a process that is killed and started again a
 * hundred times must not take longer to compile than to work.
 */
export function bundled(children: URL, name: string): string {
  let outdir = built.get(children.href);
  if (outdir === undefined) {
    outdir = join(cache, String(built.size));
    build(fileURLToPath(children), outdir);
    built.set(children.href, outdir);
  }
  return join(outdir, `${name}.mjs`);
}

function build(children: string, outdir: string): void {
  buildSync({
    entryPoints: readdirSync(children).map((file) => join(children, file)),
    outdir,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    conditions: ["@msg-ts/source"],
    external: ["@mongodb-js/zstd", "snappy", "lz4-napi", "@matrixai/*", "@infisical/*"],
    format: "esm",
    platform: "node",
    target: "node20",
    sourcemap: true,
    logLevel: "warning",
  });
  process.once("exit", () => rmSync(outdir, { recursive: true, force: true }));
}
