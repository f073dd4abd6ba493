import type { DatagramCounts, DatagramFaults, UdpProxy } from "@msg-ts/testing";
import { DatagramPipe, udpProxy } from "@msg-ts/testing";
import { Pair } from "../network/pair.ts";
import { short, tableLines } from "../network/table.ts";
import type { Credentials } from "../network/transports.ts";
import type { Check, CheckResult } from "./check.ts";
import type { Way } from "./conditions.ts";
import { conditions } from "./conditions.ts";
import type { Transfer, TransferSize } from "./transfer.ts";
import { transfer } from "./transfer.ts";

const full: TransferSize = {
  jobs: 1_526,
  jobBytes: 65_536,
  requests: 10_000,
  requestBytes: 256,
  inFlight: 32,
};
const brief: TransferSize = { ...full, jobs: 80, requests: 500 };

/** What Ethernet carries: larger ones, as on the loopback, would be fewer for chance to look at. */
const maxDatagramBytes = 1_452;

/** Proxies that are told the same. */
class Proxies implements Way {
  readonly #proxies: UdpProxy[] = [];
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
  }

  readonly between = async (to: string): Promise<string> => {
    const proxy = await udpProxy({ to, seed: this.#seed + this.#proxies.length * 16 });
    this.#proxies.push(proxy);
    return proxy.address;
  };

  get received(): number {
    return this.counts().received;
  }

  get blocked(): number {
    return this.counts().blocked;
  }

  setFaults(faults: DatagramFaults): void {
    for (const proxy of this.#proxies) proxy.setFaults(faults);
  }

  block(): void {
    for (const proxy of this.#proxies) proxy.block();
  }

  open(): void {
    for (const proxy of this.#proxies) proxy.open();
  }

  async close(): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy.close()));
  }

  /** Of all proxies, both ways. */
  counts(): DatagramCounts {
    const all = this.#proxies.flatMap(({ counts }) => [counts.toServer, counts.toClient]);
    return all.reduce((sum, counts) => combined(sum, counts, 1), noCounts);
  }
}

const noCounts = new DatagramPipe(Math.random).counts;

function difference(now: DatagramCounts, before: DatagramCounts): DatagramCounts {
  return combined(now, before, -1);
}

function combined(one: DatagramCounts, other: DatagramCounts, factor: number): DatagramCounts {
  const names = Object.keys(one) as (keyof DatagramCounts)[];
  const sums = names.map((name) => [name, one[name] + factor * other[name]] as const);
  return Object.fromEntries(sums) as unknown as DatagramCounts;
}

/** 100 MB and 10,000 requests over each network, through the UDP proxy, on new connections each. */
export const intact: Check = {
  name: "intact",
  title: "everything arrives intact over a bad network",
  async run({ credentials, seed, isShort }): Promise<CheckResult> {
    const size = isShort ? brief : full;
    const rows: string[][] = [];
    const failures: string[] = [];
    const notes: string[] = [];
    const proxies = new Proxies(seed);
    let pair: Pair | undefined;
    try {
      for (const condition of conditions) {
        const before = proxies.counts();
        try {
          pair ??= await startPair(credentials, proxies);
          proxies.setFaults(condition.faults);
          await pair.reconnect();
          const result = await transfer(pair, proxies, condition, size);
          rows.push([condition.name, ...cells(result, difference(proxies.counts(), before))]);
          for (const reason of result.lossReasons) notes.push(`${condition.name}: ${reason}`);
          if (result.damage !== undefined) failures.push(`${condition.name}: ${result.damage}`);
          for (const problem of result.problems) failures.push(`${condition.name}: ${problem}`);
        } catch (error) {
          failures.push(`${condition.name}: ${(error as Error).message}`);
          await pair?.stop();
          pair = undefined;
        }
      }
    } finally {
      await pair?.stop();
      await proxies.close();
    }
    const megabytes = ((size.jobs * size.jobBytes) / 1e6).toFixed(0);
    const what = `${megabytes} MB in jobs of 64 KiB, then ${size.requests} requests of 256 B, 32 in flight`;
    return { lines: [what, ...tableLines(header, rows), ...notes], failures };
  },
};

function startPair(credentials: Credentials, proxies: Proxies): Promise<Pair> {
  const options = { maxDatagramBytes };
  return Pair.start({ transport: "quic", credentials, options }, { between: proxies.between });
}

const header = [
  "network",
  "datagrams",
  "lost",
  "reordered",
  "twice",
  "damaged",
  "MB/s",
  "requests/s",
  "p50 ms",
  "p99 ms",
  "longest pauses ms",
  "links lost",
  "intact",
];

function cells(result: Transfer, counts: DatagramCounts): string[] {
  return [
    String(counts.received),
    String(counts.lost + counts.blocked),
    String(counts.reordered),
    String(counts.duplicated),
    String(counts.corrupted),
    short(result.megabytesPerSecond),
    short(result.requestsPerSecond),
    short(result.p50Ms),
    short(result.p99Ms),
    result.pausesMs.map(short).join(", "),
    String(result.lossReasons.length),
    result.damage === undefined ? "yes" : "NO",
  ];
}
