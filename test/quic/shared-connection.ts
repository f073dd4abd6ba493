import { NetLab, netLabMissing } from "@msg-ts/testing";
import type { BesideOrder, BesideReport } from "../network/ends.ts";
import { Pair } from "../network/pair.ts";
import { short, tableLines } from "../network/table.ts";
import type { NetworkTransport } from "../network/transports.ts";
import type { Check, CheckContext, CheckResult } from "./check.ts";

const bulkBytes = 1_048_576;
/** 10 ms there and back, 10 MB/s: large requests wait for the wire, not for the CPU. */
const faults = { delayMs: 5, bytesPerSecond: 10_000_000, queueBytes: 262_144 };

/** Who sends large requests beside the small ones that are measured. */
const cases: readonly (Pick<BesideOrder, "bulkFrom" | "bulkBytes"> & { readonly name: string })[] =
  [
    { name: "nobody", bulkFrom: "other socket", bulkBytes: 0 },
    { name: "another socket of the same transport", bulkFrom: "other socket", bulkBytes },
    { name: "the same socket", bulkFrom: "same socket", bulkBytes },
  ];

/**
 * Sockets of one `Quic` share a connection and have a stream each: what one of them sends in bulk
 * does not stand before what the other one says. On one stream it does, as on a TCP connection.
 */
export const sharedConnection: Check = {
  name: "shared-connection",
  title: "small requests beside 4 MiB of large ones under way to the same REP",
  async run(context): Promise<CheckResult> {
    const missing = netLabMissing();
    if (missing !== undefined) return { lines: [`SKIPPED, because ${missing}`], failures: [] };
    const rows: string[][] = [];
    const quic = await measure(context, "quic");
    const tls = context.isShort ? [] : await measure(context, "tls");
    for (const [transport, reports] of [
      ["quic", quic],
      ["tls", tls],
    ] as const) {
      reports.forEach((report, at) =>
        rows.push([transport, cases[at]?.name ?? "", ...cells(report)]),
      );
    }
    const [, other, same] = quic;
    const isApart = other !== undefined && same !== undefined && other.p50Ms < same.p50Ms / 2;
    return {
      lines: tableLines(["transport", "large ones from", "p50 ms", "p99 ms", "bulk MB/s"], rows),
      failures: isApart
        ? []
        : ["another stream is hardly faster than behind the bulk on the same one"],
    };
  },
};

async function measure(
  { credentials, seed, isShort }: CheckContext,
  transport: NetworkTransport,
): Promise<readonly BesideReport[]> {
  const lab = await NetLab.create({ hosts: ["server", "client"], seed, faults });
  try {
    const choice = { transport, credentials };
    const pair = await Pair.start(choice, { lab });
    try {
      const reports: BesideReport[] = [];
      const count = isShort ? 12 : 60;
      for (const { bulkFrom, bulkBytes: bytes } of cases) {
        const order = { ...choice, address: pair.addresses.rep, count, bytes: 256, bulkFrom };
        reports.push(await pair.client.call("beside", { ...order, bulkBytes: bytes }));
      }
      return reports;
    } finally {
      await pair.stop();
    }
  } finally {
    await lab.close();
  }
}

function cells({ p50Ms, p99Ms, bulkMegabytesPerSecond }: BesideReport): string[] {
  return [p50Ms, p99Ms, bulkMegabytesPerSecond].map(short);
}
