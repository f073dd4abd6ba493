import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { bytes } from "@msg-ts/testing";
import { writeInputs } from "./corpus.ts";
import type { FuzzCounts } from "./fuzzer.ts";
import { noCounts, shownInput } from "./fuzzer.ts";

/** What a child is told. */
export interface GuidedOrder {
  readonly name: string;
  readonly seed: number;
  readonly seconds: number;
  readonly inputFile: string;
}

/** What it tells at its end. */
export type GuidedEnd =
  | { readonly unavailable: string }
  | {
      readonly counts: FuzzCounts;
      readonly blocks: number;
      /** As hex. */
      readonly corpus: readonly string[];
    };

/** What came of a target. */
export interface GuidedResult {
  readonly name: string;
  readonly unavailable?: string;
  readonly counts: FuzzCounts;
  readonly blocks: number;
  readonly kept: number;
}

const root = fileURLToPath(new URL("../..", import.meta.url));
const childFile = fileURLToPath(new URL("children/guided.ts", import.meta.url));

/** Beside its time, a child may take so long to start and for its last input, on a busy machine. */
const graceMs = 180_000;

/**
 * Fuzzes a target for some time, led by what it reaches.
 *
 * @param keeps - whether the inputs that reached something new are written into the tree.
 */
export async function runGuided(
  name: string,
  seed: number,
  seconds: number,
  keeps: boolean,
): Promise<GuidedResult> {
  const folder = mkdtempSync(join(tmpdir(), "msg-ts-fuzz-"));
  const inputFile = join(folder, "input");
  const order: GuidedOrder = { name, seed, seconds, inputFile };
  const child = fork(childFile, [JSON.stringify(order)], {
    cwd: root,
    execArgv: ["--conditions=@msg-ts/source", "--import", "./dev/register.mjs"],
    env: { ...process.env, UV_THREADPOOL_SIZE: "1" },
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  let end: GuidedEnd | undefined;
  child.on("message", (message) => (end = message as GuidedEnd));
  const deadline = setTimeout(() => child.kill("SIGKILL"), 1000 * seconds + graceMs);
  try {
    const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
    if (end === undefined) return crashed(name, inputFile, signal ?? code);
    if ("unavailable" in end) {
      return { name, unavailable: end.unavailable, counts: noCounts(), blocks: 0, kept: 0 };
    }
    const { counts, blocks, corpus } = end;
    if (keeps)
      writeInputs(
        name,
        corpus.map((input) => bytes(input)),
      );
    return { name, counts, blocks, kept: corpus.length };
  } finally {
    clearTimeout(deadline);
    rmSync(folder, { recursive: true });
  }
}

/** The input that a child did not survive. */
function crashed(name: string, inputFile: string, how: unknown): GuidedResult {
  // It may have ended before its first input.
  const written = existsSync(inputFile) ? readFileSync(inputFile) : Buffer.alloc(0);
  const length = written.length < 4 ? 0 : written.readUInt32LE(0);
  const input = written.subarray(4, 4 + length);
  const what = `ended its process, or took too long: ${String(how)}`;
  const failure = { run: 0, what, how: "guided", ...shownInput(input) };
  return { name, counts: { ...noCounts(), failures: [failure] }, blocks: 0, kept: 0 };
}
