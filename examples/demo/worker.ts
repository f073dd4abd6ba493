/** A process of the demo: hashes and compresses files, one at a time. */
import { PullSocket, PushSocket } from "msg-ts";
import type { WorkerProgress, WorkerReport, WorkerSettings } from "./control.ts";
import type { JobResult } from "./jobs.ts";
import { decodeJob, digest } from "./jobs.ts";
import { joinMain } from "./role.ts";
import { makeTransport } from "./transports.ts";

const role = joinMain<WorkerSettings, WorkerProgress, WorkerReport>();
const { transport, name, window } = role.settings;
let done = 0;

const jobs = new PullSocket(makeTransport(transport), { name, window });
const results = new PushSocket(makeTransport(transport), { name });
await Promise.all([jobs.connect(role.settings.jobs), results.connect(role.settings.results)]);
await Promise.all([jobs.ready(), results.ready()]);

jobs.consume(async (job) => {
  const { id, path, content } = decodeJob(job.payload);
  const found = await digest(content);
  const result: JobResult = { id, path, ...found, worker: name, deliveryCount: job.deliveryCount };
  // The result first. Its job is acknowledged when this returns, and so written after it: a worker
  // that is killed between the two has its job done again, and its result comes twice.
  await results.send(JSON.stringify(result));
  done++;
});
role.ready(() => ({ done }));

await role.stopped;
await jobs.close();
const { unsent, unacknowledged } = await results.close({ lingerMs: 5_000 });
role.report({ done, unacknowledged: unsent + unacknowledged });
