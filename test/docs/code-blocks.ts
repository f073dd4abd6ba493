import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CodeBlock } from "./markdown.ts";
import { root } from "./markdown.ts";

/** How Node.js runs TypeScript from source here. */
export const runFlags: readonly string[] = [
  "--conditions=@msg-ts/source",
  "--import",
  "./dev/register.mjs",
];

/** What a fragment may use without saying where it comes from. */
const fragmentNames: Readonly<Record<string, string>> = {
  req: "declare const req: import('msg-ts').ReqSocket;",
  rep: "declare const rep: import('msg-ts').RepSocket;",
  pub: "declare const pub: import('msg-ts').PubSocket;",
  sub: "declare const sub: import('msg-ts').SubSocket;",
  push: "declare const push: import('msg-ts').PushSocket;",
  pull: "declare const pull: import('msg-ts').PullSocket;",
  job: "declare const job: import('msg-ts').Job;",
  request: "declare const request: import('msg-ts').Request;",
  message: "declare const message: import('msg-ts').TopicMessage;",
  lookUp: "declare function lookUp(text: string, signal: AbortSignal): Promise<string>;",
  fetchTicket: "declare function fetchTicket(): Promise<{ readonly value: string }>;",
};

/** A folder in which blocks are files: outside the repository, seeing its packages. */
export class BlockFolder {
  readonly path: string = mkdtempSync(join(tmpdir(), "msg-ts-docs-"));
  readonly #places: Map<string, CodeBlock> = new Map();

  constructor() {
    symlinkSync(join(root, "node_modules"), join(this.path, "node_modules"), "junction");
    writeFileSync(join(this.path, "package.json"), JSON.stringify({ type: "module" }));
  }

  /** Writes a block as a module; gives the name of the file. Its lines keep their numbers, +1. */
  write(block: CodeBlock): string {
    const name = `block-${this.#places.size}.mts`;
    this.#places.set(name, block);
    writeFileSync(join(this.path, name), `${headerOf(block)}\n${block.text}`);
    return name;
  }

  /** Type-checks everything written, in one run; gives what is wrong, by the lines of the documents. */
  async check(): Promise<string[]> {
    const config = {
      extends: join(root, "tsconfig.json"),
      compilerOptions: { typeRoots: [join(root, "node_modules", "@types")] },
      include: [],
      files: [...this.#places.keys()],
    };
    writeFileSync(join(this.path, "tsconfig.json"), JSON.stringify(config));
    const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
    const args = [compiler, "-p", this.path, "--pretty", "false"];
    const { output } = await run(args, this.path);
    return output.split("\n").flatMap((line) => this.#shown(line));
  }

  /** Runs a block from source; gives what it printed and how it ended. */
  run(block: CodeBlock): Promise<{ output: string; code: number | null }> {
    const file = join(this.path, this.write(block));
    return run([...runFlags, file], root);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  /** An error of the compiler at the place in the document; other lines as they are. */
  #shown(line: string): string[] {
    if (line.trim() === "") return [];
    const {
      name = "",
      at = "",
      rest = "",
    } = /(?<name>block-\d+\.mts)\((?<at>\d+),\d+\): (?<rest>.*)/.exec(line)?.groups ?? {};
    const block = this.#places.get(name);
    if (block === undefined) return [line];
    return [`${block.file}:${block.line + Number(at) - 2}: ${rest}`];
  }
}

/** One line: makes the block a module, and gives a fragment what it leaves out. */
function headerOf({ text, marks }: CodeBlock): string {
  if (marks.includes("run") || /^import\b/m.test(text)) return "export {};";
  const isMissing = (name: string): boolean =>
    new RegExp(`\\b${name}\\b`).test(text) &&
    !new RegExp(`\\b(?:const|let|class|function|type|interface)\\s+${name}\\b`).test(text);
  const declarations = Object.entries(fragmentNames).filter(([name]) => isMissing(name));
  return [
    ...facadeExports()
      .filter(({ name }) => isMissing(name))
      .map(({ name, keyword }) => `import ${keyword} { ${name} } from "msg-ts";`),
    ...declarations.map(([, declaration]) => declaration),
    "export {};",
  ].join(" ");
}

interface FacadeExport {
  readonly name: string;
  /** `type` for what is a type only. */
  readonly keyword: string;
}

/** The names that `msg-ts` exports. */
function facadeExports(): FacadeExport[] {
  const source = readFileSync(join(root, "packages/msg-ts/src/index.ts"), "utf8");
  const statements = source.matchAll(/export (?<keyword>type )?\{(?<names>[^}]*)\}/g);
  return [...statements].flatMap(({ groups }) =>
    (groups?.["names"] ?? "")
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== "")
      .map((name) => ({ name, keyword: groups?.["keyword"] ?? "" })),
  );
}

/** What a block says it prints: the comments behind its `console.log`, line by line. */
export function expectedOutput(block: CodeBlock): string[] {
  return block.text.split("\n").flatMap((line) => {
    const [, text] = /\bconsole\.log\(.*;\s*\/\/ (.*)$/.exec(line) ?? [];
    return text === undefined ? [] : [text.trim()];
  });
}

async function run(
  args: readonly string[],
  cwd: string,
): Promise<{ output: string; code: number | null }> {
  const child = spawn(process.execPath, args, { cwd, timeout: 15_000 });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { output, code };
}
