/**
 * Replaces real processes one after the other under load, each asked to end by SIGTERM.
 *
 *   npm run test:rolling -- [--rounds 3] [--rate 2000]
 *
 * Three REPs under requests, three PULLs under jobs, two PUBs with a subscriber: every process is
 * replaced `rounds` times. Exits with 1 when a request failed, a job was lost or done twice, or a
 * message was lost while its connection stood. Takes about 12 s a round.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { rollPubs, rollPulls, rollReps } from "./rolling.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    rate: { type: "string", default: "2000" },
  },
});
const options = { rounds: Number(values.rounds), rate: Number(values.rate) };
const startedMs = performance.now();

const replies = await rollReps(options);
const failures = Object.values(replies.failed).reduce((sum, count) => sum + count, 0);
const areRepliesWell = failures === 0 && replies.answered === replies.asked;
print("REP", areRepliesWell, replies);

const jobs = await rollPulls(options);
const areJobsWell = jobs.done === jobs.sent && jobs.acknowledged === jobs.sent;
print("PULL", areJobsWell && jobs.redelivered + jobs.refused === 0, jobs);

const news = await rollPubs(options);
const isNewsWell = news.heard === news.published && news.lost + news.outOfOrder === 0;
print("PUB", isNewsWell && news.uncountedGaps === news.restarts, news);

const seconds = ((performance.now() - startedMs) / 1_000).toFixed(0);
console.log(`rolling: ${process.exitCode === 1 ? "FAILED" : "well"}, in ${seconds} s`);

function print(name: string, isWell: boolean, report: object): void {
  if (!isWell) process.exitCode = 1;
  const counts = Object.entries(report).map(([key, value]) => `${key} ${JSON.stringify(value)}`);
  console.log(`${isWell ? "well  " : "FAILED"} ${name}: ${counts.join(", ")}`);
}
