/**
 * QUIC over bad networks, with real processes: what arrives, how fast, and what is left behind.
 *
 *   npm run test:quic -- [--short] [--seed N] [--only intact,rebinding] [--record] [--render]
 *
 * `--record` keeps what a whole run said, `--render` writes that into docs/network.md; what
 * beside-tls measures is kept in bench/history, too. The exit code is 1 when anything failed.
 */
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { Quic } from "msg-ts";
import { newCredentials } from "../network/transports.ts";
import type { Check } from "./check.ts";
import { checks } from "./checks.ts";
import { page, readRecord, record, renderedPage } from "./record.ts";

const { values } = parseArgs({
  options: {
    short: { type: "boolean", default: false },
    seed: { type: "string" },
    only: { type: "string" },
    record: { type: "boolean", default: false },
    render: { type: "boolean", default: false },
  },
});

const seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000));
const chosen = values.only?.split(",").map(checkNamed) ?? checks;

const missing = whyNot();
if (values.render) writeFileSync(page, renderedPage(readFileSync(page, "utf8"), readRecord()));
else if (missing === undefined) process.exitCode = await runAll();
else console.log(`quic: SKIPPED, because ${missing}: ${chosen.length} checks did not run`);

function checkNamed(name: string): Check {
  const check = checks.find((each) => each.name === name);
  if (check !== undefined) return check;
  throw new Error(`there is no check ${name}: ${checks.map((each) => each.name).join(", ")}`);
}

/** The engine is native code, and not there for every platform. */
function whyNot(): string | undefined {
  try {
    void new Quic();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

async function runAll(): Promise<number> {
  console.log(`quic: seed ${seed}, node ${process.version}${values.short ? ", short form" : ""}`);
  const startMs = performance.now();
  const context = {
    credentials: await newCredentials(),
    seed,
    isShort: values.short,
    isRecorded: values.record,
  };
  let failureCount = 0;
  for (const check of chosen) {
    const checkStartMs = performance.now();
    const { name, title } = check;
    const { lines, failures } = await check.run(context).catch((error: unknown) => ({
      lines: [],
      failures: [String((error as Error).stack)],
    }));
    failureCount += failures.length;
    if (values.record && !values.short) {
      record(check, { lines, failures }, { seed, seconds: Number(seconds(checkStartMs)) });
    }
    console.log(`\n${name}: ${title} (${seconds(checkStartMs)} s)`);
    for (const line of lines) console.log(`  ${line}`);
    for (const failure of failures) console.log(`  FAILED: ${failure}`);
  }
  const verdict = failureCount === 0 ? "well" : `FAILED: ${failureCount}`;
  console.log(`\nquic: ${chosen.length} checks, seed ${seed}, ${seconds(startMs)} s: ${verdict}`);
  return failureCount === 0 ? 0 : 1;
}

function seconds(startMs: number): string {
  return ((performance.now() - startMs) / 1_000).toFixed(0);
}
