import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** The folder of the repository. */
export const root: string = fileURLToPath(new URL("../..", import.meta.url));

/** How a process ended, and what it said. */
export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
  readonly errors: string;
}

/** What may be different from one run to the next. */
export interface RunOptions {
  readonly withinMs?: number;
  readonly env?: NodeJS.ProcessEnv;
}

/** Starts a file of the repository as the npm scripts do: from TypeScript, against the sources. */
export function spawnSource(file: string, args: readonly string[], env?: NodeJS.ProcessEnv) {
  const flags = ["--conditions=@msg-ts/source", "--import", "./dev/register.mjs"];
  return spawn(process.execPath, [...flags, file, ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    // Vitest's own flags are not meant for what it starts.
    env: { ...process.env, NODE_OPTIONS: "", ...env },
  });
}

/** Runs such a file to its end; one that has none within its time is killed, and its signal tells. */
export async function runSource(
  file: string,
  args: readonly string[],
  { withinMs = 30_000, env }: RunOptions = {},
): Promise<Outcome> {
  const child = spawnSource(file, args, env);
  let output = "";
  let errors = "";
  child.stdout.on("data", (chunk) => (output += String(chunk)));
  child.stderr.on("data", (chunk) => (errors += String(chunk)));
  const deadline = setTimeout(() => child.kill("SIGKILL"), withinMs);
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  clearTimeout(deadline);
  return { code, signal, output, errors };
}
