import { netLabMissing } from "@msg-ts/testing";
import { here } from "../../bench/harness/history.ts";
import type { Row } from "../../bench/harness/row.ts";
import { runContests } from "../../bench/network/contest.ts";
import { badNetworks, bulkTransfer, manyRequests } from "../../bench/network/contests.ts";
import { appendToHistory } from "../../bench/record.ts";
import { congestionControl } from "../network/congestion-control.ts";
import { short, tableLines } from "../network/table.ts";
import type { Check, CheckResult } from "./check.ts";

const transports = ["quic", "tls"] as const;

/**
 * QUIC and TCP with TLS on the same networks. In the lab, because a TCP proxy cannot lose packets;
 * damage is a loss there, which a checksum finds.
 */
export const besideTls: Check = {
  name: "beside-tls",
  title: `QUIC beside TLS over TCP, which uses ${congestionControl()} here`,
  async run({ credentials, seed, isShort, isRecorded }): Promise<CheckResult> {
    const missing = netLabMissing();
    if (missing !== undefined) return { lines: [`SKIPPED, because ${missing}`], failures: [] };
    const length = isShort ? "short" : "full";
    const contests = [bulkTransfer(length), manyRequests(length)];
    const networks = badNetworks.filter((_, at) => !isShort || at === 2);
    const rows: Row[] = [];
    const failures: string[] = [];
    const where = here();
    await runContests(contests, networks, {
      transports,
      rounds: 1,
      seed,
      credentials,
      onRow: (row) => {
        rows.push(row);
        if (isRecorded) appendToHistory(row.scenario, { ...where, ...row });
      },
      onFailure: (text) => failures.push(text),
    });
    const titles = contests.map(({ title }) => title).join("; ");
    return {
      lines: [
        titles,
        ...tableLines(
          header,
          networks.map(({ name }) => cells(name, rows)),
        ),
      ],
      failures,
    };
  },
};

const header = [
  "network",
  "QUIC MB/s",
  "TLS MB/s",
  "ratio",
  "QUIC p99 ms",
  "TLS p99 ms",
  "ratio",
  "QUIC requests/s",
  "TLS requests/s",
];

function cells(network: string, rows: readonly Row[]): string[] {
  const number = (scenario: string, label: string, measure: string): number => {
    const row = rows.find((each) => each.scenario === scenario && each.transport === network);
    return row?.contenders[label]?.[measure]?.median ?? Number.NaN;
  };
  const both = (scenario: string, measure: string): [number, number] => [
    number(scenario, "quic", measure),
    number(scenario, "tls", measure),
  ];
  const [quicRate, tlsRate] = both("network-bulk", "megabytesPerSecond");
  const [quicP99, tlsP99] = both("network-requests", "p99Ms");
  const [quicRequests, tlsRequests] = both("network-requests", "perSecond");
  const numbers = [
    quicRate,
    tlsRate,
    quicRate / tlsRate,
    quicP99,
    tlsP99,
    quicP99 / tlsP99,
    quicRequests,
    tlsRequests,
  ];
  return [network, ...numbers.map(short)];
}
