/** What is aimed at, and what a run says of it. */
import type { RowChoice } from "./plan.ts";
import { settingsOf } from "./plan.ts";
import { short } from "./print.ts";
import type { Row } from "./row.ts";

/** One aim. */
export interface Goal {
  /** What of ours, in which row: the first column of the table. */
  readonly title: string;
  /** `at least 30 x zeromq`. */
  readonly aim: string;
  /** Undefined when the rows do not have it. */
  readonly measure: (rows: readonly Row[]) => Outcome | undefined;
}

/** What came out. */
export interface Outcome {
  readonly text: string;
  readonly isReached: boolean;
}

/** The newest row of these settings. */
export function rowOf(rows: readonly Row[], choice: RowChoice): Row | undefined {
  const { scenario, transport, sizeBytes, pin } = settingsOf(choice);
  return rows.findLast(
    (row) =>
      row.scenario === scenario &&
      row.transport === transport &&
      row.sizeBytes === sizeBytes &&
      row.pin === pin,
  );
}

interface Against {
  readonly title: string;
  readonly row: RowChoice;
  readonly ours: string;
  /** `per second` when nothing is said: more is better, of everything else less. */
  readonly measure?: string;
}

/** Times as fast as, or times as good as: of a duration the other one's is the larger. */
function atLeast(against: Against, peers: Readonly<Record<string, number>>): Goal[] {
  const { title, row, ours, measure = "perSecond" } = against;
  return Object.entries(peers).map(([peer, least]) => ({
    title,
    aim: `at least ${least} x ${peer}`,
    measure: (rows) => {
      const quotient = rowOf(rows, row)?.ratios[ours]?.[peer]?.[measure]?.median;
      if (quotient === undefined) return undefined;
      const times = measure === "perSecond" ? quotient : 1 / quotient;
      return { text: `${short(times)} x`, isReached: times >= least };
    },
  }));
}

/** At most so many times the other one's. */
function atMost(against: Against, peers: Readonly<Record<string, number>>): Goal[] {
  const { title, row, ours, measure = "perSecond" } = against;
  return Object.entries(peers).map(([peer, most]) => ({
    title,
    aim: `at most ${most.toFixed(2)} x ${peer}`,
    measure: (rows) => {
      const quotient = rowOf(rows, row)?.ratios[ours]?.[peer]?.[measure]?.median;
      if (quotient === undefined) return undefined;
      return { text: `${quotient.toFixed(2)} x`, isReached: quotient <= most };
    },
  }));
}

/** A figure by itself. */
function below(against: Against, most: number, unit: string): Goal {
  const { title, row, ours, measure = "perSecond" } = against;
  return {
    title,
    aim: `at most ${most} ${unit}`,
    measure: (rows) => {
      const value = rowOf(rows, row)?.contenders[ours]?.[measure]?.median;
      if (value === undefined) return undefined;
      return { text: `${short(value)} ${unit}`, isReached: value <= most };
    },
  };
}

const size = { kibi: 1_024, kibi64: 65_536, mebi: 1_048_576 };

function pushPull(title: string, transport: "tcp" | "ipc", sizeBytes: number, style = "callback") {
  const row = { scenario: "push-pull", transport, sizeBytes };
  return { title: `push-pull ${title}`, row, ours: `ours/${style}` };
}

function inTurn(title: string, transport: "tcp" | "ipc", measure: string): Against {
  const row: RowChoice = { scenario: "req-rep-1", transport, pin: "one" };
  return { title: `one request at a time, one core, ${title}`, row, ours: "ours", measure };
}

function inFlight(count: number): Against {
  const title = `${count.toLocaleString("en")} requests in flight`;
  return { title, row: { scenario: `req-rep-${count}` }, ours: "ours" };
}

function publishing(count: number): Goal[] {
  const title = `publishing 64 B to ${count}`;
  const row = { scenario: `pub-sub-${count}` };
  return atLeast({ title, row, ours: "ours/drop" }, { zeromq: 30, nats: 4 });
}

/** More than raw `net` needs. */
const idleMemory: Goal = {
  title: "memory of an idle connection, both sides",
  aim: "at most raw + 4 KiB",
  measure: (rows) => {
    const contenders = rowOf(rows, { scenario: "idle-memory" })?.contenders;
    const ours = contenders?.["ours"]?.["residentBytes"]?.median;
    const raw = contenders?.["raw"]?.["residentBytes"]?.median;
    if (ours === undefined || raw === undefined) return undefined;
    const more = (ours - raw) / size.kibi;
    return { text: `raw + ${short(more)} KiB`, isReached: more <= 4 };
  },
};

const growth: Goal = {
  title: "one way over 1, 10, 100, 1,000 connections",
  aim: "within 25 % of each other",
  measure: (rows) => {
    const rates = [1, 10, 100, 1_000].map((count) => {
      const row = rowOf(rows, { scenario: `connections-${count}` });
      return row?.contenders["ours/callback"]?.["perSecond"]?.median ?? Number.NaN;
    });
    const least = Math.min(...rates) / Math.max(...rates);
    if (Number.isNaN(least)) return undefined;
    const percent = Math.round((1 - least) * 100);
    return { text: `within ${percent} %`, isReached: percent <= 25 };
  },
};

const subscriptions: RowChoice = { scenario: "subscriptions" };

function overQuic(title: string, scenario: string, style = "", sizeBytes?: number): Against {
  const row: RowChoice = { scenario, transport: "secure", sizeBytes };
  return { title: `${title} over QUIC`, row, ours: `ours-quic${style}` };
}

