// Six sockets that listen and are attacked; tells what they saw of it, and what memory it took.
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import type { PeerInfo, SocketEvents } from "msg-ts";
import { PubSocket, PullSocket, PushSocket, RepSocket, ReqSocket, SubSocket } from "msg-ts";
import type { CampaignNetwork } from "../campaign/network.ts";
import { addressOf, transportOf } from "../campaign/network.ts";
import type { Addresses, SocketName, VictimReport } from "../campaign/reports.ts";
import { limits, shared, tokens } from "../campaign/victim-limits.ts";

// Without its parent there is nobody to tell.
process.once("disconnect", () => process.exit());
process.once("message", (network) => void run(network as CampaignNetwork));

async function run(network: CampaignNetwork): Promise<void> {
  const decoder = new TextDecoder();
  const transport = transportOf(network);
  const options = {
    ...shared,
    authenticator: ({ token }: { readonly token: Uint8Array }) => {
      const identity = tokens[decoder.decode(token)];
      return identity === undefined ? false : { identity };
    },
  };
  const rep = new RepSocket(transport, { ...options, ...limits.rep });
  const req = new ReqSocket(transport, { ...options, ...limits.req });
  const pub = new PubSocket(transport, { ...options, ...limits.pub });
  const sub = new SubSocket(transport, { ...options, ...limits.sub });
  const push = new PushSocket(transport, { ...options, ...limits.push });
  const pull = new PullSocket(transport, { ...options, ...limits.pull });
  const sockets = { rep, req, pub, sub, push, pull };

  let counts: Record<string, number> = {};
  const faults: string[] = [];
  const progress = { answered: 0, heard: 0, done: 0 };
  const count = (what: string, by: number): void => void (counts[what] = (counts[what] ?? 0) + by);
  for (const socket of Object.values(sockets)) {
    const { type } = socket;
    socket.on("refused", ({ error }) => count(`${type} refused ${error.code}`, 1));
    socket.on("dropped", (drop) => count(`${type} dropped ${drop.reason}`, drop.count));
    socket.on("error", ({ error }) => count(`${type} error ${error.code}`, 1));
    socket.on("disconnected", (detail) => onDisconnected(type, detail));
  }
  function onDisconnected(type: string, { peer, reason }: SocketEvents["disconnected"]): void {
    if (isGood(peer)) faults.push(`${type} lost a good peer: ${reason?.message}`);
    else if (reason !== undefined) count(`${type} disconnected ${reason.code}`, 1);
  }

  rep.serve((request) => request.payload);
  pull.consume(({ peer }) => void (progress.done += isGood(peer) ? 1 : 0));
  let expected: number | undefined;
  sub.consume(async (message) => {
    if (!isGood(message.peer)) return delay(1);
    const number = Number(message.text());
    if (expected !== undefined && number !== expected) faults.push(`SUB heard ${number}`);
    expected = number + 1;
    progress.heard++;
    return undefined;
  });
  void sub.subscribe(">");

  const addresses: Record<string, string> = {};
  for (const [name, socket] of Object.entries(sockets)) {
    addresses[name] = await socket.bind(addressOf(network, name));
  }
  void publish(pub);
  void send(push);
  void ask(req, progress, faults);

  let beganBytes = usedBytes();
  let mostBytes = 0;
  let beganResidentBytes = process.memoryUsage.rss();
  let mostResidentBytes = 0;
  setInterval(() => {
    mostBytes = Math.max(mostBytes, usedBytes());
    mostResidentBytes = Math.max(mostResidentBytes, process.memoryUsage.rss());
  }, 20);
  process.on("message", ({ isBegin }: { readonly isBegin: boolean }) => {
    const peers = Object.values(sockets).reduce((sum, socket) => sum + socket.peers.length, 0);
    const own = { faults: [...faults], progress: { ...progress }, peers };
    const resident = { beganResidentBytes, mostResidentBytes };
    const report: VictimReport = { counts, beganBytes, mostBytes, ...resident, ...own };
    process.send?.(report);
    if (!isBegin) return;
    counts = {};
    // What a collection frees outside of the heap is counted off at the next one only.
    for (let i = 0; i < 3; i++) globalThis.gc?.();
    beganBytes = usedBytes();
    beganResidentBytes = process.memoryUsage.rss();
    mostBytes = mostResidentBytes = 0;
  });
  process.send?.({ addresses: addresses as Record<SocketName, string> satisfies Addresses });
}

function isGood(peer: PeerInfo): boolean {
  return peer.identity === "good";
}

function usedBytes(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Counts up on `good.news`, and floods whoever wants to be flooded. */
async function publish(pub: PubSocket): Promise<void> {
  const flood = new Uint8Array(16 * 1024);
  for (let number = 0; ; number++) {
    await pub.publish("good.news", `${number}`);
    for (let i = 0; i < 20; i++) await pub.publish("flood", flood);
    await delay(1);
  }
}

async function send(push: PushSocket): Promise<void> {
  for (let number = 0; ; number++) {
    await push.send(`${number}`.padStart(1_000));
    if (number % 10 === 0) await delay(1);
  }
}

/** Asks whoever is there; what bad ones do with it does not count, but a wrong answer does. */
async function ask(
  req: ReqSocket,
  progress: { answered: number },
  faults: string[],
): Promise<void> {
  for (let number = 0; ; number++) {
    try {
      const reply = await req.request(`${number}`, { timeoutMs: 1_000 });
      if (!isGood(reply.peer)) continue;
      if (reply.text() === `answer to ${number}`) progress.answered++;
      else faults.push(`REQ was answered ${reply.text()}`);
    } catch {
      // Lost at a bad one.
    }
    await delay(1);
  }
}
