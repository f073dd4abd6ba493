import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The major version that runs this. */
export const runningMajor: string = process.versions.node.split(".")[0] ?? "";

const maxRunMs = 60_000;
const maxInstallMs = 300_000;

/**
 * Runs a program to its end; what it printed is shown only when it fails.
 *
 * @throws Error with all that it printed.
 */
export function run(
  what: string,
  file: string,
  args: readonly string[],
  cwd: string,
  ms: number = maxRunMs,
): void {
  const isShellNeeded = process.platform === "win32" && file === "npm";
  const { status, signal, error, stdout, stderr } = spawnSync(file, args, {
    cwd,
    encoding: "utf8",
    shell: isShellNeeded,
    timeout: ms,
  });
  if (status === 0) return;
  const reason = error?.message ?? `ended with ${status ?? signal}`;
  throw new Error(`${what}: ${reason}\n${stdout ?? ""}${stderr ?? ""}`);
}

/** Runs npm, for as long as a slow registry takes. */
export function npm(what: string, args: readonly string[], cwd: string): void {
  run(what, "npm", args, cwd, maxInstallMs);
}

/** Installs packages in a folder that needs not be there. */
export function install(what: string, cwd: string, wanted: readonly string[]): void {
  mkdirSync(cwd, { recursive: true });
  writeFileSync(join(cwd, "package.json"), JSON.stringify({ private: true, type: "module" }));
  const flags = ["--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"];
  npm(what, ["install", ...flags, ...wanted], cwd);
}

/** The program of a Node.js version: the running one, or one that npm installs in `temporary`. */
export function nodeProgram(major: string, temporary: string): string {
  if (major === runningMajor) return process.execPath;
  const folder = join(temporary, `node-${major}`);
  install(`npm install node@${major}`, folder, [`node@${major}`]);
  const suffix = process.platform === "win32" ? ".exe" : "";
  return join(folder, "node_modules", "node", "bin", `node${suffix}`);
}
