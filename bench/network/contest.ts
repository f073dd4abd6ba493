/** Transports beside one another over the same bad network, in turns. */
import type { DatagramFaults } from "@msg-ts/testing";
import { NetLab } from "@msg-ts/testing";
import type { Measures } from "../harness/scenario.ts";
import type { Row } from "../harness/row.ts";
import { figure, ratios } from "../harness/statistics.ts";
import { Pair } from "../../test/network/pair.ts";
import type { Credentials, NetworkTransport } from "../../test/network/transports.ts";

/** A network between two hosts, each way the same. */
export interface Network {
  /** In the words of the table. */
  readonly name: string;
  readonly faults: DatagramFaults;
  /** Runs beside what is measured. */
  readonly during?: (lab: NetLab) => Promise<void>;
}

/** What is measured over a network. */
export interface Contest {
  /** Its file in bench/history. */
  readonly scenario: string;
  /** In one line, for the page. */
  readonly title: string;
  readonly sizeBytes: number;
  /** Under way at a time. */
  readonly count: number;
  /** The first measure is the one that is compared. */
  readonly measure: (pair: Pair) => Promise<Measures>;
}

/** How contests are run. */
export interface ContestOptions {
  readonly transports: readonly NetworkTransport[];
  readonly rounds: number;
  readonly seed: number;
  readonly credentials: Credentials;
  /** Told of each row as soon as it is there. */
  readonly onRow: (row: Row) => void;
  /** Told of what did not come to an end. */
  readonly onFailure: (text: string) => void;
}

/** Every contest over every network, on hosts of their own and the same sockets throughout. */
export async function runContests(
  contests: readonly Contest[],
  networks: readonly Network[],
  options: ContestOptions,
): Promise<void> {
  const { transports, seed } = options;
  const lab = await NetLab.create({ hosts: ["server", "client"], seed });
  const pairs = new Map<NetworkTransport, Pair>();
  try {
    for (const network of networks) {
      for (const contest of contests) {
        for (const transport of transports) {
          if (!pairs.has(transport)) pairs.set(transport, await startPair(lab, transport, options));
        }
        await runContest(contest, network, { lab, pairs, options });
      }
    }
  } finally {
    await Promise.all([...pairs.values()].map((pair) => pair.stop()));
    await lab.close();
  }
}

function startPair(
  lab: NetLab,
  transport: NetworkTransport,
  { credentials }: ContestOptions,
): Promise<Pair> {
  return Pair.start({ transport, credentials }, { lab });
}

interface Field {
  readonly lab: NetLab;
  readonly pairs: Map<NetworkTransport, Pair>;
  readonly options: ContestOptions;
}

async function runContest(contest: Contest, network: Network, field: Field): Promise<void> {
  const { lab, pairs, options } = field;
  const samples = new Map<NetworkTransport, Measures[]>([...pairs.keys()].map((key) => [key, []]));
  const what = `${contest.scenario}, ${network.name}`;
  for (let round = 0; round < options.rounds; round++) {
    const order = round % 2 === 0 ? [...samples.keys()] : [...samples.keys()].toReversed();
    for (const transport of order) {
      const pair = pairs.get(transport);
      if (pair === undefined) continue;
      await lab.setFaults(network.faults);
      try {
        const during = network.during?.(lab);
        const measured = await contest.measure(pair);
        await during;
        samples.get(transport)?.push(measured);
      } catch (error) {
        options.onFailure(`${what}, ${transport}: ${(error as Error).message}`);
        samples.delete(transport);
        pairs.delete(transport);
        await lab.heal();
        await pair.stop();
      }
    }
  }
  const { deviceDrops } = await lab.counts();
  if (deviceDrops > 0) options.onFailure(`${what}: the lab itself lost ${deviceDrops} packets`);
  options.onRow(rowFrom(contest, network, samples, options.rounds));
}

function rowFrom(
  { scenario, sizeBytes, count }: Contest,
  { name }: Network,
  samples: ReadonlyMap<NetworkTransport, readonly Measures[]>,
  rounds: number,
): Row {
  const ours = samples.get("quic") ?? [];
  const contenders = [...samples].map(([label, all]) => [
    label,
    eachMeasure(all, (measure) => figure(all.map((one) => one[measure] ?? Number.NaN))),
  ]);
  const others = [...samples].filter(([label]) => label !== "quic");
  const quotients = others.map(([label, all]) => [
    label,
    eachMeasure(all, (measure) =>
      ratios(
        ours.map((one) => one[measure] ?? Number.NaN),
        all.map((one) => one[measure] ?? Number.NaN),
      ),
    ),
  ]);
  return {
    scenario,
    transport: name,
    sizeBytes,
    count,
    pin: "none",
    rounds,
    contenders: Object.fromEntries(contenders) as Row["contenders"],
    ratios: { quic: Object.fromEntries(quotients) as Row["ratios"][string] },
  };
}

function eachMeasure<T>(
  samples: readonly Measures[],
  value: (measure: string) => T,
): Record<string, T> {
  const names = Object.keys(samples[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, value(name)]));
}
