import type { PublisherReport, ServiceReport, SubscriberReport, WorkerReport } from "./control.ts";
import type { Digest, JobResult } from "./jobs.ts";
import type { PipelineReport } from "./pipeline.ts";
import type { QuestionsReport } from "./questions.ts";
import type { Exit } from "./role-process.ts";

/** Everything that was counted in one run. */
export interface Counts {
  /** What one process found out about each file, in the order of their ids. */
  readonly plain: readonly Digest[];
  readonly results: readonly JobResult[];
  readonly pipeline: PipelineReport;
  /** By name; the killed one has no report. */
  readonly workers: ReadonlyMap<string, WorkerReport>;
  readonly killed: string;
  readonly publisher: PublisherReport;
  readonly subscribers: readonly SubscriberReport[];
  readonly questions: QuestionsReport;
  readonly service: ServiceReport;
  readonly exits: readonly Exit[];
}

/** One count, as it had to be and as it is. */
export interface Finding {
  readonly what: string;
  readonly expected: number | string;
  readonly actual: number | string;
}

/** True when a count is what it had to be. */
export function isRight({ expected, actual }: Finding): boolean {
  return expected === actual;
}

/** Compares every count with every other that it has to agree with. */
export function check(counts: Counts): Finding[] {
  return [
    ...checkResults(counts.plain, counts.results),
    ...checkPipeline(counts),
    ...checkWorkers(counts),
    ...counts.subscribers.flatMap((subscriber) => checkSubscriber(counts.publisher, subscriber)),
    ...checkQuestions(counts.questions, counts.service),
    ...checkExits(counts.exits, counts.killed),
  ];
}

/** Whether a topic is one of a pattern's: `*` is one token, `>` at the end one or more. */
export function matches(pattern: string, topic: string): boolean {
  const wanted = pattern.split(".");
  const tokens = topic.split(".");
  const isOpen = wanted.at(-1) === ">";
  if (isOpen ? tokens.length < wanted.length : tokens.length !== wanted.length) return false;
  const fixed = isOpen ? wanted.slice(0, -1) : wanted;
  return fixed.every((token, index) => token === "*" || token === tokens[index]);
}

/** Every file is done, and as one process does it. */
function checkResults(plain: readonly Digest[], results: readonly JobResult[]): Finding[] {
  const done = new Set<number>();
  let unknown = 0;
  let different = 0;
  for (const { id, sha256, gzipBytes } of results) {
    const expected = plain[id];
    if (expected === undefined) unknown++;
    else {
      done.add(id);
      if (sha256 !== expected.sha256 || gzipBytes !== expected.gzipBytes) different++;
    }
  }
  return [
    { what: "files with a result", expected: plain.length, actual: done.size },
    { what: "results of no file", expected: 0, actual: unknown },
    { what: "results unlike those of one process", expected: 0, actual: different },
  ];
}

/** Nothing is left, and what came twice, or late, is explained by the jobs delivered again. */
function checkPipeline({ plain, results, pipeline }: Counts): Finding[] {
  const deliveries = new Map<number, number>();
  for (const { id, deliveryCount } of results) {
    deliveries.set(id, Math.max(deliveries.get(id) ?? 1, deliveryCount));
  }
  let again = 0;
  for (const count of deliveries.values()) again += count - 1;
  const excess = Math.max(0, results.length - deliveries.size - pipeline.redelivered);
  const left = pipeline.unsent + pipeline.unacknowledged;
  return [
    { what: "jobs sent", expected: plain.length, actual: pipeline.sent },
    { what: "jobs delivered again", expected: pipeline.redelivered, actual: again },
    { what: "results that came twice without that", expected: 0, actual: excess },
    { what: "jobs left at the end", expected: 0, actual: left },
  ];
}

/** What a worker says it did is what came of it. */
function checkWorkers({ workers, results }: Counts): Finding[] {
  return [...workers].flatMap(([name, report]) => {
    const actual = results.filter(({ worker }) => worker === name).length;
    return [
      { what: `results of ${name}`, expected: report.done, actual },
      { what: `results of ${name} left at its end`, expected: 0, actual: report.unacknowledged },
    ];
  });
}

/** Everything that was published to it came, or is known to be lost. */
function checkSubscriber({ published }: PublisherReport, report: SubscriberReport): Finding[] {
  const { pattern, received, lost } = report;
  const mine = Object.entries(published).filter(([topic]) => matches(pattern, topic));
  const expected = mine.reduce((sum, [, count]) => sum + count, 0);
  const total = Object.values(received).reduce((sum, count) => sum + count, 0);
  const extra = Object.keys(received).filter((topic) => {
    return !matches(pattern, topic) || (received[topic] ?? 0) > (published[topic] ?? 0);
  });
  return [
    { what: `${pattern}: received and lost`, expected, actual: total + lost },
    { what: `${pattern}: topics with too much`, expected: 0, actual: extra.length },
    { what: `${pattern}: out of order`, expected: 0, actual: report.disordered },
    { what: `${pattern}: unreadable`, expected: 0, actual: report.unreadable },
    { what: `${pattern}: gaps nobody can count`, expected: 0, actual: report.uncountedGaps },
  ];
}

function checkQuestions(questions: QuestionsReport, service: ServiceReport): Finding[] {
  return [
    { what: "questions answered", expected: questions.asked, actual: questions.answered },
    { what: "answers that were wrong", expected: 0, actual: questions.wrong },
    { what: "answers given by the service", expected: questions.asked, actual: service.answered },
  ];
}

/** The killed one died of that; all others ended by themselves. */
function checkExits(exits: readonly Exit[], killed: string): Finding[] {
  return exits.map(({ name, code, signal }) => ({
    what: `end of ${name}`,
    expected: name === killed ? "SIGKILL" : "code 0",
    actual: signal ?? `code ${code}`,
  }));
}
