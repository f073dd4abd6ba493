/**
 * Our QUIC transport on two engines, side by side in one run: two processes, raw links over loopback.
 * Times of the processor are of both processes together: they hold on a busy machine too.
 *
 *   bench/native/quinn/build.sh
 *   node --conditions=@msg-ts/source --import ./dev/register.mjs bench/native/quinn/beside.ts [rounds]
 */
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Link, Transport } from "@msg-ts/core";
import type { QuicOptions } from "@msg-ts/transports/quic";
import { Quic } from "@msg-ts/transports/quic";
import { whatIsMissing } from "./quinn-addon.ts";
import { quinnEngine } from "./quinn-engine.ts";

const engines = ["quiche", "quinn cubic", "quinn bbr"] as const;
const datagramSizes = [1_350, 16_383];
const roundTrips = 3_000;
/** All at once; fewer than those from which a listener asks for a proof of address. */
const dials = 50;
const transferMs = 2_000;

type EngineName = (typeof engines)[number];

interface Result {
  readonly handshakesPerSecond: number;
  readonly cpuUsPerHandshake: number;
  readonly p50Us: number;
  readonly cpuUsPerRoundTrip: number;
  readonly megabytesPerSecond: number;
  readonly cpuUsPerMegabyte: number;
}

/** What the server says of itself when it is asked. */
interface Account {
  readonly receivedBytes: number;
  readonly cpuUs: number;
}

function makeTransport(engine: string, options: QuicOptions): Quic {
  if (engine === "quiche") return new Quic(options);
  const congestion = engine === "quinn bbr" ? "bbr" : "cubic";
  return new Quic(options, quinnEngine({ congestion }));
}

/** Echoes what comes; a link whose first byte is 1 is only counted, and told at its end. */
async function serve(engine: string, maxDatagramBytes: number): Promise<void> {
  const transport = makeTransport(engine, { maxDatagramBytes });
  const listener = await transport.listen("127.0.0.1:0", {
    onLink: serveLink,
    onRefused: () => {},
    onError: () => {},
  });
  process.send?.({ address: listener.address, pin: transport.pin });
  process.on("disconnect", () => process.exit());
}

function serveLink(link: Link): void {
  let isCounted: boolean | undefined;
  link.start({
    onData: (chunk) => {
      isCounted ??= chunk[0] === 1;
      if (!isCounted) link.write([chunk]);
      else receivedBytes += chunk.length;
    },
    onDrain: () => {},
    onEnd: () => link.end(),
    onClose: () => {},
  });
}

let receivedBytes = 0;

function ownCpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** A link whose chunks and drains can be waited for. */
class HeardLink {
  readonly link: Link;
  #onData: (() => void) | undefined;
  #onDrain: (() => void) | undefined;

  constructor(link: Link) {
    this.link = link;
    link.start({
      onData: () => this.#onData?.(),
      onDrain: () => this.#onDrain?.(),
      onEnd: () => {},
      onClose: () => {},
    });
  }

  static async dial(transport: Transport, address: string): Promise<HeardLink> {
    return new HeardLink(await transport.dial(address, new AbortController().signal));
  }

  roundTrip(payload: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      this.#onData = resolve;
      this.link.write([payload]);
    });
  }

  write(payload: Uint8Array): Promise<void> | undefined {
    if (this.link.write([payload])) return undefined;
    return new Promise((resolve) => {
      this.#onDrain = resolve;
    });
  }
}

async function measure(engine: EngineName, maxDatagramBytes: number): Promise<Result> {
  const args = ["serve", engine, String(maxDatagramBytes)];
  const server = fork(fileURLToPath(import.meta.url), args);
  const [{ address, pin }] = (await once(server, "message")) as [{ address: string; pin: string }];
  const make = (): Quic => makeTransport(engine, { pins: pin, maxDatagramBytes });
  try {
    return {
      ...(await measureRoundTrips(make(), address, server)),
      ...(await measureHandshakes(make, address, server)),
      ...(await measureTransfer(make(), address, server)),
    };
  } finally {
    server.disconnect();
    await once(server, "exit");
  }
}