/** What a network that loses does to QUIC and to TLS over TCP: docs/network.md. */
function tailUnderLoss(network: string): Goal {
  return {
    title: `p99 of small requests over QUIC, ${network}`,
    aim: "at most 0.5 x tls",
    measure: (rows) => {
      const row = rows.findLast(
        ({ scenario, transport }) => scenario === "network-one-by-one" && transport === network,
      );
      const quotient = row?.ratios["quic"]?.["tls"]?.["p99Ms"]?.median;
      if (quotient === undefined) return undefined;
      return { text: `${quotient.toFixed(2)} x`, isReached: quotient <= 0.5 };
    },
  };
}

/** Every aim, in the order of the table. */
export const goals: readonly Goal[] = [
  ...atLeast(pushPull("64 B tcp, callback", "tcp", 64), {
    zeromq: 30,
    libzmq: 3,
    "prototype/callback": 0.6,
    "ours/at-most-once": 0.7,
  }),
  ...atLeast(pushPull("16 B tcp, callback", "tcp", 16), { zeromq: 35 }),
  ...atLeast(pushPull("64 B tcp, one by one, awaited", "tcp", 64, "one-by-one"), {
    zeromq: 12,
    libzmq: 1,
  }),
  ...atLeast(pushPull("1 KiB tcp", "tcp", size.kibi), { zeromq: 8, libzmq: 2.5 }),
  ...atLeast(pushPull("64 KiB tcp", "tcp", size.kibi64), { zeromq: 1.7 }),
  ...atLeast(pushPull("1 MiB tcp", "tcp", size.mebi), { zeromq: 1.2 }),
  ...atLeast(pushPull("1 MiB tcp, lent buffers", "tcp", size.mebi, "lent"), { zeromq: 1.8 }),
  ...atLeast(pushPull("64 B ipc", "ipc", 64), { zeromq: 25 }),
  ...atLeast(pushPull("1 KiB ipc", "ipc", size.kibi), { zeromq: 10 }),
  ...atLeast(pushPull("64 KiB ipc", "ipc", size.kibi64), { zeromq: 2 }),
  ...atLeast(pushPull("1 MiB ipc", "ipc", size.mebi), { zeromq: 1.1 }),
  ...atMost(inTurn("p50 tcp", "tcp", "p50Micros"), { raw: 1.1 }),
  ...atMost(inTurn("p99 tcp", "tcp", "p99Micros"), { raw: 1.3 }),
  ...atLeast(inTurn("p50 tcp", "tcp", "p50Micros"), {
    zeromq: 3,
    ws: 1,
    nats: 8,
    grpc: 20,
    http: 6,
  }),
  ...atLeast(inTurn("p50 ipc", "ipc", "p50Micros"), { zeromq: 3.5 }),
  ...atLeast(inFlight(64), { zeromq: 10, libzmq: 1, ws: 5, nats: 25, grpc: 150 }),
  ...atLeast(inFlight(256), { zeromq: 12 }),
  ...atLeast({ ...inFlight(2_048), title: "2,048 requests in flight, 512 B" }, { "msg-rs": 1 }),
  ...[1, 8, 64, 512].flatMap(publishing),
  below(
    {
      title: "100,000 subscriptions, repeated topic",
      row: subscriptions,
      ours: "ours",
      measure: "repeatedNanos",
    },
    50,
    "ns",
  ),
  below(
    {
      title: "100,000 subscriptions, new topic",
      row: subscriptions,
      ours: "ours",
      measure: "newNanos",
    },
    600,
    "ns",
  ),
  below(
    {
      title: "100,000 subscriptions, heap of each",
      row: subscriptions,
      ours: "ours",
      measure: "heapBytes",
    },
    500,
    "bytes",
  ),
  idleMemory,
  below(
    {
      title: "p99 at half of the highest rate",
      row: { scenario: "req-rep-load" },
      ours: "ours",
      measure: "p99OverIdle",
    },
    4,
    "x idle p50",
  ),
  growth,
  below(
    {
      title: "timers beside a loop of awaited sends",
      row: { scenario: "fairness" },
      ours: "ours/one-by-one",
      measure: "lateMaxMs",
    },
    10,
    "ms late",
  ),
  ...atLeast(overQuic("push-pull 1 MiB", "push-pull", "/callback", size.mebi), {
    "ours-tls/callback": 0.35,
  }),
  ...atLeast(
    {
      title: "push-pull 1 MiB over QUIC, datagrams of 1,350 bytes",
      row: { scenario: "push-pull", transport: "secure", sizeBytes: size.mebi },
      ours: "ours-quic-1350/callback",
    },
    { "ours-tls/callback": 0.1 },
  ),
  ...atMost(
    { ...overQuic("one request at a time, p50", "req-rep-1"), measure: "p50Micros" },
    { "ours-tls": 3 },
  ),
  ...atLeast(overQuic("100 clients that connect at once", "connect-storm-100"), { "ours-tls": 1 }),
  ...(["listening", "dialing"] as const).map((side) =>
    below(
      {
        ...overQuic(`memory of an idle connection, ${side} side,`, "idle-memory"),
        measure: `${side}Bytes`,
      },
      120_000,
      "bytes",
    ),
  ),
  tailUnderLoss("10 ms, 1 % lost"),
  tailUnderLoss("10 ms, 3 % lost"),
];
