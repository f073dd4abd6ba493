/**
 * Packs every public package, installs the tarballs in an empty folder and uses them there as an
 * application would: imported, required, and type-checked. `npm run pack -- --node 20,22,24,26` does
 * so on each of these versions of Node.js; the default is the running one.
 */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { packages, readJson, root } from "./files.ts";
import { install, nodeProgram, npm, run, runningMajor } from "./node-program.ts";

const esmScript = `
import { RepSocket, ReqSocket, Tcp } from "msg-ts";

const rep = new RepSocket(new Tcp());
await rep.bind("127.0.0.1:0");
rep.serve((request) => request.payload);
const req = new ReqSocket(new Tcp());
await req.connect(rep.address);
const text = (await req.request("hello")).text();
await req.close();
await rep.close();
if (text !== "hello") throw new Error("the reply is " + text);
`;

const requireScript = `
const { RepSocket, ReqSocket, Tcp } = require("msg-ts");
for (const value of [RepSocket, ReqSocket, Tcp]) {
  if (typeof value !== "function") throw new Error("require gave " + typeof value);
}
`;

const typedScript = `
import { RepSocket, ReqSocket, Tcp } from "msg-ts";

export async function roundTrip(): Promise<string> {
  const rep = new RepSocket(new Tcp());
  await rep.bind("127.0.0.1:0");
  rep.serve((request) => request.payload);
  const req = new ReqSocket(new Tcp());
  await req.connect(rep.address);
  const reply = await req.request("hello", { timeoutMs: 500 });
  const text: string = reply.text();
  await req.close();
  await rep.close();
  return text;
}
`;

const typedConfig = {
  compilerOptions: {
    target: "es2022",
    lib: ["es2023", "esnext.disposable"],
    module: "nodenext",
    strict: true,
    noEmit: true,
    types: ["node"],
  },
  files: ["use.ts"],
};

/** The tarballs, made in the order of the folders. */
function packAll(destination: string): string[] {
  mkdirSync(destination);
  const names = packages().flatMap(({ name, isPrivate }) => (isPrivate ? [] : [name]));
  const chosen = names.flatMap((name) => ["--workspace", name]);
  npm("npm pack", ["pack", ...chosen, "--pack-destination", destination], root);
  const tarballs = readdirSync(destination).map((file) => join(destination, file));
  if (tarballs.length !== names.length) {
    throw new Error(`npm pack made ${tarballs.length} tarballs of ${names.length} packages`);
  }
  return tarballs;
}

function checkTypes(application: string): void {
  // The declarations may name Node.js types, which an application in TypeScript has installed.
  const types = join("node_modules", "@types");
  cpSync(join(root, types, "node"), join(application, types, "node"), { recursive: true });
  cpSync(
    join(root, "node_modules", "undici-types"),
    join(application, "node_modules", "undici-types"),
    { recursive: true },
  );
  writeFileSync(join(application, "use.ts"), typedScript);
  writeFileSync(join(application, "tsconfig.json"), JSON.stringify(typedConfig));
  const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
  run("type check", process.execPath, [compiler, "-p", "tsconfig.json"], application);
}

function checkAll(majors: readonly string[], temporary: string): void {
  const tarballs = packAll(join(temporary, "tarballs"));
  const application = join(temporary, "application");
  install("npm install of the tarballs", application, tarballs);
  writeFileSync(join(application, "use.mjs"), esmScript);
  writeFileSync(join(application, "use.cjs"), requireScript);
  for (const major of majors) {
    const node = nodeProgram(major, temporary);
    run(`import on Node.js ${major}`, node, ["use.mjs"], application);
    run(`require on Node.js ${major}`, node, ["use.cjs"], application);
  }
  checkTypes(application);
  const { version } = readJson(join(root, "packages", "msg-ts", "package.json"));
  console.log(
    `pack: ${tarballs.length} packages of ${String(version)} work on Node.js ${majors.join(", ")}`,
  );
}

const { values } = parseArgs({ options: { node: { type: "string", default: runningMajor } } });
const majors = values.node.split(",").map((major) => major.trim());
const temporary = mkdtempSync(join(tmpdir(), "msg-ts-pack-"));
try {
  checkAll(majors, temporary);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
