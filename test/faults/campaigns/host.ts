/** What the host does to a process: names, clocks, file descriptors, disks. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import type { Campaign, CampaignContext, CampaignResult } from "../campaign.ts";
import { serviceName } from "../make-network.ts";
import { transportNames } from "../network.ts";
import type { Pair } from "../pair.ts";
import type { Addresses, Resolution } from "../roles.ts";
import { Worker } from "../worker.ts";
import { onPair } from "./life.ts";

const hourMs = 3_600_000;
const maxCpuShare = 0.5;

function movedTo(host: string, addresses: Addresses): Addresses {
  const moved = (address: string): string => `${host}:${address.split(":").at(-1)}`;
  return { rep: moved(addresses.rep), pull: moved(addresses.pull), pub: moved(addresses.pub) };
}

/** The server goes to another address, and its name follows, later or after it was not to be had. */
async function names(context: CampaignContext): Promise<CampaignResult> {
  const options = { hostName: serviceName, handshakeTimeoutMs: 500 };
  const awayMs = context.isShort ? 700 : 3_000;
  const before: readonly Resolution[] = [["127.0.0.9"], "fails", "hangs", []];
  return onPair(context, options, async (pair) => {
    let host = 1;
    for (let round = 0; round < (context.isShort ? 1 : 5); round++) {
      for (const meanwhile of before) {
        host = (host % 4) + 1;
        await pair.fault(async () => {
          await pair.client.ask("resolve", meanwhile);
          await pair.killServer();
          pair.addresses = movedTo(`127.0.0.${host}`, pair.addresses);
          await pair.startServer();
          await pause(awayMs);
          // The first one is dead: all are tried.
          await pair.client.ask("resolve", ["127.0.0.9", `127.0.0.${host}`] satisfies Resolution);
        });
      }
    }
    return undefined;
  });
}

async function shiftedClock(context: CampaignContext): Promise<CampaignResult> {
  return onPair(context, {}, async (pair) => {
    for (const shiftMs of [-hourMs, 24 * hourMs, -24 * 365 * hourMs, 0]) {
      for (const victim of [pair.server, pair.client]) {
        await pair.fault(() => victim.ask("shiftClock", shiftMs));
      }
    }
    return undefined;
  });
}

const faketime = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

/** The clock of the whole process, as its host would set it. */
async function hostClock(context: CampaignContext): Promise<CampaignResult | string> {
  if (!existsSync(faketime)) return "Debian's package faketime is not installed";
  const file = join(context.folder, "clock");
  writeFileSync(file, "+0");
  const env = {
    LD_PRELOAD: faketime,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
  };
  return onPair(context, { server: { env }, client: { env } }, async (pair) => {
    const problems: string[] = [];
    for (const seconds of [-3_600, 86_400, -86_400, 0]) {
      await pair.fault(async () => {
        writeFileSync(file, `${seconds < 0 ? "" : "+"}${seconds}`);
        const shiftMs = (await pair.server.ask<number>("wallClock")) - Date.now();
        if (Math.abs(shiftMs - 1000 * seconds) > 60_000) problems.push("the clock was not set");
      });
    }
    return { problems };
  });
}

const serverDescriptors = 128;

/** The server can accept nobody; then it can again. */
async function acceptingDescriptors(context: CampaignContext): Promise<CampaignResult> {
  return onPair(context, { server: { maxDescriptors: serverDescriptors } }, async (pair) => {
    const problems: string[] = [];
    const notes: string[] = [];
    for (let round = 0; round < (context.isShort ? 1 : 5); round++) {
      await pair.fault(async () => {
        await pair.server.ask("useDescriptors");
        // Those who are connected go on.
        await pair.recovers();
        const crowd = new Worker("crowd", pair.crowd());
        await crowd.ready;
        crowd.ask("connectIdle", 200).catch(() => {});
        const share = await pair.server.ask<number>("cpuShare", context.isShort ? 1_500 : 5_000);
        if (share > maxCpuShare) problems.push(`the server took ${share.toFixed(2)} of a core`);
        const told = pair.server.progress["acceptErrors"] ?? 0;
        notes.push(
          `200 dialers at a server without descriptors: ${(100 * share).toFixed(0)} % of a core, ${told} errors told`,
        );
        await pair.killClient();
        const restarted = pair.startClient();
        await pause(500);
        await pair.server.ask("freeDescriptors");
        await crowd.ask("leave");
        await crowd.kill();
        await restarted;
      });
    }
    return { problems, notes };
  });
}

