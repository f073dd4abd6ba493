import { Buffer } from "node:buffer";
import type { Socket } from "node:dgram";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import type { Memory } from "../network/ends.ts";
import { Pair } from "../network/pair.ts";
import { tableLines } from "../network/table.ts";
import { Random } from "../fuzz/random.ts";
import type { Check, CheckResult } from "./check.ts";
import { recorder } from "./recorder.ts";

const mebi = 1_048_576;
const doseBytes = 10_000_000;
const largestBytes = 1_500;
const sources = 16;
/** What a forged handshake costs is given back behind this, so that what stays is a leak. */
const handshakeTimeoutMs = 1_000;
const mostHeapGrowth = 4 * mebi;
const mostGrowth = 24 * mebi;

/**
 * 10 MB of datagrams at a server that serves: random ones, and real ones that are damaged, cut,
 * lengthened and put together. Then as many again: what the first did not cost, the second may not.
 */
export const garbage: Check = {
  name: "garbage",
  title: "10 MB of random and mutated datagrams at a listening server, twice",
  async run({ credentials, seed, isShort }): Promise<CheckResult> {
    const record = recorder();
    const options = { handshakeTimeoutMs };
    const choice = { transport: "quic", credentials, options } as const;
    const pair = await Pair.start(choice, { between: record.between });
    const random = new Random(seed);
    const senders = await Promise.all(Array.from({ length: sources }, boundSocket));
    try {
      await pair.client.call("requests", {
        count: 50,
        inFlight: 4,
        bytes: 2_000,
        timeoutMs: 30_000,
      });
      for (let connection = 0; connection < 3; connection++) await pair.reconnect();
      const dose = isShort ? doseBytes / 5 : doseBytes;
      const memories: Memory[] = [await settledMemory(pair)];
      let count = 0;
      for (let round = 0; round < 2; round++) {
        count += await flood(random, senders, record.datagrams, portOf(pair.bound.rep), dose);
        memories.push(await settledMemory(pair));
      }
      const order = { count: 200, inFlight: 8, bytes: 256, timeoutMs: 30_000 };
      const old = await pair.client.call("requests", order);
      await pair.reconnect();
      const fresh = await pair.client.call("requests", order);
      const rows = memories.map((memory, at) => [
        ["before", "10 MB", "20 MB"][at] ?? "",
        ...cells(memory),
      ]);
      const lines = [
        `${count} datagrams, mutated from ${record.datagrams.length} real ones`,
        ...tableLines(["", "heap MiB", "resident MiB", "handles"], rows),
      ];
      const served = [old, fresh].every(({ answered, wrong }) => answered === 200 && wrong === 0);
      const failures = served ? [] : [`it does not serve: ${JSON.stringify([old, fresh])}`];
      return { lines, failures: [...failures, ...growth(memories)] };
    } finally {
      for (const socket of senders) socket.close();
      await pair.stop();
      await record.close();
    }
  },
};

async function settledMemory({ server }: Pair): Promise<Memory> {
  await pause(handshakeTimeoutMs * 2.5);
  return server.call("memory", undefined);
}

async function boundSocket(): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.on("error", () => {});
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return socket;
}

/** Sends so many bytes in turns with the server, which shall read most of them. */
async function flood(
  random: Random,
  senders: readonly Socket[],
  real: readonly Buffer[],
  port: number,
  bytes: number,
): Promise<number> {
  let count = 0;
  for (let sent = 0; sent < bytes; count++) {
    const datagram = forged(random, real);
    random.pick(senders).send(datagram, port, "127.0.0.1");
    sent += datagram.length;
    if (count % 16 === 15) await nextTurn();
    if (count % 256 === 255) await pause(5);
  }
  return count;
}

function forged(random: Random, real: readonly Buffer[]): Buffer {
  if (random.oneIn(3)) return Buffer.from(random.bytes(random.between(1, largestBytes)));
  const copy = Buffer.from(random.pick(real));
  if (random.oneIn(4)) return copy.subarray(0, random.between(1, copy.length));
  if (random.oneIn(4)) return Buffer.concat([copy, random.pick(real)]).subarray(0, 60_000);
  for (let flips = random.between(1, 16); flips > 0; flips--) {
    // The header more often: what is encrypted is only rejected.
    const at = random.oneIn(2)
      ? random.below(copy.length)
      : random.below(Math.min(64, copy.length));
    copy[at] = random.below(256);
  }
  return copy;
}

function portOf(address: string): number {
  return Number(address.split(":").at(-1));
}

function cells({ heapBytes, residentBytes, handles }: Memory): string[] {
  return [(heapBytes / mebi).toFixed(1), (residentBytes / mebi).toFixed(0), String(handles)];
}

function growth([before, first, second]: readonly Memory[]): string[] {
  if (before === undefined || first === undefined || second === undefined) return ["not measured"];
  const heap = second.heapBytes - first.heapBytes;
  const resident = second.residentBytes - first.residentBytes;
  return [
    heap <= mostHeapGrowth ? "" : `the second dose cost ${heap} bytes of heap`,
    resident <= mostGrowth ? "" : `the second dose cost ${resident} bytes of memory`,
    second.handles <= before.handles ? "" : `${second.handles - before.handles} handles are left`,
  ].filter((failure) => failure !== "");
}
