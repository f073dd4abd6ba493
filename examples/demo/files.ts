import type { Dirent } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import type { DemoOptions } from "./options.ts";
import { UsageError } from "./options.ts";

/** One file, in memory: both runs work on the same bytes, also when somebody changes it meanwhile. */
export interface LoadedFile {
  /** From the folder on, with forward slashes. */
  readonly path: string;
  readonly content: Buffer;
}

/** One that is larger would keep a worker busy for most of the demo. */
const maxFileBytes = 4 * 1024 * 1024;

type Limits = Pick<DemoOptions, "folder" | "maxFiles" | "maxBytes">;

/**
 * Reads a folder's files, and those of the folders in it, up to the limits; in the order of their
 * names, without links, and without what cannot be read.
 *
 * @throws UsageError when there is none.
 */
export async function loadFiles({ folder, maxFiles, maxBytes }: Limits): Promise<LoadedFile[]> {
  const files: LoadedFile[] = [];
  let leftBytes = maxBytes;
  for await (const path of walk(folder)) {
    const content = await readFile(path).catch(() => undefined);
    if (content === undefined || content.length > Math.min(maxFileBytes, leftBytes)) continue;
    files.push({ path: relative(folder, path).replaceAll("\\", "/"), content });
    leftBytes -= content.length;
    if (files.length === maxFiles) break;
  }
  if (files.length === 0) throw new UsageError(`--folder "${folder}" has no files to read`);
  return files;
}

async function* walk(folder: string): AsyncGenerator<string> {
  for (const entry of await entriesOf(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* walk(path);
    else if (entry.isFile()) yield path;
  }
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
