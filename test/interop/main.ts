/**
 * Talks to other implementations, each in a process of its own, and checks every message.
 *
 *   npm run test:interop -- [--only msg-rs] [--match text] [--require]
 *   npm run test:interop -- --mixed [--minutes 10]
 *
 * The peers are built or installed here where that is possible. A suite whose peer is not there is
 * skipped and says why; that is a failure with `--require`. `--match` runs the scenes whose line
 * contains the text; `--mixed` runs traffic of every kind with restarts of either side instead. The
 * exit code is 1 when anything fails.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { playAll } from "./play.ts";
import { Report } from "./report.ts";
import type { Scene, Suite } from "./scene.ts";
import { quinnSuite } from "./quinn/suite.ts";
import { rustSuite } from "./rust/suite.ts";
import { compatSuite, pyzmqSuite, zeromqSuite } from "./zeromq/suite.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    match: { type: "string", default: "" },
    mixed: { type: "boolean", default: false },
    minutes: { type: "string", default: "10" },
    require: { type: "boolean", default: false },
  },
});

const maxMinutes = 24 * 60;
const suites: readonly Suite[] = [rustSuite, quinnSuite, zeromqSuite, compatSuite, pyzmqSuite];
const asked = values.only?.split(",").map(suiteNamed);
const chosen = asked ?? (values.mixed ? [rustSuite] : suites);
const mixedMinutes = values.mixed ? minutesOf(values.minutes) : undefined;
const report = new Report();
let isShort = false;

for (const { name, prepare } of chosen) {
  const startMs = performance.now();
  const prepared = await prepare({ mixedMinutes });
  if ("unavailable" in prepared) {
    report.skipped(name, { what: "everything", why: prepared.unavailable });
    isShort = true;
    continue;
  }
  console.log(`${name}: ${prepared.title}, ready after ${secondsSince(startMs)} s`);
  try {
    await playAll(name, prepared.scenes.filter(isWanted), report);
  } finally {
    prepared.dispose();
  }
  for (const skip of prepared.skips) report.skipped(name, skip);
  console.log(`${name}: over after ${secondsSince(startMs)} s\n`);
}

function suiteNamed(name: string): Suite {
  const suite = suites.find((each) => each.name === name);
  if (suite !== undefined) return suite;
  throw new Error(`there is no suite ${name}: ${suites.map((each) => each.name).join(", ")}`);
}

function minutesOf(text: string): number {
  const minutes = Number(text);
  if (minutes > 0 && minutes <= maxMinutes) return minutes;
  throw new Error(`--minutes is ${text}, must be more than 0 and at most ${maxMinutes}`);
}

function isWanted({ pair, transport, what }: Scene): boolean {
  return `${pair}, ${transport}, ${what}`.includes(values.match);
}

function secondsSince(startMs: number): string {
  return ((performance.now() - startMs) / 1000).toFixed(1);
}

for (const line of report.lines()) console.log(line);
const isWell = report.failures === 0 && !(isShort && values.require);
console.log(
  `\nnode ${process.version}\ninterop: ${isWell ? "well" : "FAILED"}: ${report.totals()}`,
);
process.exitCode = isWell ? 0 : 1;
