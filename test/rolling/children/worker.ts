// Does jobs of the PUSH at an address, a few at a time; drains when it is asked to end.
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { PullSocket, Tcp } from "msg-ts";
import { onTerm, tell } from "./parent.ts";

const [address = ""] = process.argv.slice(2);

let done = 0;
let again = 0;
const pull = new PullSocket(new Tcp());
pull.consume(
  async ({ deliveryCount }) => {
    await setTimeout(Math.random() * 4);
    done++;
    if (deliveryCount > 1) again++;
  },
  { concurrency: 16 },
);
onTerm(async () => {
  const report = await pull.drain({ timeoutMs: 10_000 });
  tell({ ...report, done, again });
});
await pull.connect(address);
await pull.ready({ timeoutMs: 30_000 });
tell({ isReady: true });
