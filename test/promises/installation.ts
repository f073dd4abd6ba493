import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import type { Outcome } from "../examples/run-node.ts";
import { root, runSource } from "../examples/run-node.ts";

/** What an application has that installs `msg-ts`, by folder. */
const workspaces = ["core", "transports", "compression", "codecs", "msg-ts"];

interface PackageJson {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/**
 * A folder in which `msg-ts` is installed beside the optional packages that are named, and no other;
 * gone when the test ends.
 */
export class Installation {
  readonly #folder: string = mkdtempSync(join(tmpdir(), "msg-installation-"));

  /** @param broken - packages that are there as well, but throw when they are loaded. */
  constructor(optional: readonly string[], broken: readonly string[] = []) {
    onTestFinished(() => rmSync(this.#folder, { recursive: true, force: true }));
    writeFileSync(join(this.#folder, "package.json"), '{ "type": "module" }\n');
    for (const workspace of workspaces) this.#copy(join(root, "packages", workspace));
    for (const name of optional) this.#link(name);
    for (const name of broken) this.#break(name);
  }

  /** Runs a file of `children/` as the application. */
  async run(name: string): Promise<Outcome> {
    const file = join(this.#folder, `${name}.ts`);
    cpSync(fileURLToPath(new URL(`children/${name}.ts`, import.meta.url)), file);
    return runSource(file, []);
  }

  /** A link would lead to this repository, and there to all that is installed in it. */
  #copy(workspace: string): void {
    const { name, dependencies = {} } = readPackage(workspace);
    const target = this.#place(name);
    cpSync(join(workspace, "src"), join(target, "src"), { recursive: true });
    cpSync(join(workspace, "package.json"), join(target, "package.json"));
    const others = Object.keys(dependencies).filter((other) => !/^(@msg-ts\/|msg-ts$)/.test(other));
    for (const other of others) this.#link(other);
  }

  #link(name: string): void {
    symlinkSync(join(root, "node_modules", name), this.#place(name), "junction");
  }

  #break(name: string): void {
    const place = this.#place(name);
    mkdirSync(place);
    writeFileSync(join(place, "index.js"), 'throw new Error("no build for this machine");\n');
  }

  #place(name: string): string {
    const place = join(this.#folder, "node_modules", name);
    mkdirSync(dirname(place), { recursive: true });
    return place;
  }
}

function readPackage(folder: string): PackageJson {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as PackageJson;
}
