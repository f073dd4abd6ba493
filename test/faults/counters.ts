import type { IdRecord } from "./id-log.ts";
import { events } from "./id-log.ts";

/** What the sockets of the last server count, as far as its log says the same. */
export interface ServerCounters {
  readonly pub: { readonly dropped: Readonly<Record<string, number>> };
  readonly pull: { readonly messagesReceived: number };
}

/** Those of the last client. */
export interface ClientCounters {
  readonly sub: { readonly lost: number; readonly uncountedGaps: number };
  readonly push: { readonly acknowledged: number };
}

type Kind = IdRecord["kind"];

function countOf(records: readonly IdRecord[], kind: Kind): number {
  return records.reduce((count, record) => count + (record.kind === kind ? 1 : 0), 0);
}

function sumOf(records: readonly IdRecord[], kind: Kind): number {
  return records.reduce((sum, record) => sum + (record.kind === kind ? record.id : 0), 0);
}

/** Where counters say another thing than events and handlers did, in processes that were not killed. */
export function counterProblems(
  { pub, pull }: ServerCounters,
  { sub, push }: ClientCounters,
  serverLog: readonly IdRecord[],
  clientLog: readonly IdRecord[],
): readonly string[] {
  const problems: string[] = [];
  const compare = (what: string, counted: number, told: number): void => {
    if (counted !== told) problems.push(`${what}: ${counted} counted, ${told} told`);
  };
  const slow = pub.dropped["slow-subscriber"] ?? 0;
  compare("messages dropped by PUB", slow, sumOf(serverLog, events.messagesDropped));
  compare("messages lost to SUB", sub.lost, sumOf(clientLog, events.messagesLost));
  compare("uncounted gaps of SUB", sub.uncountedGaps, countOf(clientLog, events.messagesGap));
  const given = countOf(clientLog, events.jobSent) - countOf(clientLog, events.jobDropped);
  compare("jobs acknowledged to PUSH", push.acknowledged, given);
  const damaged = countOf(serverLog, events.damaged);
  const done = countOf(serverLog, events.jobDone);
  if (damaged === 0) compare("jobs received by PULL", pull.messagesReceived, done);
  return problems;
}
