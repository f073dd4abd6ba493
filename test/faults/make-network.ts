import { TestAuthority } from "@msg-ts/testing";
import type { Network, TransportName } from "./network.ts";

/** The name that certificates are for. */
export const serviceName = "service.example";

/** Makes a network of its own; its certificates live for an hour. */
export async function makeNetwork(transport: TransportName, folder: string): Promise<Network> {
  // Another one for each network: a listener of the one before may still be about to go.
  const firstPort = 10_000 + 10 * Math.floor(Math.random() * 2_000);
  if (transport === "tcp" || transport === "ipc") return { transport, folder, firstPort };
  const authority = await TestAuthority.create();
  const { cert, key } = await authority.issue({ ips: ["127.0.0.1"], dns: [serviceName] });
  return { transport, folder, firstPort, certificate: { cert, key, ca: authority.cert } };
}
