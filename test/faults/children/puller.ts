/**
 * Does jobs: the effect of one is a byte at its place in a file that all workers share. A job that may
 * have been done before is looked up there first. Every attempt is written down before.
 */
import { Buffer } from "node:buffer";
import { openSync, readSync, writeSync } from "node:fs";
import { PullSocket } from "msg-ts";
import { onOrders, settings, tellReady } from "../child-side.ts";
import { attemptBytes } from "../effects.ts";
import { transportOf } from "../network.ts";
import type { PullerSettings } from "../roles.ts";

const { network, address, effectsFile, attemptsFile } = settings() as PullerSettings;
const effects = openSync(effectsFile, "r+");
const attempts = openSync(attemptsFile, "a");
const pull = new PullSocket(transportOf(network), {
  reconnect: { minDelayMs: 20, maxDelayMs: 200 },
});
const counts = { done: 0, spared: 0 };
const one = Buffer.from([1]);
const found = Buffer.alloc(1);

/** Whether the byte is there: the key under which an effect is known is where it is. */
function isDone(id: number): boolean {
  return readSync(effects, found, 0, 1, id) === 1 && found[0] === 1;
}

async function work(): Promise<void> {
  for await (const jobs of pull.batches({ maxMessages: 64 })) {
    const log = Buffer.alloc(jobs.length * attemptBytes);
    jobs.forEach((job, at) => {
      log.set(job.payload.subarray(0, 4), at * attemptBytes);
      log[at * attemptBytes + 4] = job.deliveryCount;
    });
    writeSync(attempts, log);
    for (const job of jobs) {
      const { payload, deliveryCount } = job;
      const id = new DataView(payload.buffer, payload.byteOffset).getUint32(0, true);
      // One that was never given to anybody else needs no look.
      if (deliveryCount > 1 && isDone(id)) counts.spared++;
      else writeSync(effects, one, 0, 1, id);
      counts.done++;
    }
  }
}

void work();
await pull.connect(address);
onOrders({
  close: async () => {
    await pull.close();
    process.disconnect();
  },
});
tellReady({}, () => counts);
