import type { Pair } from "../network/pair.ts";
import type { Condition, Way } from "./conditions.ts";
import { watched } from "./watched.ts";

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
  /** The longest times in which no job was done, and no request answered. */
  readonly pausesMs: readonly number[];
  /** What is not as it was sent; nothing when all is. */
  readonly damage: string | undefined;
  /** What should not have been, though everything arrived. */
  readonly problems: readonly string[];
}

/** Longer than anything here may take: what hangs is to be seen as what it is. */
const patienceMs = 280_000;

/** Pushes, then asks, over a way with faults: everything must arrive, once and intact. */
export async function transfer(
  { client, server }: Pair,
  way: Way,
  condition: Condition,
  size: TransferSize,
): Promise<Transfer> {
  const { jobs: count, jobBytes, requests, requestBytes: bytes, inFlight } = size;
  way.setFaults(condition.faults);
  await client.call("lossReasons", undefined);
  const pushing = client.call("push", { count, bytes: jobBytes }, patienceMs);
  const push = await watched(way, condition, pushing, () => server.call("doneCount", undefined));
  const pushed = push.result;
  const jobs = await server.call("jobs", undefined);
  const order = { count: requests, bytes, inFlight, timeoutMs: patienceMs };
  const asking = client.call("requests", order, patienceMs);
  const ask = await watched(way, condition, asking, () => client.call("answeredCount", undefined));
  const asked = ask.result;
  const lossReasons = await client.call("lossReasons", undefined);
  const damages = [
    jobs.done === count ? "" : `${count - jobs.done} of ${count} jobs did not come`,
    jobs.digest === pushed.digest ? "" : "the hash of the jobs differs",
    asked.answered === requests ? "" : `${JSON.stringify(asked.failed)} requests failed`,
    asked.wrong === 0 ? "" : `${asked.wrong} answers are wrong`,
  ].filter((damage) => damage !== "");
  const lost = lossReasons.length === 0 ? undefined : `${lossReasons.length} links were lost`;
  const problems = [prefixed("jobs", push.problem), prefixed("requests", ask.problem), lost];
  return {
    megabytesPerSecond: (count * jobBytes) / 1e6 / pushed.seconds,
    requestsPerSecond: requests / asked.seconds,
    p50Ms: asked.p50Ms,
    p99Ms: asked.p99Ms,
    lossReasons,
    pausesMs: [push.longestPauseMs, ask.longestPauseMs],
    damage: damages.length === 0 ? undefined : damages.join(", "),
    problems: problems.filter((problem) => problem !== undefined),
  };
}

function prefixed(what: string, problem: string | undefined): string | undefined {
  return problem === undefined ? undefined : `${what}: ${problem}`;
}
