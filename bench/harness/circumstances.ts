import { execFileSync } from "node:child_process";
import { cpus, loadavg, release } from "node:os";
import { fileURLToPath } from "node:url";

/** When, of what and where something was measured. */
export interface Circumstances {
  readonly date: string;
  readonly commit: string;
  readonly node: string;
  readonly machine: string;
  /** How many processes wanted a core in the minute before. */
  readonly load: number;
}

/** Now, here. */
export function circumstances(): Circumstances {
  return {
    date: new Date().toISOString(),
    commit: commitOf("HEAD"),
    node: process.version,
    machine: `${cpus().length} x ${cpus()[0]?.model ?? "unknown"}, Linux ${release()}`,
    load: Number((loadavg()[0] ?? 0).toFixed(1)),
  };
}

/** The short name of a commit; empty outside a repository. */
export function commitOf(revision: string): string {
  const folder = fileURLToPath(new URL("../..", import.meta.url));
  try {
    const args = ["rev-parse", "--short", "--verify", `${revision}^{commit}`];
    return execFileSync("git", args, { cwd: folder, encoding: "utf8", stdio: "pipe" }).trim();
  } catch {
    return "";
  }
}
