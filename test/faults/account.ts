import type { IdRecord } from "./id-log.ts";
import { events } from "./id-log.ts";

/** What became of everything that was sent in one pattern. */
export interface Account {
  readonly sent: number;
  readonly delivered: number;
  /** Not delivered, and its sender or its receiver was told so; or its sender was killed. */
  readonly reportedLost: number;
  /** Must be 0: nobody was told. */
  readonly unaccounted: number;
  /** What must not be, in words. */
  readonly problems: readonly string[];
}

/** No more of one problem is shown. */
const maxShown = 5;

class Problems {
  readonly list: string[] = [];
  readonly #counts = new Map<string, number>();

  add(what: string, key: string): void {
    const count = (this.#counts.get(what) ?? 0) + 1;
    this.#counts.set(what, count);
    if (count <= maxShown) this.list.push(`${what}: ${key}`);
  }

  all(): string[] {
    const more = [...this.#counts].filter(([, count]) => count > maxShown);
    return [...this.list, ...more.map(([what, count]) => `${what}: ${count} in all`)];
  }
}

function keyOf({ epoch, id }: IdRecord): string {
  return `${epoch}/${id}`;
}

function keysOf(records: readonly IdRecord[], kind: IdRecord["kind"]): string[] {
  return records.filter((record) => record.kind === kind).map(keyOf);
}

function addDamaged(records: readonly IdRecord[], problems: Problems): void {
  for (const key of keysOf(records, events.damaged)) problems.add("the content is another", key);
}

/**
 * Requests: each ends once, with an answer or an error. One that was answered ran, and none ran twice
 * (nobody asked with `retry`). Those of a killed asker end with it.
 *
 * @param lastEpoch - of the asker that was not killed.
 */
export function accountOfRequests(
  asker: readonly IdRecord[],
  answerer: readonly IdRecord[],
  lastEpoch: number,
): Account {
  const problems = new Problems();
  addDamaged([...asker, ...answerer], problems);
  const sent = new Set(keysOf(asker, events.requestSent));
  const ran = new Set<string>();
  for (const key of keysOf(answerer, events.requestRan)) {
    if (ran.has(key)) problems.add("a request ran twice", key);
    if (!sent.has(key)) problems.add("a request ran that nobody sent", key);
    ran.add(key);
  }
  const answered = new Set<string>();
  for (const key of keysOf(asker, events.requestAnswered)) {
    if (answered.has(key)) problems.add("a request was answered twice", key);
    if (!ran.has(key)) problems.add("an answer to a request that did not run", key);
    answered.add(key);
  }
  const rejected = new Set(keysOf(asker, events.requestRejected));
  for (const key of rejected) {
    if (answered.has(key)) problems.add("a request was answered and rejected", key);
  }
  let [reportedLost, unaccounted] = [0, 0];
  for (const key of sent) {
    if (answered.has(key)) continue;
    const isKilled = Number(key.split("/")[0]) < lastEpoch;
    if (rejected.has(key) || isKilled) reportedLost++;
    else unaccounted++;
  }
  const delivered = answered.size;
  return { sent: sent.size, delivered, reportedLost, unaccounted, problems: problems.all() };
}

/**
 * Jobs: each is done, or was dropped with its event. A delivery count of 1 comes once at most. Jobs
 * that a killed PUSH had not seen settled may be gone with it, and no others.
 */
export function accountOfJobs(
  pusher: readonly IdRecord[],
  worker: readonly IdRecord[],
  lastEpoch: number,
): Account {
  const problems = new Problems();
  addDamaged([...pusher, ...worker], problems);
  const sent = new Set(keysOf(pusher, events.jobSent));
  const dropped = new Set(keysOf(pusher, events.jobDropped));
  const [done, first] = [new Set<string>(), new Set<string>()];
  for (const record of worker) {
    if (record.kind !== events.jobDone) continue;
    const key = keyOf(record);
    if (!sent.has(key)) problems.add("a job was done that nobody sent", key);
    if (record.extra === 1 && first.has(key)) problems.add("two first deliveries of a job", key);
    if (record.extra === 1) first.add(key);
    done.add(key);
  }
  const settledBefore = new Map<number, number>();
  for (const { kind, epoch, id } of pusher) {
    if (kind === events.jobsSettled) settledBefore.set(epoch, id);
  }
  let [reportedLost, unaccounted] = [0, 0];
  for (const key of sent) {
    if (done.has(key)) continue;
    const [epoch = 0, id = 0] = key.split("/").map(Number);
    const isKilled = epoch < lastEpoch && id >= (settledBefore.get(epoch) ?? 0);
    if (dropped.has(key) || isKilled) reportedLost++;
    else unaccounted++;
  }
  const delivered = sent.size - reportedLost - unaccounted;
  return { sent: sent.size, delivered, reportedLost, unaccounted, problems: problems.all() };
}

/** What one subscriber process heard of one publisher process, on one connection. */
interface Heard {
  first: number;
  last: number;
  firstSequence: number;
  count: number;
}

/**
 * Messages: within a connection what is missing is counted exactly; between two connections a gap is
 * told. What was published while no subscriber lived has nobody to be told, and is reported as lost.
 *
 * @param published - how many, by each publisher process in turn.
 * @param lives - what each subscriber process wrote down; the last one heard the end.
 * @param dropped - how many messages the publishers told that they dropped.
 */
export function accountOfMessages(
  published: readonly number[],
  lives: readonly (readonly IdRecord[])[],
  dropped: number,
): Account {
  const problems = new Problems();
  let [delivered, unaccounted, gaps, exactlyLost] = [0, 0, 0, 0];
  lives.forEach((records, life) => {
    addDamaged(records, problems);
    const told = lossesTold(records);
    const connections = heardOn(records, problems);
    const holes = connections.reduce((sum, one) => sum + one.last - one.first + 1 - one.count, 0);
    // What was lost at the end of a connection is told by a mark, and is no hole between messages.
    const spare = told.exact - holes;
    if (spare < 0) unaccounted -= spare;
    const last = connections.at(-1);
    if (life === lives.length - 1 && last !== undefined) {
      const tail = (published.at(-1) ?? 0) - 1 - last.last;
      unaccounted += Math.max(0, tail - Math.max(0, spare));
    }
    const untold = Math.max(0, connections.length - 1 - told.gaps);
    if (untold > 0) problems.add("a new connection without a gap", `${untold} of them`);
    delivered += connections.reduce((sum, { count }) => sum + count, 0);
    gaps += told.gaps;
    exactlyLost += told.exact;
  });
  const sent = published.reduce((sum, count) => sum + count, 0);
  // One connection from the first message to the last: every loss has its number.
  const isWhole = lives.length === 1 && published.length === 1 && gaps === 0;
  if (isWhole) unaccounted = Math.abs(sent - delivered - exactlyLost);
  // Both ends know each loss. A subscriber that was killed told less, a publisher that was, too.
  const isAgreed = isWhole ? exactlyLost === dropped : exactlyLost <= dropped;
  if (published.length === 1 && !isAgreed) {
    problems.add("its two ends tell of other losses", `PUB of ${dropped}, SUB of ${exactlyLost}`);
  }
  const reportedLost = sent - delivered - unaccounted;
  return { sent, delivered, reportedLost, unaccounted, problems: problems.all() };
}

function lossesTold(records: readonly IdRecord[]): { exact: number; gaps: number } {
  let [exact, gaps] = [0, 0];
  for (const { kind, id } of records) {
    if (kind === events.messagesLost) exact += id;
    if (kind === events.messagesGap) gaps++;
  }
  return { exact, gaps };
}

/** Connections in their order, by the number that the subscriber gave to each. */
function heardOn(records: readonly IdRecord[], problems: Problems): readonly Heard[] {
  const heard: Heard[] = [];
  let current: Heard | undefined;
  let connection = -1;
  for (const { kind, id, extra, number } of records) {
    if (kind !== events.messageReceived) continue;
    if (current === undefined || extra !== connection) {
      connection = extra;
      current = { first: id, last: id, firstSequence: number, count: 1 };
      heard.push(current);
      continue;
    }
    if (id <= current.last) problems.add("a message came out of order or twice", String(id));
    if (id - current.first !== number - current.firstSequence) {
      problems.add("a message has a number of another", String(id));
    }
    current.last = id;
    current.count++;
  }
  return heard;
}
