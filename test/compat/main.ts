/**
 * Plays zeromq.js' own list of scenarios twice: with zeromq.js 6.8 and with `@msg-ts/zmtp/compat`.
 *
 *   npm run test:compat -- [--match text] [--record] [--render]
 *
 * Ours has to give what the scenario says, or it fails. Where zeromq.js gives another, the scenario
 * has to say why; else that is a surprise, which no record may have. `--record` keeps the results in
 * `history/`, `--render` alone writes them to docs/zeromq-js.md. Two to three minutes.
 */
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { faultsOf, surprisesOf } from "./judge.ts";
import type { RecordedScenarios } from "./page.ts";
import { page, readRecord, record, renderedPage } from "./page.ts";
import type { Result } from "./run.ts";
import { playAll } from "./run.ts";
import { plays } from "./scenarios/all.ts";

const { values } = parseArgs({
  options: {
    match: { type: "string", default: "" },
    record: { type: "boolean", default: false },
    render: { type: "boolean", default: false },
  },
});

if (values.render) writeFileSync(page, renderedPage(readFileSync(page, "utf8"), readRecord()));
else await runAll();

async function runAll(): Promise<void> {
  const startMs = performance.now();
  const chosen = plays.filter(({ scenario, carrier }) =>
    `${scenario.what}, ${carrier}`.includes(values.match),
  );
  const [theirs, ours] = await Promise.all([playAll("zeromq.js", chosen), playAll("ours", chosen)]);
  const results = chosen.map(({ scenario: { what }, carrier }, at): Result => {
    return { what, carrier, theirs: theirs[at] ?? "", ours: ours[at] ?? "" };
  });
  const faults = faultsOf(results);
  const surprises = surprisesOf(results);
  for (const { what, carrier, theirs: there, ours: here } of results) {
    console.log(
      `${carrier.padEnd(6)} ${what}\n       zeromq.js: ${there}\n       ours:      ${here}`,
    );
  }
  for (const surprise of surprises) console.log(`SURPRISE ${surprise}`);
  for (const fault of faults) console.log(`FAILED ${fault}`);
  const same = results.filter((result) => result.theirs === result.ours).length;
  const seconds = ((performance.now() - startMs) / 1_000).toFixed(0);
  const counts = `${results.length} plays, ${same} the same, ${faults.length} failed, ${surprises.length} surprises`;
  console.log(`compat: ${counts}, node ${process.version}, ${seconds} s`);
  process.exitCode = faults.length === 0 && results.length > 0 ? 0 : 1;
  if (!values.record) return;
  if (values.match !== "") throw new Error("--record is for a whole run: leave out --match");
  if (faults.length + surprises.length > 0)
    throw new Error("a record has no failures or surprises");
  const run: RecordedScenarios = {
    date: new Date().toISOString(),
    node: process.version,
    results,
  };
  writeFileSync(record, `${JSON.stringify(run, undefined, 1)}\n`);
}
