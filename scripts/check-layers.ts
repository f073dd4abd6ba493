/** Checks who imports whom: see docs/architecture.md and CONTRIBUTING.md, "Layers". */
import { existsSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, relative, resolve, sep } from "node:path";
import { packages, report, shown, sourceFiles } from "./files.ts";

/** What a package may import besides its own files. A name that ends in `/` or `:` is a prefix. */
const packageRules: Record<string, readonly string[]> = {
  core: [],
  transports: ["@msg-ts/core", "node:"],
  compression: ["@msg-ts/core", "node:", "@mongodb-js/zstd", "lz4-napi", "snappy"],
  codecs: ["@msg-ts/core", "@standard-schema/spec", "cbor-x/index-no-eval"],
  zmtp: [
    "@msg-ts/core",
    "@msg-ts/core/building",
    "@noble/ciphers/salsa.js",
    "node:buffer",
    "node:crypto",
  ],
  "msg-ts": ["@msg-ts/core", "@msg-ts/transports/", "@msg-ts/compression/", "@msg-ts/codecs/"],
  testing: ["@msg-ts/core", "node:", "vitest", "fast-check", "@peculiar/x509", "reflect-metadata"],
};

/** What one folder of a package may import besides: decision 0034. */
const folderExtras: Record<string, Record<string, readonly string[]>> = {
  zmtp: {
    compat: ["@msg-ts/transports/inproc", "@msg-ts/transports/ipc", "@msg-ts/transports/tcp"],
  },
};

/**
 * What a folder of a package may import inside that package. `.` stands for the files directly
 * under `src`, which may import anything; a folder may always import itself.
 */
const folderRules: Record<string, Record<string, readonly string[]>> = {
  core: {
    socket: ["wire/", "connection/", "contracts/", "."],
    connection: ["contracts/", "."],
    wire: ["contracts/", "."],
    contracts: ["errors.ts"],
  },
};

interface Import {
  readonly specifier: string;
  readonly line: number;
  readonly isTypeOnly: boolean;
}

/** Statements begin a line, because the formatter says so; an import in a comment does not. */
const statements = [
  /^import\s+(?<type>type\s)?[\w$*,{}\s]+?\sfrom\s*["'](?<specifier>[^"']+)["']/gm,
  /^export\s+(?<type>type\s)?(?:\*(?:\s+as\s+[\w$]+)?|\{[^}]*\})\s*from\s*["'](?<specifier>[^"']+)["']/gm,
  /^import\s*["'](?<specifier>[^"']+)["']/gm,
  /^(?!\s*(?:\*|\/\/|\/\*)).*?\b(?:import|require)\(\s*["'](?<specifier>[^"']+)["']/gm,
];

function importsOf(source: string): Import[] {
  const found: Import[] = [];
  for (const statement of statements) {
    for (const match of source.matchAll(statement)) {
      const specifier = match.groups?.["specifier"] ?? "";
      const end = match.index + match[0].length;
      const line = source.slice(0, end).split("\n").length;
      found.push({ specifier, line, isTypeOnly: match.groups?.["type"] !== undefined });
    }
  }
  return found.toSorted((a, b) => a.line - b.line);
}

const violations: string[] = [];
let fileCount = 0;

for (const { folder } of packages()) {
  const name = folder.split(sep).at(-1) ?? "";
  const source = join(folder, "src");
  const files = sourceFiles(relative(join(folder, "../.."), source));
  fileCount += files.length;
  checkPackage(name, source, files);
}

function checkPackage(name: string, source: string, files: readonly string[]): void {
  const allowed = packageRules[name];
  if (allowed === undefined) {
    violations.push(`packages/${name}: has no row in the tables of scripts/check-layers.ts`);
    return;
  }
  const edges = new Map<string, string[]>();
  for (const file of files) {
    const runtimeImports: string[] = [];
    const extras = folderExtras[name]?.[layerOf(relative(source, file))] ?? [];
    for (const found of importsOf(readFileSync(file, "utf8"))) {
      const broken = found.specifier.startsWith(".")
        ? checkInside(name, source, file, found)
        : checkOutside(name, [...allowed, ...extras], found.specifier);
      if (broken !== undefined) {
        violations.push(`${shown(file)}:${found.line}: imports "${found.specifier}": ${broken}`);
      }
      if (found.specifier.startsWith(".") && !found.isTypeOnly) {
        runtimeImports.push(resolve(dirname(file), found.specifier));
      }
    }
    edges.set(file, runtimeImports);
  }
  for (const cycle of cyclesOf(edges)) {
    const [first = ""] = cycle;
    violations.push(
      `${shown(first)}:1: imports itself through ${cycle.map(shown).join(" -> ")}: no cycles`,
    );
  }
}

function checkOutside(
  name: string,
  allowed: readonly string[],
  specifier: string,
): string | undefined {
  const isAllowed = allowed.some((rule) =>
    /[/:]$/.test(rule) ? specifier.startsWith(rule) : specifier === rule,
  );
  if (isAllowed) return undefined;
  if (builtinModules.includes(specifier) && allowed.includes("node:")) {
    return `write it as "node:${specifier}"`;
  }
  const list = allowed.length === 0 ? "nothing outside itself" : `only ${allowed.join(", ")}`;
  return `${name} may import ${list}`;
}

function checkInside(
  name: string,
  source: string,
  file: string,
  found: Import,
): string | undefined {
  const target = resolve(dirname(file), found.specifier);
  const path = relative(source, target).split(sep).join("/");
  if (path.startsWith("../")) return `${name} may not reach outside its src by a relative path`;
  if (!existsSync(target)) return "there is no such file; write the path with .ts at its end";
  const rules = folderRules[name];
  const from = layerOf(relative(source, file));
  if (rules === undefined || from === ".") return undefined;
  const allowed = rules[from];
  if (allowed === undefined) {
    return `${name}/src/${from}/ has no row in the tables of scripts/check-layers.ts`;
  }
  const to = layerOf(path);
  const isAllowed =
    to === from || allowed.includes(path) || allowed.includes(to === "." ? "." : `${to}/`);
  if (isAllowed) return undefined;
  const list = allowed.map((rule) => (rule === "." ? "the files directly in src" : rule));
  return `${from}/ may import only itself, ${list.join(", ")}`;
}

/** The first folder of a path below `src`, or `.` for a file directly in it. */
function layerOf(path: string): string {
  const [first = "", ...rest] = path.split(/[\\/]/);
  return rest.length === 0 ? "." : first;
}

/** One cycle for each import that closes one, found depth first. */
function cyclesOf(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    const index = path.indexOf(file);
    if (index >= 0) cycles.push([...path.slice(index), file]);
    if (index >= 0 || done.has(file)) return;
    path.push(file);
    for (const next of edges.get(file) ?? []) visit(next);
    path.pop();
    done.add(file);
  };
  for (const file of edges.keys()) visit(file);
  return cycles;
}

report(violations, `layers: ${fileCount} files import only what they may`);
