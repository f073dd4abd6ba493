import { availableParallelism } from "node:os";
import type { Counts, Finding } from "./check.ts";
import { isRight } from "./check.ts";
import type { TopicCounts } from "./control.ts";
import type { Row } from "./display.ts";
import { count, mebibytes, milliseconds, perSecond, seconds } from "./format.ts";

/** How long what took. */
export interface Times {
  readonly wallSeconds: number;
  /** From the first message published to the last one. */
  readonly liveSeconds: number;
  readonly plainSeconds: number;
}

/** The page that the demo ends with. */
export function summary(
  transport: string,
  counts: Counts,
  bytes: number,
  times: Times,
  findings: readonly Finding[],
): Row[] {
  const wrong = findings.filter((finding) => !isRight(finding));
  return [
    { label: "", text: "" },
    {
      label: "summary",
      text: `${counts.exits.length + 1} processes over ${transport}, ${availableParallelism()} cores, Node.js ${process.version}, ${seconds(times.wallSeconds)}`,
    },
    ...liveRows(counts, times.liveSeconds),
    ...pipelineRows(counts, bytes, times.plainSeconds),
    { label: "", text: "" },
    ...wrong.map(({ what, expected, actual }): Row => {
      return { label: "WRONG", text: `${what}: ${actual}, must be ${expected}`, tone: "bad" };
    }),
    verdict(findings.length, wrong.length),
  ];
}

function verdict(all: number, wrong: number): Row {
  if (wrong === 0) return { label: "verdict", text: `all ${all} counts are right`, tone: "good" };
  return { label: "verdict", text: `${wrong} of ${all} counts are wrong`, tone: "bad" };
}

function liveRows({ publisher, subscribers, questions }: Counts, liveSeconds: number): Row[] {
  const published = total(publisher.published);
  const topics = Object.keys(publisher.published).length;
  const { asked, answered, wrong, roundTrip } = questions;
  return [
    {
      label: "publisher",
      text: `${count(published)} messages on ${topics} topics, ${perSecond(published / liveSeconds)}`,
    },
    ...subscribers.map(({ pattern, received, lost, uncountedGaps }) => ({
      label: pattern,
      text: `${count(total(received))} received, ${count(lost)} lost, ${uncountedGaps} gaps, ${perSecond(total(received) / liveSeconds)}`,
    })),
    {
      label: "service",
      text: `${count(asked)} questions, ${count(answered)} answers, ${count(wrong)} wrong, ${perSecond(answered / liveSeconds)}`,
    },
    {
      label: "round trip",
      text: `half within ${milliseconds(roundTrip.p50Ms)}, 99 of 100 within ${milliseconds(roundTrip.p99Ms)}`,
    },
  ];
}

function pipelineRows(counts: Counts, bytes: number, plainSeconds: number): Row[] {
  const { plain, results, pipeline, killed } = counts;
  const names = [...new Set([...counts.workers.keys(), killed])].toSorted();
  const shares = names.map((name) => {
    const share = results.filter(({ worker }) => worker === name).length;
    return `${name} ${count(share)}${name === killed ? " (killed half way)" : ""}`;
  });
  const done = new Set(results.map(({ id }) => id)).size;
  const rate = (time: number): string =>
    `${seconds(time)}, ${perSecond(plain.length / time)}, ${mebibytes(bytes / time)}/s`;
  return [
    {
      label: "pipeline",
      text: `${count(plain.length)} files, ${mebibytes(bytes)}: ${rate(pipeline.seconds)}`,
    },
    { label: "workers", text: shares.join(", ") },
    {
      label: "killed one",
      text: `${count(pipeline.redelivered)} jobs delivered again, ${count(results.length - done)} results came twice, ${count(plain.length - done)} missing`,
    },
    {
      label: "one process",
      text: `${rate(plainSeconds)}; the workers were ${(plainSeconds / pipeline.seconds).toFixed(2)} times as fast, beside all the rest`,
    },
  ];
}

function total(counts: TopicCounts): number {
  return Object.values(counts).reduce((sum, value) => sum + value, 0);
}
