/**
 * Push and pull: a ventilator hands out jobs, three workers do them, a sink adds up the results.
 */
import { PullSocket, PushSocket } from "msg-ts";
import { exampleOptions } from "./support/options.ts";

const { transport, address } = exampleOptions();
const jobCount = 60;

const ventilator = new PushSocket(transport());
const jobsAt = await ventilator.bind(address("jobs"));
const sink = new PullSocket(transport());
const resultsAt = await sink.bind(address("results"));

function countPrimes(from: number, to: number): number {
  let count = 0;
  for (let number = Math.max(from, 2); number < to; number++) {
    let divisor = 2;
    while (divisor * divisor <= number && number % divisor !== 0) divisor++;
    if (divisor * divisor > number) count++;
  }
  return count;
}

/** Does jobs one at a time. A small window leaves the rest for workers that have time. */
async function startWorker(name: string): Promise<{ close(): Promise<void> }> {
  const jobs = new PullSocket(transport(), { window: 4 });
  const results = new PushSocket(transport(), { name });
  await Promise.all([jobs.connect(jobsAt), results.connect(resultsAt)]);
  let hasBadDay = name === "carol";
  jobs.consume(async (job) => {
    // What throws gives its job back: another worker gets it, with a higher `deliveryCount`.
    if (hasBadDay) {
      hasBadDay = false;
      throw new Error("a bad day");
    }
    const from = Number(job.text());
    await results.send(JSON.stringify({ primes: countPrimes(from, from + 1_000), by: name }));
  });
  jobs.on("error", ({ error }) => console.log(`${name} gives a job back: ${String(error.cause)}`));
  await Promise.all([jobs.ready(), results.ready()]);
  return {
    close: async () => {
      await jobs.close();
      await results.close();
    },
  };
}
const workers = await Promise.all(["alice", "bob", "carol"].map(startWorker));

async function addUp(): Promise<void> {
  let total = 0;
  for (let count = 0; count < jobCount; count++) {
    const result = await sink.receive();
    const { primes } = result.json() as { readonly primes: number };
    total += primes;
    result.ack();
  }
  console.log(`${total} primes below ${jobCount * 1_000}`);
}

const added = addUp();
// `send` makes the loop wait when every worker's window is full.
for (let index = 0; index < jobCount; index++) await ventilator.send(String(index * 1_000));
await added;

// Closing waits until every job is acknowledged, and says which were not.
const { unsent, unacknowledged } = await ventilator.close({ lingerMs: 5_000 });
const { acknowledged, redelivered } = ventilator.stats();
console.log(`${acknowledged} jobs done, ${redelivered} of them at the second try`);
console.log(`${unsent + unacknowledged} jobs lost`);
await Promise.all(workers.map((worker) => worker.close()));
await sink.close();
