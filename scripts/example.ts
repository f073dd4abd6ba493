/**
 * Lists the examples, or runs one: `npm run example reqrep -- --transport ipc`.
 *
 * Without the `--`, npm keeps the flag to itself: `--transport=ipc` arrives only in the environment,
 * and `--transport ipc` as "true" there and a bare `ipc` among the arguments. Both are understood.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { root } from "./files.ts";

const folder = join(root, "examples");

function exampleNames(): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith(".ts"))
    .map((file) => file.slice(0, -".ts".length))
    .toSorted();
}

/** The first line of the comment that an example begins with. */
function titleOf(name: string): string {
  const text = readFileSync(join(folder, `${name}.ts`), "utf8");
  const [, title = ""] = /^(?:#!.*\n)?\s*\/\*\*?[\s*]*(.*)/.exec(text) ?? [];
  return title.replace(/\s*\*\/\s*$/, "").trim();
}

function list(names: readonly string[]): void {
  if (names.length === 0) console.log("no examples yet");
  const width = Math.max(0, ...names.map((name) => name.length));
  for (const name of names) console.log(`${name.padEnd(width)}  ${titleOf(name)}`.trimEnd());
}

interface Command {
  readonly name: string | undefined;
  readonly transport: string;
  /** What the example itself is given after its transport. */
  readonly rest: readonly string[];
}

function parse(args: readonly string[], names: readonly string[]): Command {
  const rest: string[] = [];
  let transport: string | undefined;
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? "";
    if (arg === "--transport") transport = args[(index += 1)];
    else if (arg.startsWith("--transport=")) transport = arg.slice("--transport=".length);
    else rest.push(arg);
  }
  const kept = process.env["npm_config_transport"];
  const isBare = transport === undefined && kept === "true";
  const nameIndex = isBare ? rest.findIndex((arg) => names.includes(arg)) : 0;
  const [name] = rest.splice(Math.max(nameIndex, 0), 1);
  if (isBare) transport = rest.shift();
  else transport ??= kept;
  return { name, transport: transport ?? "tcp", rest };
}

async function run(name: string, transport: string, rest: readonly string[]): Promise<number> {
  const args = ["--conditions=@msg-ts/source", "--import", "./dev/register.mjs"];
  const script = ["./examples/" + name + ".ts", "--transport", transport, ...rest];
  const child = spawn(process.execPath, [...args, ...script], { cwd: root, stdio: "inherit" });
  // An interrupt reaches the child as well: let it close its sockets and decide the exit code.
  process.on("SIGINT", () => {});
  const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}

const names = exampleNames();
const { name, transport, rest } = parse(process.argv.slice(2), names);
if (name === undefined) {
  list(names);
} else if (names.includes(name)) {
  process.exitCode = await run(name, transport, rest);
} else {
  const known = names.length === 0 ? "there are none yet" : `there are: ${names.join(", ")}`;
  console.error(`no example is called "${name}"; ${known}`);
  process.exitCode = 2;
}
