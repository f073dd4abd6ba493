/**
 * Runs tests on versions of Node.js that npm installs in a temporary folder. Without words, all
 * examples and the whole matrix of patterns, compressors and ends, over QUIC, whose engine is the
 * only native code that is loaded by default.
 *
 *   npm run test:nodes -- [--node 22,24,26] [words of vitest: paths, -t NAME]
 *
 * The exit code is 1 when a test failed on any of them.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./files.ts";
import { nodeProgram } from "./node-program.ts";

const defaultMajors = "20,22,24,26";
const overQuic = ["test/examples", "test/e2e/matrix", "-t", "over quic|on quic"];
const maxRunMs = 900_000;

const words = process.argv.slice(2);
const [flag, given] = words;
const hasMajors = flag === "--node" && given !== undefined;
const chosen = hasMajors ? words.slice(2) : words;
const tests = chosen.length === 0 ? overQuic : chosen;
const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
const temporary = mkdtempSync(join(tmpdir(), "msg-ts-nodes-"));
try {
  for (const major of (hasMajors ? given : defaultMajors).split(",")) {
    const node = nodeProgram(major.trim(), temporary);
    console.log(`test:nodes: Node.js ${major}`);
    const args = [vitest, "run", "--reporter=dot", ...tests];
    const { status } = spawnSync(node, args, { cwd: root, stdio: "inherit", timeout: maxRunMs });
    if (status !== 0) process.exitCode = 1;
  }
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
