// Asks, pushes and subscribes: the end that connects.
import { createHash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { MsgError, PushSocket, ReqSocket, SubSocket } from "msg-ts";
import type {
  Addresses,
  ClientCalls,
  Memory,
  PushOrder,
  PushReport,
  RequestOrder,
  SubReport,
} from "../ends.ts";
import { beside, cycle, percentiles } from "../loads.ts";
import { memoryNow } from "../memory.ts";
import { obey } from "../orders.ts";
import { Digest, numberOf, payloadOf } from "../payloads.ts";
import type { TransportChoice } from "../transports.ts";
import { clientTransport } from "../transports.ts";

interface Sockets {
  readonly req: ReqSocket;
  readonly push: PushSocket;
  readonly sub: SubSocket;
}

const patienceMs = 60_000;

let sockets: Sockets | undefined;
let answeredSoFar = 0;
let disconnectCount = 0;
const reasons: string[] = [];
let subscribed = { numbers: new Set<number>(), highest: -1, outOfOrder: 0, wrong: 0 };
let told = { lost: 0, uncountedGaps: 0 };

function present(): Sockets {
  if (sockets === undefined) throw new Error("connect first");
  return sockets;
}

async function connect(choice: TransportChoice & { readonly addresses: Addresses }): Promise<void> {
  const transport = clientTransport(choice);
  const req = new ReqSocket(transport, { retry: true });
  const push = new PushSocket(transport);
  const sub = new SubSocket(transport);
  sockets = { req, push, sub };
  for (const socket of [req, push, sub]) {
    socket.on("disconnected", ({ reason }) => {
      disconnectCount += 1;
      reasons.push(reason?.message ?? "an orderly end");
    });
  }
  sub.consume(({ payload }) => onMessage(payload));
  const { addresses } = choice;
  await req.connect(addresses.rep);
  await push.connect(addresses.pull);
  await sub.connect(addresses.pub);
  const timeoutMs = patienceMs;
  await Promise.all([req, push, sub].map((socket) => socket.ready({ timeoutMs })));
  await sub.subscribe("prices", { timeoutMs });
}

function onMessage(payload: Uint8Array): void {
  const number = numberOf(payload);
  if (number <= subscribed.highest) subscribed.outOfOrder += 1;
  if (!payloadOf(number, payload.length).equals(payload)) subscribed.wrong += 1;
  subscribed.highest = Math.max(number, subscribed.highest);
  subscribed.numbers.add(number);
}

async function requests({ count, inFlight, bytes, timeoutMs }: RequestOrder) {
  const { req } = present();
  const latencies: number[] = [];
  const failed: Record<string, number> = {};
  let next = 0;
  let wrong = 0;
  const ask = async (): Promise<void> => {
    while (next < count) {
      const payload = payloadOf(next++, bytes);
      const startMs = performance.now();
      try {
        const reply = await req.request(payload, { timeoutMs });
        latencies.push(performance.now() - startMs);
        answeredSoFar += 1;
        if (!createHash("sha256").update(payload).digest().equals(reply.payload)) wrong += 1;
      } catch (error) {
        const code = MsgError.is(error) ? error.code : String(error);
        failed[code] = (failed[code] ?? 0) + 1;
      }
    }
  };
  const startMs = performance.now();
  await Promise.all(Array.from({ length: inFlight }, ask));
  const seconds = (performance.now() - startMs) / 1_000;
  return { answered: latencies.length, wrong, failed, seconds, ...percentiles(latencies) };
}

function answeredCount(): number {
  return answeredSoFar;
}

async function connectPush({ address }: { address: string }): Promise<void> {
  const { push } = present();
  const peers = push.stats().peers + 1;
  await push.connect(address);
  await push.ready({ peers, timeoutMs: patienceMs });
}

async function pushAll({ count, bytes, everyMs }: PushOrder): Promise<PushReport> {
  const socket = present().push;
  const digest = new Digest();
  const startMs = performance.now();
  for (let number = 0; number < count; number++) {
    const payload = payloadOf(number, bytes);
    digest.add(payload);
    await socket.send(payload);
    if (everyMs !== undefined) await pause(everyMs);
  }
  await socket.settled({ timeoutMs: 2 ** 31 - 1 });
  const seconds = (performance.now() - startMs) / 1_000;
  return { sent: count, digest: String(digest), seconds };
}

async function received({ expected, withinMs }: { expected: number; withinMs: number }) {
  const { sub } = present();
  const endMs = performance.now() + withinMs;
  const isDone = (): boolean => subscribed.highest >= expected - 1;
  while (!isDone() && performance.now() < endMs) await pause(5);
  const { lost, uncountedGaps } = sub.stats();
  const report: SubReport = {
    received: subscribed.numbers.size,
    missing: expected - subscribed.numbers.size,
    outOfOrder: subscribed.outOfOrder,
    wrong: subscribed.wrong,
    lost: lost - told.lost,
    uncountedGaps: uncountedGaps - told.uncountedGaps,
  };
  told = { lost, uncountedGaps };
  subscribed = { numbers: new Set(), highest: -1, outOfOrder: 0, wrong: 0 };
  return report;
}

async function recovery({ withinMs }: { withinMs: number }): Promise<number> {
  const startMs = performance.now();
  await present().req.request("are you there", { timeoutMs: withinMs });
  return performance.now() - startMs;
}

function lossReasons(): string[] {
  return reasons.splice(0);
}

function disconnects(): number {
  return disconnectCount;
}

async function close(): Promise<void> {
  const { req, push: pushSocket, sub } = present();
  await Promise.all([req.close(), pushSocket.close(), sub.close()]);
  sockets = undefined;
}

function memory(): Promise<Memory> {
  return memoryNow();
}

obey({
  connect,
  requests,
  answeredCount,
  connectPush,
  push: pushAll,
  received,
  recovery,
  disconnects,
  lossReasons,
  close,
  memory,
  cycle,
  beside,
} satisfies ClientCalls);
