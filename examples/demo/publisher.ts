/** A process of the demo: publishes this machine's readings until main stops it. */
import { setTimeout as delay } from "node:timers/promises";
import { PubSocket } from "msg-ts";
import type { BoundSettings, PublisherProgress, PublisherReport } from "./control.ts";
import { endTopic } from "./control.ts";
import { Readings } from "./readings.ts";
import { joinMain } from "./role.ts";
import { makeTransport } from "./transports.ts";

const sampleMs = 10;

const role = joinMain<BoundSettings, PublisherProgress, PublisherReport>();
const { transport, bindTo } = role.settings;
const published: Record<string, number> = {};
let total = 0;

const pub = new PubSocket(makeTransport(transport), { name: "publisher" });
const endpoint = await pub.bind(bindTo);
role.ready(() => ({ published: total, topics: Object.keys(published).length }), endpoint);
await role.started;

const readings = new Readings();
const ending = new AbortController();
void role.stopped.then(() => ending.abort());
while (!ending.signal.aborted) {
  for (const { topic, value } of readings.take()) {
    await pub.publish(topic, JSON.stringify(value));
    published[topic] = (published[topic] ?? 0) + 1;
    total++;
  }
  await delay(sampleMs);
}
readings.stop();

await pub.publish(endTopic, "");
await pub.close({ lingerMs: 5_000 });
role.report({ published });
