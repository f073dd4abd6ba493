// Binds where it is told, and publishes once on each topic when all of them are subscribed to.
import { PubSocket, Tcp } from "msg-ts";
import { nextTurn, onOrder, tell } from "./parent.ts";

interface Order {
  readonly address: string;
  readonly topics: number;
  readonly round: number;
}

onOrder((order) => void publish(order as Order));
tell({ isReady: true });

async function publish({ address, topics, round }: Order): Promise<void> {
  const pub = new PubSocket(new Tcp());
  const bound = await pub.bind(address);
  tell({ address: bound });
  while (pub.stats().subscriptions < topics) await nextTurn();
  for (let i = 0; i < topics; i++) await pub.publish(`topic.${i}`, `${round}`);
}
