/** Other programs where our server should be. */
import { setTimeout as pause } from "node:timers/promises";
import type { Campaign, CampaignContext, CampaignResult } from "../campaign.ts";
import { makeNetwork } from "../make-network.ts";
import { transportNames } from "../network.ts";
import type { Pair } from "../pair.ts";
import type { StrangerKind, StrangerSettings } from "../roles.ts";
import { Worker } from "../worker.ts";
import { onPair } from "./life.ts";

/** Much less than a loop that spins, and more than what a busy machine makes of an idle process. */
const maxCpuShare = 0.5;

/** Each of the three sockets waits a quarter of a second between two attempts in the long run. */
const maxDialsPerSecond = 40;

async function startStranger(pair: Pair, kind: StrangerKind): Promise<Worker> {
  const { certificate } = await makeNetwork("tls", "");
  const addresses = Object.values(pair.addresses) as string[];
  const told: StrangerSettings = { kind, addresses, certificate };
  const stranger = new Worker("stranger", told);
  await stranger.ready;
  return stranger;
}

/** Our own server cannot bind meanwhile, and says so. */
async function cannotStart(pair: Pair): Promise<string[]> {
  try {
    await pair.startServer();
    return ["a server was started where another program listens"];
  } catch (error) {
    const isTold = String(error).includes("MSG_LISTEN_FAILED");
    return isTold ? [] : [`a server could not be started, but not as it should: ${String(error)}`];
  }
}

/** The server is gone and somebody else is there; then it is back. */
async function replaced(kind: StrangerKind, context: CampaignContext): Promise<CampaignResult> {
  const watchMs = context.isShort ? 2_000 : 10_000;
  return onPair(context, { handshakeTimeoutMs: 1_000 }, async (pair) => {
    const problems: string[] = [];
    const notes: string[] = [];
    for (let round = 0; round < (context.isShort ? 1 : 3); round++) {
      await pair.fault(async () => {
        await pair.killServer();
        const stranger = await startStranger(pair, kind);
        problems.push(...(await cannotStart(pair)));
        const before = pair.client.progress["retries"] ?? 0;
        const [share] = await Promise.all([
          pair.client.ask<number>("cpuShare", watchMs),
          pause(watchMs),
        ]);
        const dials = ((pair.client.progress["retries"] ?? 0) - before) / (watchMs / 1000);
        if (share > maxCpuShare) problems.push(`the client took ${share.toFixed(2)} of a core`);
        if (dials > maxDialsPerSecond) problems.push(`${dials} dials a second`);
        notes.push(
          `meanwhile ${(100 * share).toFixed(0)} % of a core, ${dials.toFixed(1)} dials failed a second`,
        );
        await stranger.kill();
        await pair.startServer();
      });
    }
    return { problems, notes };
  });
}

/** Campaigns with other programs. */
export const strangerCampaigns: readonly Campaign[] = [
  {
    name: "http-server",
    what: "the server's ports taken by an HTTP server; our own server cannot bind, later it can",
    transports: ["tcp", "ipc", "tls"],
    run: (context) => replaced("http", context),
  },
  {
    name: "mute-server",
    what: "the server's ports taken by a program that accepts and never speaks",
    transports: transportNames,
    run: (context) => replaced(context.transport === "quic" ? "udp" : "mute", context),
  },
  {
    name: "tls-server",
    what: "the server's ports taken by a TLS server with another certificate",
    transports: ["tcp", "tls"],
    run: (context) => replaced("tls", context),
  },
];
