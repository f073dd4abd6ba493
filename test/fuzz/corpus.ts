import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { bytes, hex } from "@msg-ts/testing";

/** Inputs that are kept, a line of hex each. */
const folders = {
  /** Each of these reached something that the ones before did not. */
  corpus: new URL("corpus/", import.meta.url),
  /** Each of these failed once; it is replayed for ever. */
  failed: new URL("failed/", import.meta.url),
} as const;

/** Which of them. */
export type Shelf = keyof typeof folders;

function fileOf(shelf: Shelf, target: string): URL {
  return new URL(`${target.replaceAll(/[^a-z0-9]+/gi, "-")}.hex`, folders[shelf]);
}

/** The inputs of a target; behind a `#` a line may say what was wrong. */
export function readInputs(shelf: Shelf, target: string): Uint8Array[] {
  const file = fileOf(shelf, target);
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n");
  return lines
    .filter((line) => line !== "")
    .map((line) => bytes((line.split("#")[0] ?? "").trim()));
}

/** Replaces the inputs of a target; the short ones stand first. */
export function writeInputs(target: string, inputs: readonly Uint8Array[]): void {
  mkdirSync(folders.corpus, { recursive: true });
  const lines = inputs.map(hex).toSorted((a, b) => a.length - b.length || a.localeCompare(b));
  writeFileSync(fileOf("corpus", target), `${lines.join("\n")}\n`);
}
