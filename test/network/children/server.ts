// Answers requests with their hash, takes jobs, publishes: the end that binds.
import { createHash } from "node:crypto";
import process from "node:process";
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import { PubSocket, PullSocket, RepSocket } from "msg-ts";
import type { JobReport, Memory, PushOrder, ServerCalls } from "../ends.ts";
import { memoryNow } from "../memory.ts";
import { obey } from "../orders.ts";
import { Digest, numberOf, payloadOf } from "../payloads.ts";
import type { TransportChoice } from "../transports.ts";
import { serverTransport } from "../transports.ts";

interface Sockets {
  readonly rep: RepSocket;
  readonly pull: PullSocket;
  readonly pub: PubSocket;
}

let sockets: Sockets | undefined;
let digest = new Digest();
let seen = new Set<number>();
let duplicates = 0;

function present(): Sockets {
  if (sockets === undefined) throw new Error("bind first");
  return sockets;
}

async function bind(choice: TransportChoice & { readonly hosts: readonly string[] }) {
  const transport = serverTransport(choice);
  const rep = new RepSocket(transport);
  const pull = new PullSocket(transport);
  const pub = new PubSocket(transport, { whenSlow: "wait" });
  sockets = { rep, pull, pub };
  rep.serve(({ payload }) => createHash("sha256").update(payload).digest());
  pull.consume(({ payload }) => {
    const number = numberOf(payload);
    if (seen.has(number)) duplicates += 1;
    else digest.add(payload);
    seen.add(number);
  });
  const [repHost = "", pullHost = "", pubHost = ""] = choice.hosts;
  return {
    rep: await rep.bind(repHost),
    pull: await pull.bind(pullHost),
    pub: await pub.bind(pubHost),
  };
}

function jobs(): JobReport {
  const report = { done: digest.count, bytes: digest.bytes, duplicates, digest: String(digest) };
  digest = new Digest();
  seen = new Set();
  duplicates = 0;
  return report;
}

function doneCount(): number {
  return seen.size;
}

function doneNumbers(): number[] {
  return [...seen];
}

async function publish({ count, bytes, everyMs }: PushOrder): Promise<void> {
  const { pub } = present();
  for (let number = 0; number < count; number++) {
    await pub.publish("prices", payloadOf(number, bytes));
    if (everyMs !== undefined) await pause(everyMs);
    else if (number % 64 === 63) await nextTurn();
  }
}

async function waitForSubscriber({ timeoutMs }: { timeoutMs: number }): Promise<void> {
  await present().pub.waitForSubscriber("prices", { timeoutMs });
}

async function close(): Promise<void> {
  const { rep, pull, pub } = present();
  await Promise.all([rep.close(), pull.close(), pub.close()]);
  sockets = undefined;
}

function memory(): Promise<Memory> {
  return memoryNow();
}

function peers(): number {
  const { rep, pull, pub } = present();
  return rep.stats().peers + pull.stats().peers + pub.stats().peers;
}

/** Stands still, as a process that computes does. */
function block({ forMs }: { forMs: number }): void {
  const endMs = performance.now() + forMs;
  while (performance.now() < endMs) process.hrtime();
}

obey({
  bind,
  jobs,
  doneCount,
  doneNumbers,
  publish,
  waitForSubscriber,
  close,
  memory,
  peers,
  block,
} satisfies ServerCalls);
