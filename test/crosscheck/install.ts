import { spawnSync } from "node:child_process";
import process from "node:process";
import type { Program } from "./programs.ts";
import { versionOf } from "./programs.ts";

const maxInstallMs = 5 * 60_000;

/** What there is to compare with. */
export interface Installed {
  /** The versions of those that are there, by their names. */
  readonly versions: ReadonlyMap<string, string>;
  /** True when something was missing and could not be installed here. */
  readonly isShort: boolean;
}

/**
 * Looks for programs, and installs the missing ones from Debian's packages, where that is possible:
 * as root, with `apt-get`, and with a mirror that can be reached. Says what it does.
 */
export function install(wanted: readonly Program[]): Installed {
  const missing = wanted.filter((program) => versionOf(program) === undefined);
  const names = missing.map((program) => program.debianPackage);
  const failure = names.length === 0 ? undefined : installPackages(names);
  if (failure !== undefined) console.log(`not installed: ${failure}`);
  const versions = new Map<string, string>();
  for (const program of wanted) {
    const version = versionOf(program);
    if (version !== undefined) versions.set(program.name, version);
  }
  return { versions, isShort: failure !== undefined };
}

/** The command that a person would give. */
export function installCommand(names: readonly string[]): string {
  return `sudo apt-get install ${names.join(" ")}`;
}

/** Why they could not be installed, or nothing. */
export function installPackages(names: readonly string[]): string | undefined {
  if (process.getuid?.() !== 0) return "this needs root";
  if (aptGet("--version") !== undefined) return "there is no apt-get";
  console.log(`installing ${names.join(", ")} with apt-get`);
  const waiting = ["-o", "DPkg::Lock::Timeout=60"];
  const args = ["install", "--yes", "--no-install-recommends", ...waiting, ...names];
  // The lists of a fresh image are empty or old.
  return aptGet(...args) === undefined ? undefined : (aptGet("update") ?? aptGet(...args));
}

/** What went wrong, or nothing. */
function aptGet(...args: string[]): string | undefined {
  const { status, error, stderr } = spawnSync("apt-get", args, {
    encoding: "utf8",
    timeout: maxInstallMs,
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  });
  if (error !== undefined) return error.message;
  return status === 0
    ? undefined
    : `apt-get ${args[0]} failed: ${stderr.trim().split("\n").at(-1)}`;
}