async function measureRoundTrips(
  transport: Quic,
  address: string,
  server: ChildProcess,
): Promise<Pick<Result, "p50Us" | "cpuUsPerRoundTrip">> {
  const heard = await HeardLink.dial(transport, address);
  const payload = new Uint8Array(64);
  for (let round = 0; round < 500; round++) await heard.roundTrip(payload);
  const spent = await cpuOf(server);
  const times: number[] = [];
  for (let round = 0; round < roundTrips; round++) {
    const startMs = performance.now();
    await heard.roundTrip(payload);
    times.push((performance.now() - startMs) * 1_000);
  }
  const cpuUsPerRoundTrip = (await spent()) / roundTrips;
  heard.link.destroy();
  return { p50Us: medianOf(times), cpuUsPerRoundTrip };
}

async function measureHandshakes(
  make: () => Quic,
  address: string,
  server: ChildProcess,
): Promise<Pick<Result, "handshakesPerSecond" | "cpuUsPerHandshake">> {
  const payload = new Uint8Array(1);
  const spent = await cpuOf(server);
  const startMs = performance.now();
  const dialed = Array.from({ length: dials }, async () => {
    const heard = await HeardLink.dial(make(), address);
    await heard.roundTrip(payload);
    return heard;
  });
  const links = await Promise.all(dialed);
  const seconds = (performance.now() - startMs) / 1_000;
  const cpuUsPerHandshake = (await spent()) / dials;
  for (const { link } of links) link.destroy();
  return { handshakesPerSecond: dials / seconds, cpuUsPerHandshake };
}

/** What the server has counted, not what we have handed over. */
async function measureTransfer(
  transport: Quic,
  address: string,
  server: ChildProcess,
): Promise<Pick<Result, "megabytesPerSecond" | "cpuUsPerMegabyte">> {
  const heard = await HeardLink.dial(transport, address);
  const payload = new Uint8Array(1024 * 1024).fill(1);
  await heard.write(payload);
  const before = (await accountOf(server)).receivedBytes;
  const spent = await cpuOf(server);
  const startMs = performance.now();
  while (performance.now() - startMs < transferMs) await heard.write(payload);
  const seconds = (performance.now() - startMs) / 1_000;
  const cpuUs = await spent();
  const megabytes = ((await accountOf(server)).receivedBytes - before) / 1e6;
  heard.link.destroy();
  return { megabytesPerSecond: megabytes / seconds, cpuUsPerMegabyte: cpuUs / megabytes };
}

/** Begins to count the time of the processor that both ends take; gives what it was when called. */
async function cpuOf(server: ChildProcess): Promise<() => Promise<number>> {
  const total = async (): Promise<number> => (await accountOf(server)).cpuUs + ownCpuUs();
  const before = await total();
  return async () => (await total()) - before;
}

async function accountOf(server: ChildProcess): Promise<Account> {
  const answer = once(server, "message");
  server.send({});
  const [account] = (await answer) as [Account];
  return account;
}

function at(sorted: readonly number[], part: number): number {
  return sorted[Math.floor(sorted.length * part)] ?? Number.NaN;
}

function medianOf(values: readonly number[]): number {
  return at(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}

async function main(rounds: number): Promise<void> {
  const missing = whatIsMissing();
  if (missing !== undefined) {
    console.log(`quinn: SKIPPED: ${missing}`);
    return;
  }
  const rows = datagramSizes.flatMap((size) => engines.map((engine) => ({ engine, size })));
  const results = rows.map((): Result[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, { engine, size }] of rows.entries()) {
      results[index]?.push(await measure(engine, size));
    }
  }
  console.log(`node ${process.version}, medians of ${rounds} rounds`);
  console.log("                       wall time                      processor time, us");
  console.log(
    "engine       datagram  handshakes/s  RTT us    MB/s  a handshake  a round trip   a MB",
  );
  const fields = [
    ["handshakesPerSecond", 13],
    ["p50Us", 7],
    ["megabytesPerSecond", 7],
    ["cpuUsPerHandshake", 12],
    ["cpuUsPerRoundTrip", 13],
    ["cpuUsPerMegabyte", 6],
  ] as const;
  rows.forEach(({ engine, size }, index) => {
    const cells = fields.map(([field, width]) =>
      medianOf((results[index] ?? []).map((result) => result[field]))
        .toFixed(0)
        .padStart(width),
    );
    console.log([engine.padEnd(11), String(size).padStart(9), ...cells].join(" "));
  });
}

const [command, engineName = "", size] = process.argv.slice(2);
if (command === "serve") {
  process.on("message", () => process.send?.({ receivedBytes, cpuUs: ownCpuUs() }));
  await serve(engineName, Number(size));
} else {
  await main(Number(command ?? 5));
}
