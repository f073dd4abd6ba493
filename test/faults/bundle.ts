import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

const children = fileURLToPath(new URL("children/", import.meta.url));

/** Beside the packages that stay outside, where they are found. */
const outdir = fileURLToPath(
  new URL(`../../node_modules/.msg-ts-faults/${process.pid}/`, import.meta.url),
);

let isBuilt = false;

/**
 * The child of that name as one file of JavaScript: a process that is killed and started again a
 * hundred times must not take longer to compile than to work.
 */
export function bundled(name: string): string {
  if (!isBuilt) build();
  isBuilt = true;
  return join(outdir, `${name}.mjs`);
}

function build(): void {
  buildSync({
    entryPoints: readdirSync(children).map((file) => join(children, file)),
    outdir,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    conditions: ["@msg-ts/source"],
    external: ["@mongodb-js/zstd", "snappy", "lz4-napi"],
    format: "esm",
    platform: "node",
    target: "node20",
    sourcemap: true,
    logLevel: "warning",
  });
  process.once("exit", () => rmSync(outdir, { recursive: true, force: true }));
}
