/** What several scenarios do with sockets. */
import { setTimeout as delay } from "node:timers/promises";
import type { Message } from "@msg-ts/zmtp/compat";

/** What zeromq.js' tests send. */
export const words: readonly string[] = ["foo", "bar", "baz", "qux"];

interface Sends {
  send(message: string | readonly string[]): Promise<void>;
}

interface Receives {
  receive(): Promise<Message[]>;
}

export async function sendAll(socket: Sends, messages: readonly string[] = words): Promise<void> {
  for (const message of messages) await socket.send(message);
}

/** So many messages, parts with spaces between them. */
export async function receiveAll(socket: Receives, count: number = words.length): Promise<string> {
  const seen: string[] = [];
  while (seen.length < count) seen.push((await socket.receive()).map(String).join(" "));
  return seen.join(" ");
}

/** Publishes until the first arrives: nothing tells a publisher of zeromq.js who is there. */
export async function subscribed(from: Sends, to: Receives, topic = "probe"): Promise<void> {
  const first = to.receive();
  do await from.send(topic);
  while ((await Promise.race([first, delay(10)])) === undefined);
}

/** As {@link receiveAll}, but for what was published to find out who is there. */
export async function receiveNews(to: Receives, count: number, probe = "probe"): Promise<string> {
  const seen: string[] = [];
  while (seen.length < count) {
    const text = (await to.receive()).map(String).join(" ");
    if (text !== probe) seen.push(text);
  }
  return seen.join(" ");
}

/** Subscriptions that an XPublisher was told, up to one. */
export async function toldUntil(publisher: Receives, last: string): Promise<string[]> {
  const seen: string[] = [];
  for (;;) {
    const [message = Buffer.alloc(0)] = await publisher.receive();
    const text = `${message[0] === 1 ? "+" : "-"}${message.subarray(1).toString()}`;
    if (text === last) return seen;
    seen.push(text);
  }
}
