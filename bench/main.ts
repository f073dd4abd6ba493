/**
 * Measures scenarios: every contender in processes of its own, in turns, medians and spread.
 *
 *   npm run bench -- <scenario>... | all [options]
 *
 * Rates move with the load of the machine; ratios of one run and CPU microseconds a message (all
 * threads, kernel included) hardly do. See docs/performance.md.
 */
import { build } from "./harness/build.ts";
import { entriesOf } from "./harness/entries.ts";
import { goals } from "./harness/goals.ts";
import { here } from "./harness/history.ts";
import { parseOptions, runCommand } from "./harness/options.ts";
import type { BenchOptions } from "./harness/options.ts";
import { rowText } from "./harness/print.ts";
import type { Row } from "./harness/row.ts";
import { measureRow } from "./harness/row.ts";
import { appendToHistory } from "./record.ts";

async function run(options: BenchOptions): Promise<void> {
  build();
  const where = here();
  const rows: Row[] = [];
  const skipped = new Set<string>();
  const skip = (line: string): void => {
    if (!skipped.has(line)) console.error(line);
    skipped.add(line);
  };
  for (const { settings, peers, rounds } of options.plan) {
    const entries = await entriesOf(settings, peers, skip);
    const { row, failures } = await measureRow(settings, entries, {
      rounds,
      isOurs: ({ contender }) => contender.name.startsWith("ours"),
    });
    for (const { label, message } of failures) skip(`${label} failed: ${message}`);
    rows.push(row);
    if (!options.json) console.log(`${rowText(row)}\n`);
    if (options.record) appendToHistory(row.scenario, { ...where, ...row });
  }
  if (!options.json) return;
  const outcomes = goals.map(({ title, aim, measure }) => ({ title, aim, ...measure(rows) }));
  console.log(JSON.stringify({ ...where, rows, goals: outcomes, skipped: [...skipped] }));
}

await runCommand((args) => run(parseOptions(args)));
