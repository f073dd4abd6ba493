import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const ownRoot = fileURLToPath(new URL("../..", import.meta.url));

/** Builds the packages: they are measured as they are published. Output goes to standard error. */
export function build(root: string = ownRoot): void {
  execFileSync("npm", ["run", "-s", "build"], { cwd: root, stdio: ["ignore", 2, 2] });
}
