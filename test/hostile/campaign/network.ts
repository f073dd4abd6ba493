import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TestAuthority } from "@msg-ts/testing";
import type { Transport } from "msg-ts";
import { Ipc, Quic, Tcp, Tls } from "msg-ts";

/** What all processes of a campaign have to know of its network; it can be sent to them. */
export interface CampaignNetwork {
  readonly transport: TransportName;
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  /** For socket files. */
  readonly folder: string;
}

/** What a campaign runs over. */
export type TransportName = "tcp" | "tls" | "ipc" | "quic";

/** All of them. */
export const transportNames: readonly TransportName[] = ["tcp", "tls", "ipc", "quic"];

/** Makes a network; all its processes trust one authority. */
export async function makeNetwork(transport: TransportName): Promise<CampaignNetwork> {
  const authority = await TestAuthority.create();
  const { cert, key } = await authority.issue({ ips: ["127.0.0.1"] });
  const folder = mkdtempSync(join(tmpdir(), "msg-hostile-"));
  return { transport, cert, key, ca: authority.cert, folder };
}

/** A transport of the network; several have nothing in common. */
export function transportOf({ transport, cert, key, ca }: CampaignNetwork): Transport {
  switch (transport) {
    case "tcp":
      return new Tcp();
    case "tls":
      return new Tls({ cert, key, ca });
    case "ipc":
      return new Ipc();
    case "quic":
      return new Quic({ cert, key, ca });
  }
}

/** Where to bind. */
export function addressOf({ transport, folder }: CampaignNetwork, name: string): string {
  return transport === "ipc" ? join(folder, `${name}.sock`) : "127.0.0.1:0";
}