/** The client cannot dial; then it can again. */
async function dialingDescriptors(context: CampaignContext): Promise<CampaignResult> {
  return onPair(context, { client: { maxDescriptors: 128 } }, async (pair) => {
    for (let round = 0; round < (context.isShort ? 1 : 5); round++) {
      await pair.fault(async () => {
        await pair.client.ask("useDescriptors");
        await pair.killServer();
        // One that the lost links gave back may be taken again.
        await pause(100);
        await pair.client.ask("useDescriptors");
        await pair.startServer();
        await pause(context.isShort ? 500 : 3_000);
        await pair.client.ask("freeDescriptors");
      });
    }
    return undefined;
  });
}

/** A file system of its own, so small that it can be filled. */
function mountSmall(folder: string): string | undefined {
  mkdirSync(folder);
  try {
    const size = "size=16k,nr_inodes=16";
    execFileSync("mount", ["-t", "tmpfs", "-o", size, "tmpfs", folder], { stdio: "pipe" });
    return undefined;
  } catch (error) {
    return `no tmpfs can be mounted: ${String(error).split("\n")[0]}`;
  }
}

/** Files of so many bytes until there is no place for one more. */
function fill(folder: string, bytes: number): void {
  for (let count = 0; ; count++) {
    try {
      writeFileSync(join(folder, `filler-${bytes}-${count}`), Buffer.alloc(bytes));
    } catch {
      return;
    }
  }
}

function unfill(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (name.startsWith("filler-")) rmSync(join(folder, name));
  }
}

async function fullDisk(context: CampaignContext): Promise<CampaignResult | string> {
  if (process.platform !== "linux") return "needs Linux";
  const socketFolder = join(context.folder, "small");
  const why = mountSmall(socketFolder);
  if (why !== undefined) return why;
  try {
    return await onPair(context, { socketFolder }, (pair) => fillAround(pair, socketFolder));
  } finally {
    // Lazily: a process that was killed a moment ago may still hold it.
    execFileSync("umount", ["-l", socketFolder]);
  }
}

async function fillAround(pair: Pair, folder: string): Promise<Partial<CampaignResult>> {
  const problems: string[] = [];
  await pair.fault(async () => {
    fill(folder, 4_096);
    // What is connected needs no disk, and a socket's file has no content.
    await pair.recovers();
    await pair.killServer();
    await pair.startServer();
  });
  await pair.fault(async () => {
    fill(folder, 0);
    await pair.recovers();
    await pair.killServer();
    const before = readdirSync(folder);
    const outcome = await pair.startServer().then(() => "it started", String);
    if (!outcome.includes("MSG_LISTEN_FAILED")) problems.push(`without an inode: ${outcome}`);
    const left = readdirSync(folder).filter((name) => !before.includes(name));
    if (left.length > 0) problems.push(`left behind: ${left.join(", ")}`);
    await pair.server.kill();
    unfill(folder);
    await pair.startServer();
  });
  return { problems };
}

/** Campaigns on what the host does. */
export const hostCampaigns: readonly Campaign[] = [
  {
    name: "names",
    what: "the server moves to another address; its name points elsewhere, fails, hangs or is empty meanwhile",
    transports: ["tcp", "tls", "quic"],
    run: names,
  },
  {
    name: "clock",
    what: "the wall clock of either side an hour back, a day on, a year back (`Date.now`)",
    transports: ["tcp"],
    run: shiftedClock,
  },
  {
    name: "host-clock",
    what: "the host's clock an hour back, a day on, a day back (libfaketime)",
    transports: ["tcp"],
    run: hostClock,
  },
  {
    name: "accepting-descriptors",
    what: "a server without file descriptors, and 200 who dial it",
    transports: ["tcp", "ipc", "tls"],
    run: acceptingDescriptors,
  },
  {
    name: "dialing-descriptors",
    what: "a client without file descriptors whose server is killed and comes back",
    transports: transportNames,
    run: dialingDescriptors,
  },
  {
    name: "full-disk",
    what: "no place and no inode left under the path of a server that is killed and comes back",
    transports: ["ipc"],
    run: fullDisk,
  },
];
