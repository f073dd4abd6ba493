/**
 * Sockets on hosts of their own, joined by a network that fails: nothing may be lost uncounted.
 *
 *   npm run test:netlab -- [--short] [--seed N] [--only tcp,tls] [--record] [--render]
 *
 * `--record` keeps what a whole run saw, `--render` writes that into docs/reliability.md.
 *
 * Needs root, /dev/net/tun, iproute2 and python3, of which it installs what is missing with apt-get
 * where it may; else it says what it skips and ends well. The exit
 * code is 1 when anything failed, came wrong, or is unaccounted for.
 */
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { netLabMissing } from "@msg-ts/testing";
import { installPackages } from "../crosscheck/install.ts";
import { congestionControl } from "../network/congestion-control.ts";
import { networkTransports, newCredentials } from "../network/transports.ts";
import type { CampaignReport } from "./campaign.ts";
import { runCampaign } from "./campaign.ts";
import { conditions } from "./conditions.ts";
import { page, renderedPage } from "./page.ts";
import { readRecord, record } from "./record.ts";
import { isWell, reportLines } from "./report.ts";

const { values } = parseArgs({
  options: {
    short: { type: "boolean", default: false },
    seed: { type: "string" },
    only: { type: "string" },
    record: { type: "boolean", default: false },
    render: { type: "boolean", default: false },
  },
});

const shortLoad = { requests: 300, jobs: 300, messages: 300, bytes: 1_024, everyMs: 5 };
const fullLoad = { requests: 5_000, jobs: 5_000, messages: 5_000, bytes: 1_024, everyMs: 2 };

const packagesOf: Readonly<Record<string, string>> = { ip: "iproute2", python3: "python3" };
for (const [program, name] of Object.entries(packagesOf)) {
  if (netLabMissing() === `there is no ${program}`) installPackages([name]);
}
const missing = netLabMissing();
if (values.render) writeFileSync(page, renderedPage(readFileSync(page, "utf8"), readRecord()));
else if (missing === undefined) process.exitCode = await runAll();
else
  console.log(`netlab: SKIPPED, because ${missing}: ${conditions.length} networks were not tried`);

async function runAll(): Promise<number> {
  const startMs = performance.now();
  const seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000));
  console.log(`netlab: seed ${seed}; the kernel's TCP uses ${congestionControl()}`);
  const credentials = await newCredentials();
  const chosen = conditions.filter(({ isShort }) => isShort || !values.short);
  const load = values.short ? shortLoad : fullLoad;
  const reports = new Map<string, CampaignReport>();
  for (const transport of networkTransports) {
    if (values.only?.split(",").includes(transport) === false) continue;
    const options = { transport, credentials, conditions: chosen, load, seed };
    const report = await runCampaign(options);
    reports.set(transport, report);
    if (values.record && !values.short) record(transport, report, options);
  }
  for (const line of reportLines(reports)) console.log(line);
  const all = [...reports.values()];
  const outcomes = all.flatMap((report) => report.outcomes);
  const bad = [...outcomes.map(isWell), ...all.map(({ worker }) => worker.isWell)];
  const badCount = bad.filter((well) => !well).length;
  const seconds = ((performance.now() - startMs) / 1_000).toFixed(0);
  const verdict = badCount === 0 ? "well" : `FAILED: ${badCount}`;
  console.log(`netlab: ${bad.length} campaigns, seed ${seed}, ${seconds} s: ${verdict}`);
  return badCount === 0 ? 0 : 1;
}
