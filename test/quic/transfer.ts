import type { Pair } from "../network/pair.ts";
import type { Condition, Way } from "./conditions.ts";

/** How much is sent in one condition. */
export interface TransferSize {
  readonly jobs: number;
  readonly jobBytes: number;
  readonly requests: number;
  readonly requestBytes: number;
  readonly inFlight: number;
}

/** What arrived, and how fast. */
export interface Transfer {
  readonly megabytesPerSecond: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of links that were lost on the way, which the sockets made good for. */
  readonly lossReasons: readonly string[];
  /** What is not as it was sent; nothing when all is. */
  readonly damage: string | undefined;
}

/** Longer than anything here may take: what hangs is to be seen as what it is. */
const patienceMs = 280_000;

/** Pushes, then asks, over a way with faults: everything must arrive, once and intact. */
export async function transfer(
  { client, server }: Pair,
  way: Way,
  { faults, during }: Condition,
  size: TransferSize,
): Promise<Transfer> {
  const { jobs: count, jobBytes, requests, requestBytes: bytes, inFlight } = size;
  await way.setFaults(faults);
  await client.call("lossReasons", undefined);
  const faultsOver = during?.(way);
  const pushed = await client.call("push", { count, bytes: jobBytes }, patienceMs);
  await faultsOver;
  const jobs = await server.call("jobs", undefined);
  const again = during?.(way);
  const order = { count: requests, bytes, inFlight, timeoutMs: patienceMs };
  const asked = await client.call("requests", order, patienceMs);
  await again;
  const problems = [
    jobs.done === count ? "" : `${count - jobs.done} of ${count} jobs did not come`,
    jobs.digest === pushed.digest ? "" : "the hash of the jobs differs",
    asked.answered === requests ? "" : `${JSON.stringify(asked.failed)} requests failed`,
    asked.wrong === 0 ? "" : `${asked.wrong} answers are wrong`,
  ].filter((problem) => problem !== "");
  return {
    megabytesPerSecond: (count * jobBytes) / 1e6 / pushed.seconds,
    requestsPerSecond: requests / asked.seconds,
    p50Ms: asked.p50Ms,
    p99Ms: asked.p99Ms,
    lossReasons: await client.call("lossReasons", undefined),
    damage: problems.length === 0 ? undefined : problems.join(", "),
  };
}
