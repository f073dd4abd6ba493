/** A process of the demo: counts what it hears of the publisher, until the last message. */
import { SubSocket } from "msg-ts";
import type { SubscriberProgress, SubscriberReport, SubscriberSettings } from "./control.ts";
import { endTopic } from "./control.ts";
import { joinMain } from "./role.ts";
import { makeTransport } from "./transports.ts";

const role = joinMain<SubscriberSettings, SubscriberProgress, SubscriberReport>();
const { transport, name, publisher, pattern } = role.settings;
const received: Record<string, number> = {};
const latest: Record<string, number> = {};
let total = 0;
let disordered = 0;
let unreadable = 0;
let lastSequence = -1;

const sub = new SubSocket(makeTransport(transport), { name });
await sub.connect(publisher);
// Both are active when this is done: nothing that is published from then on is missed.
const patient = { timeoutMs: 15_000 };
await Promise.all([sub.subscribe(pattern, patient), sub.subscribe(endTopic, patient)]);
role.ready(() => ({ received: total, lost: sub.stats().lost, latest }));
// Whatever comes of it, main gets its report.
void role.stopped.then(() => sub.close());

for await (const message of sub) {
  if (message.topic === endTopic) break;
  if (message.sequence <= lastSequence) disordered++;
  lastSequence = message.sequence;
  const value = Number(message.text());
  if (Number.isNaN(value)) unreadable++;
  latest[message.topic] = value;
  received[message.topic] = (received[message.topic] ?? 0) + 1;
  total++;
}

const { lost, uncountedGaps } = sub.stats();
await sub.close();
role.report({ pattern, received, lost, uncountedGaps, disordered, unreadable });
