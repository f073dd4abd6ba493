import { setTimeout as pause } from "node:timers/promises";
import type { DatagramFaults, NetLab } from "@msg-ts/testing";
import type { Pair } from "../../test/network/pair.ts";
import type { Contest, Network } from "./contest.ts";

/** How much is sent: what the page shows, or little, to see that it works. */
export type Length = "full" | "short";

const patienceMs = 280_000;

/** 10 ms there and back. */
const near: DatagramFaults = { delayMs: 5 };

async function blackout(lab: NetLab): Promise<void> {
  await pause(200);
  await lab.partition();
  await pause(2_000);
  await lab.heal();
}

/** The networks of `test:quic`, over 10 ms. */
export const badNetworks: readonly Network[] = [
  { name: "10 ms", faults: near },
  { name: "10 ms, 1 % lost", faults: { ...near, lossPercent: 1 } },
  { name: "10 ms, 5 % lost", faults: { ...near, lossPercent: 5 } },
  { name: "10 ms, 20 % lost", faults: { ...near, lossPercent: 20 } },
  { name: "10 ms, 10 % reordered", faults: { ...near, reorderPercent: 10 } },
  { name: "10 ms, 10 % twice", faults: { ...near, duplicatePercent: 10 } },
  { name: "10 ms, 1 % damaged", faults: { ...near, corruptPercent: 1 } },
  { name: "10 ms, 2 s blackout", faults: near, during: blackout },
];

/** Those of the goals. */
export const lossyNetworks: readonly Network[] = [
  { name: "10 ms", faults: near },
  { name: "10 ms, 1 % lost", faults: { ...near, lossPercent: 1 } },
  { name: "10 ms, 3 % lost", faults: { ...near, lossPercent: 3 } },
];

/** One way, as much as goes. */
export function bulkTransfer(length: Length): Contest {
  const jobs = length === "full" ? 306 : 32;
  const sizeBytes = 65_536;
  return {
    scenario: "network-bulk",
    title: `${((jobs * sizeBytes) / 1e6).toFixed(0)} MB pushed in jobs of 64 KiB`,
    sizeBytes,
    count: 1,
    measure: async ({ client, server }: Pair) => {
      const pushed = await client.call("push", { count: jobs, bytes: sizeBytes }, patienceMs);
      const { digest } = await server.call("jobs", undefined);
      if (digest !== pushed.digest) throw new Error("the jobs are not those that were sent");
      return { megabytesPerSecond: (jobs * sizeBytes) / 1e6 / pushed.seconds };
    },
  };
}

/** Requests, so many at a time. */
function asking(contest: Omit<Contest, "measure">, requests: number): Contest {
  const { count: inFlight, sizeBytes: bytes } = contest;
  const measure: Contest["measure"] = async ({ client }) => {
    const order = { count: requests, inFlight, bytes, timeoutMs: patienceMs };
    const { answered, wrong, ...asked } = await client.call("requests", order, patienceMs);
    if (answered !== requests || wrong > 0) throw new Error(JSON.stringify({ answered, wrong }));
    const { p50Ms, p99Ms, seconds } = asked;
    const megabytesPerSecond = (requests * bytes) / 1e6 / seconds;
    return bytes > 65_536
      ? { megabytesPerSecond, p50Ms, p99Ms }
      : { p99Ms, p50Ms, perSecond: requests / seconds };
  };
  return { ...contest, measure };
}

/** Many small requests. */
export function manyRequests(length: Length): Contest {
  const number = length === "full" ? 2_000 : 300;
  const title = `${number.toLocaleString("en")} requests of 256 B, 32 in flight`;
  return asking({ scenario: "network-requests", title, sizeBytes: 256, count: 32 }, number);
}

/** What the tail of a single caller looks like. */
export function oneByOne(length: Length): Contest {
  const number = length === "full" ? 1_000 : 100;
  const title = `${number.toLocaleString("en")} requests of 256 B, one at a time`;
  return asking({ scenario: "network-one-by-one", title, sizeBytes: 256, count: 1 }, number);
}

/** As the benchmark of the same name in msg-rs: a file, again and again. */
export function quicVsTcp(length: Length): Contest {
  const number = length === "full" ? 100 : 10;
  const title = `${number} transfers of 280 KB, one at a time, each acknowledged`;
  return asking({ scenario: "quic-vs-tcp", title, sizeBytes: 280_000, count: 1 }, number);
}
