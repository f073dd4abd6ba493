// Does jobs: notes each one's number in a file before it acknowledges it.
import { appendFileSync } from "node:fs";
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { PullSocket, Tcp } from "msg-ts";
import { tell } from "./parent.ts";

const [address = "", file = "", holdFrom = "Infinity"] = process.argv.slice(2);
const pull = new PullSocket(new Tcp(), { window: 64 });
let count = 0;

pull.consume(
  async (job) => {
    count++;
    if (count >= Number(holdFrom)) {
      // Killed in the middle of this one.
      tell({ isInTheMiddle: true });
      await setTimeout(2 ** 31 - 1);
    }
    if (count % 20 === 0) await setTimeout(1);
    appendFileSync(file, `${job.text()}\n`);
  },
  { concurrency: 8 },
);
await pull.connect(address);
tell({ isReady: true });
