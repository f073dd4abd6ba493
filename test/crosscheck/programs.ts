import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { joinBytes } from "@msg-ts/testing";
import { python } from "./python-peer.ts";

/** Something from a Debian package that we are compared with. */
export interface Program {
  readonly name: string;
  readonly debianPackage: string;
  /** Gives its version, when it is installed. */
  readonly ask: readonly [file: string, ...args: string[]];
}

function pythonPackage(name: string, module: string): Program {
  const script = `import ${module}; import importlib.metadata as m; print("${name}", m.version("${name}"))`;
  return { name, debianPackage: `python3-${module.split(".")[0]}`, ask: [python, "-c", script] };
}

/** Everything that we are compared with. */
export const programs = {
  gzip: { name: "gzip", debianPackage: "gzip", ask: ["gzip", "--version"] },
  zstd: { name: "zstd", debianPackage: "zstd", ask: ["zstd", "--version"] },
  openssl: { name: "openssl", debianPackage: "openssl", ask: ["openssl", "version"] },
  snappy: pythonPackage("python-snappy", "snappy"),
  lz4: pythonPackage("lz4", "lz4.block"),
  cbor: pythonPackage("cbor2", "cbor2"),
} as const satisfies Record<string, Program>;

/** The first line that it says of its version; `undefined` when it is not installed. */
export function versionOf(program: Program): string | undefined {
  const [file, ...args] = program.ask;
  const { status, stdout } = spawnSync(file, args, { encoding: "utf8" });
  if (status !== 0) return undefined;
  return /\d+(?:\.\d+)+/.exec(stdout)?.[0] ?? "unknown";
}

/**
 * Runs a program to its end with `input`, and gives what it wrote.
 *
 * @throws Error with what it wrote to stderr, when it fails.
 */
export async function piped(
  file: string,
  args: readonly string[],
  input: Uint8Array = new Uint8Array(0),
): Promise<Uint8Array> {
  const child = spawn(file, args);
  const output: Uint8Array[] = [];
  let errors = "";
  child.stdout.on("data", (chunk: Uint8Array) => void output.push(chunk));
  child.stderr.on("data", (chunk) => (errors += String(chunk)));
  // A program that does not want all of it says so by its exit code.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`${file} ${args.join(" ")} ended with ${code}: ${errors.trim()}`);
  return joinBytes(output);
}
