import type { Transport } from "msg-ts";
import { Ipc, Tcp } from "msg-ts";
import { socketPath } from "../support/options.ts";
import type { TransportName } from "./options.ts";

/** A transport by the name that main hands to its children. */
export function makeTransport(name: TransportName): Transport {
  return name === "tcp" ? new Tcp() : new Ipc();
}

/** Where to bind something; main calls it, so that the folder of its files goes with main. */
export function addressFor(transport: TransportName, name: string): string {
  return transport === "tcp" ? "127.0.0.1:0" : socketPath(name);
}
