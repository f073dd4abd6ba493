import { ReqSocket } from "msg-ts";
import type { BesideOrder, BesideReport, CycleOrder, RequestReport } from "./ends.ts";
import { payloadOf } from "./payloads.ts";
import { clientTransport } from "./transports.ts";

const patienceMs = 60_000;
const bulkInFlight = 4;

/** By the nearest rank. */
export function percentiles(
  latencies: readonly number[],
): Pick<RequestReport, "p50Ms" | "p99Ms" | "maxMs"> {
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (part: number): number => sorted[Math.ceil(sorted.length * part) - 1] ?? Number.NaN;
  return { p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}

/** Makes and closes so many connections: each has a transport of its own, so none is shared. */
export async function cycle(order: CycleOrder): Promise<void> {
  let left = order.connections;
  const one = async (): Promise<void> => {
    while (left-- > 0) {
      const req = new ReqSocket(clientTransport(order), { timeoutMs: patienceMs });
      await req.connect(order.address);
      await req.request("hello");
      await req.close();
    }
  };
  await Promise.all(Array.from({ length: order.atOnce }, one));
}

/** Measures small requests while large ones are under way on the same connection. */
export async function beside(order: BesideOrder): Promise<BesideReport> {
  const transport = clientTransport(order);
  const small = new ReqSocket(transport, { timeoutMs: patienceMs });
  const other = new ReqSocket(transport, { timeoutMs: patienceMs });
  for (const socket of [small, other]) {
    await socket.connect(order.address);
    await socket.request("hello");
  }
  const bulk = new Bulk(order.bulkFrom === "same socket" ? small : other, order.bulkBytes);
  const payload = payloadOf(1, order.bytes);
  const latencies: number[] = [];
  for (let count = 0; count < order.count; count++) {
    const startMs = performance.now();
    await small.request(payload);
    latencies.push(performance.now() - startMs);
  }
  const bulkMegabytesPerSecond = await bulk.stop();
  await Promise.all([small.close(), other.close()]);
  return { ...percentiles(latencies), bulkMegabytesPerSecond };
}

/** Large requests without a rest. */
class Bulk {
  readonly #startMs = performance.now();
  readonly #running: Promise<unknown>;
  #bytes = 0;
  #isStopping = false;

  constructor(socket: ReqSocket, bytes: number) {
    const workers = Array.from({ length: bytes === 0 ? 0 : bulkInFlight }, () =>
      this.#run(socket, bytes),
    );
    this.#running = Promise.all(workers);
  }

  /** What it moved, in megabytes a second. */
  async stop(): Promise<number> {
    this.#isStopping = true;
    const seconds = (performance.now() - this.#startMs) / 1_000;
    const megabytes = this.#bytes / 1e6;
    await this.#running;
    return megabytes / seconds;
  }

  async #run(socket: ReqSocket, bytes: number): Promise<void> {
    const payload = payloadOf(2, bytes);
    while (!this.#isStopping) {
      await socket.request(payload);
      this.#bytes += bytes;
    }
  }
}
