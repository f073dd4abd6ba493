// Publishes a million messages of 1 KiB, each of its own memory, and watches its own.
import { PubSocket, Tcp } from "msg-ts";
import { nextTurn, onOrder, tell, usedBytes } from "./parent.ts";

interface Order {
  readonly messages: number;
  readonly payloadBytes: number;
}

const pub = new PubSocket(new Tcp());
tell({ address: await pub.bind("127.0.0.1:0") });
onOrder((order) => void publish(order as Order));

async function publish({ messages, payloadBytes }: Order): Promise<void> {
  await pub.waitForSubscriber("a");
  const before = await usedBytes();
  let most = 0;
  for (let i = 1; i <= messages; i++) {
    const waiting = pub.publish("a", Buffer.alloc(payloadBytes, i));
    if (waiting !== undefined) await waiting;
    if (i % 100_000 === 0) most = Math.max(most, (await usedBytes()) - before);
  }
  tell({ grownBytes: most });
  // What was lost is known when nothing waits any more: the subscriber reads now.
  while (pub.stats().queued > 0) await nextTurn();
  const { dropped, deliveries } = pub.stats();
  tell({ lost: dropped["slow-subscriber"] ?? 0, deliveries });
}
