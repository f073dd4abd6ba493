import process from "node:process";
import type { QuicOptions, Transport } from "msg-ts";
import { Ipc, Quic, Tcp } from "msg-ts";
import { TestAuthority } from "../support/certificates.ts";
import { socketPath } from "../support/options.ts";
import type { TransportName } from "./options.ts";

/** Where children find the certificates that main made for them all. */
const variable = "MSG_TS_DEMO_QUIC";

/** Main calls it before it starts children, which get what it makes with their environment. */
export async function prepareTransport(name: TransportName): Promise<void> {
  if (name !== "quic") return;
  const authority = await TestAuthority.create();
  const identity = await authority.issue({ ips: ["127.0.0.1"] });
  // A worker is killed, and over UDP no system says so: only its silence does.
  const times = { idleTimeoutMs: 4_000, keepAliveMs: 1_000 };
  const options: QuicOptions = { ...identity, ca: authority.cert, ...times };
  process.env[variable] = JSON.stringify(options);
}

/** A transport by the name that main hands to its children. */
export function makeTransport(name: TransportName): Transport {
  if (name === "quic") return new Quic(JSON.parse(process.env[variable] ?? "{}") as QuicOptions);
  return name === "tcp" ? new Tcp() : new Ipc();
}

/** Where to bind something; main calls it, so that the folder of its files goes with main. */
export function addressFor(transport: TransportName, name: string): string {
  return transport === "ipc" ? socketPath(name) : "127.0.0.1:0";
}
