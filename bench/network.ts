/**
 * Measures QUIC beside TLS and TCP over a network that delays and loses packets.
 *
 *   npm run bench:network -- [quic-vs-tcp | network-one-by-one] [--short] [--rounds N] [--seed N]
 *                            [--record]
 *
 * It needs what test:netlab needs. `npm run test:quic -- --only beside-tls` has more networks.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { netLabMissing } from "@msg-ts/testing";
import { here } from "./harness/history.ts";
import { rowText } from "./harness/print.ts";
import { runContests } from "./network/contest.ts";
import { lossyNetworks, oneByOne, quicVsTcp } from "./network/contests.ts";
import { appendToHistory } from "./record.ts";
import { congestionControl } from "../test/network/congestion-control.ts";
import { networkTransports, newCredentials } from "../test/network/transports.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    short: { type: "boolean", default: false },
    rounds: { type: "string", default: "3" },
    seed: { type: "string", default: "1" },
    record: { type: "boolean", default: false },
  },
});

const missing = netLabMissing();
if (missing === undefined) await run();
else console.log(`bench:network: SKIPPED, because ${missing}`);

function isChosen(scenario: string): boolean {
  return positionals.length === 0 || positionals.includes(scenario);
}

async function run(): Promise<void> {
  const length = values.short ? "short" : "full";
  const all = [quicVsTcp(length), oneByOne(length)];
  const where = here();
  console.log(`the kernel's TCP uses ${congestionControl()}; seed ${values.seed}\n`);
  await runContests(
    all.filter(({ scenario }) => isChosen(scenario)),
    lossyNetworks,
    {
      transports: networkTransports,
      rounds: Number(values.rounds),
      seed: Number(values.seed),
      credentials: await newCredentials(),
      onRow: (row) => {
        console.log(`${rowText(row)}\n`);
        if (values.record) appendToHistory(row.scenario, { ...where, ...row });
      },
      onFailure: (text) => {
        console.log(`FAILED: ${text}`);
        process.exitCode = 1;
      },
    },
  );
}
