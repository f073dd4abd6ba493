/** What `all` measures. */
import type { TransportName } from "../peers/contender.ts";
import { scenarios } from "../scenarios/names.ts";
import type { Pin, Settings } from "./scenario.ts";

/** One row that is to be measured. */
export interface Plan {
  readonly settings: Settings;
  /** Names, or styles such as `ours/callback`. */
  readonly peers: readonly string[];
  readonly rounds: number;
}

/** What differs from row to row. */
export interface RowChoice {
  readonly scenario: string;
  readonly transport?: TransportName | undefined;
  readonly sizeBytes?: number | undefined;
  readonly pin?: Pin | undefined;
  readonly warmUpMs?: number | undefined;
  readonly windowMs?: number | undefined;
}

/** Fills in what a scenario has when nothing is said. */
export function settingsOf(choice: RowChoice): Settings {
  const scenario = scenarios[choice.scenario];
  return {
    scenario: choice.scenario,
    transport: choice.transport ?? "tcp",
    sizeBytes: choice.sizeBytes ?? scenario?.sizeBytes ?? 64,
    count: scenario?.count ?? 1,
    pin: choice.pin ?? "none",
    warmUpMs: choice.warmUpMs ?? 300,
    windowMs: choice.windowMs ?? 1_000,
  };
}

const kibi = 1_024;
const mebi = 1_048_576;

function row(choice: RowChoice, peers: string): Plan {
  return { settings: settingsOf(choice), peers: peers.split(" "), rounds: 3 };
}

function pushPull(transport: TransportName, sizeBytes: number, peers: string): Plan {
  return row({ scenario: "push-pull", transport, sizeBytes }, peers);
}

const secure = "ours-tls ours-quic";
const secureStyles = "ours-tls/callback ours-quic/callback ours-quic-1350/callback";
const publishers = "ours zeromq nats";

/** Every row of docs/performance.md, within 20 minutes on two cores. */
export const everything: readonly Plan[] = [
  pushPull("tcp", 64, "ours raw prototype zeromq compat libzmq ws nats grpc"),
  pushPull("tcp", 16, "ours/callback ours/batches prototype/callback zeromq"),
  pushPull("tcp", kibi, "ours/callback ours/batches raw zeromq libzmq"),
  pushPull("tcp", 64 * kibi, "ours/callback ours/lent raw zeromq libzmq"),
  pushPull("tcp", mebi, "ours/callback ours/lent raw zeromq libzmq"),
  pushPull("ipc", 64, "ours/callback zeromq libzmq"),
  pushPull("ipc", kibi, "ours/callback zeromq"),
  pushPull("ipc", 64 * kibi, "ours/callback ours/lent zeromq"),
  pushPull("ipc", mebi, "ours/callback ours/lent zeromq"),
  row({ scenario: "compressed" }, "ours"),
  row({ scenario: "req-rep-1", pin: "one" }, "ours raw zeromq compat libzmq ws nats grpc http"),
  row({ scenario: "req-rep-1", pin: "one", transport: "ipc" }, "ours raw zeromq"),
  row({ scenario: "req-rep-64" }, "ours raw prototype zeromq compat libzmq ws nats grpc http"),
  row({ scenario: "req-rep-256" }, "ours zeromq libzmq"),
  row({ scenario: "req-rep-2048" }, "ours zeromq libzmq msg-rs"),
  row({ scenario: "pub-sub-1" }, publishers),
  row({ scenario: "pub-sub-8" }, `${publishers} compat`),
  row({ scenario: "pub-sub-64" }, publishers),
  row({ scenario: "pub-sub-512" }, publishers),
  row({ scenario: "subscriptions" }, "ours"),
  row({ scenario: "idle-memory" }, "ours raw zeromq ws"),
  row({ scenario: "req-rep-load" }, "ours raw zeromq ws"),
  row({ scenario: "connections-1" }, "ours raw zeromq"),
  row({ scenario: "connections-10" }, "ours raw zeromq"),
  row({ scenario: "connections-100" }, "ours raw zeromq"),
  row({ scenario: "connections-1000" }, "ours raw zeromq"),
  row({ scenario: "fairness" }, "ours prototype zeromq ws"),
  row({ scenario: "connect-storm" }, "ours raw zeromq ws"),
  pushPull("secure", mebi, secureStyles),
  row({ scenario: "req-rep-1", transport: "secure" }, secure),
  row({ scenario: "req-rep-64", transport: "secure" }, secure),
  row({ scenario: "connect-storm-100", transport: "secure" }, secure),
  row({ scenario: "idle-memory", transport: "secure" }, secure),
  row({ scenario: "first-message" }, "ours raw zeromq ws nats grpc"),
];
