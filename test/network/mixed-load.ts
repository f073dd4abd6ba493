import type { JobReport, PushReport, RequestReport, SubReport } from "./ends.ts";
import type { Pair } from "./pair.ts";

/** What is sent at once over a {@link Pair}. */
export interface MixedLoad {
  readonly requests: number;
  readonly jobs: number;
  readonly messages: number;
  readonly bytes: number;
  /** A job and a message so often. */
  readonly everyMs: number;
}

/** What became of it. */
export interface MixedReport {
  readonly requests: RequestReport;
  readonly pushed: PushReport;
  readonly jobs: JobReport;
  readonly messages: SubReport;
  /** Links of the client that were lost. */
  readonly disconnects: number;
  /** What was sent and is neither delivered nor known to be lost, and what came wrong: must be 0. */
  readonly unaccounted: number;
}

const inFlight = 16;
/** Behind all else; a message that is not there by then is missing. */
const lastMessageMs = 10_000;

/**
 * All patterns at once, while `during` does what it wants with the network. It ends when every
 * request has its answer or its error, and every job is acknowledged.
 */
export async function runMixed(
  { server, client }: Pair,
  load: MixedLoad,
  timeoutMs: number,
  during: () => Promise<void> = () => Promise.resolve(),
): Promise<MixedReport> {
  const { bytes, everyMs } = load;
  const before = await client.call("disconnects", undefined);
  const asking = client.call("requests", { count: load.requests, inFlight, bytes, timeoutMs });
  const pushing = client.call("push", { count: load.jobs, bytes, everyMs });
  const publishing = server.call("publish", { count: load.messages, bytes, everyMs });
  const [requests, pushed] = await Promise.all([asking, pushing, publishing, during()]);
  const expected = load.messages;
  const messages = await client.call("received", { expected, withinMs: lastMessageMs });
  const jobs = await server.call("jobs", undefined);
  const disconnects = (await client.call("disconnects", undefined)) - before;
  const report = { requests, pushed, jobs, messages, disconnects };
  return { ...report, unaccounted: unaccountedOf(report, load) };
}

function unaccountedOf(report: Omit<MixedReport, "unaccounted">, load: MixedLoad): number {
  const { requests, pushed, jobs, messages } = report;
  const failed = Object.values(requests.failed).reduce((sum, count) => sum + count, 0);
  const unanswered = load.requests - requests.answered - failed;
  const undone = load.jobs - jobs.done;
  const isDamaged = undone === 0 && jobs.digest !== pushed.digest;
  const untold = messages.uncountedGaps > 0 ? 0 : messages.missing - messages.lost;
  const bad = requests.wrong + messages.wrong + messages.outOfOrder;
  return unanswered + undone + (isDamaged ? load.jobs : 0) + Math.max(0, untold) + bad;
}
