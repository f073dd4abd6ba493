/**
 * Compares this project with other implementations: what one writes the other must read.
 *
 *   npm run test:crosscheck -- [--only gzip,cbor] [--require]
 *
 * They come from Debian's packages, and are installed here where that is possible. A check without
 * its program is skipped and says so; that is a failure when all could be installed, and with
 * `--require`. The exit code is 1 when anything differs.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import type { Check } from "./checks.ts";
import { checks } from "./checks.ts";
import { install, installCommand } from "./install.ts";
import type { Program } from "./programs.ts";
import { PythonPeer } from "./python-peer.ts";
import { Tally } from "./tally.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    require: { type: "boolean", default: false },
  },
});

const chosen = values.only?.split(",").map(checkNamed) ?? checks;
const wanted = chosen.map(({ program }) => program);
const { versions, isShort } = install(wanted);

const startMs = performance.now();
const tally = new Tally();
const python = new PythonPeer();
const skipped: string[] = [];
try {
  for (const { name, program, run } of chosen) {
    const version = versions.get(program.name);
    if (version === undefined) skipped.push(skipLine(name, program));
    else await run({ version, python, tally });
  }
} finally {
  python.close();
}

function checkNamed(name: string): Check {
  const check = checks.find((each) => each.name === name);
  if (check !== undefined) return check;
  throw new Error(`there is no check ${name}: ${checks.map((each) => each.name).join(", ")}`);
}

/** Says what is missing and how it comes here. */
function skipLine(name: string, { debianPackage }: Program): string {
  return `${name}: SKIPPED, because the package ${debianPackage} is not installed: ${installCommand([debianPackage])}`;
}

const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
console.log(`\nnode ${process.version}, ${seconds} s`);
for (const line of [...tally.lines(), ...skipped]) console.log(line);

const isSkipAllowed = isShort && !values.require;
const isWell = tally.mismatches === 0 && (skipped.length === 0 || isSkipAllowed);
const compared = `${tally.total} comparisons, ${tally.mismatches} differ, ${skipped.length} checks skipped`;
console.log(`crosscheck: ${isWell ? "well" : "FAILED"}: ${compared}`);
process.exitCode = isWell ? 0 : 1;
