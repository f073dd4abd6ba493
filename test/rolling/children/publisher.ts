// Counts up on `numbers.<name>` as soon as somebody listens; drains when it is asked to end.
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { PubSocket, Tcp } from "msg-ts";
import { onTerm, tell } from "./parent.ts";

const [address = "", name = ""] = process.argv.slice(2);

let published = 0;
const pub = new PubSocket(new Tcp());
onTerm(async () => {
  const report = await pub.drain({ timeoutMs: 10_000 });
  tell({ ...report, published });
});
await pub.bind(address);
tell({ isReady: true });
const topic = `numbers.${name}`;
await pub.waitForSubscriber(topic, { timeoutMs: 30_000 });
while (!pub.isDraining) {
  await pub.publish(topic, String(published++));
  if (published % 10 === 0) await setTimeout(2);
}
