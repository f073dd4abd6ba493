import type { Scenario } from "../harness/scenario.ts";
import { connectStorm, idleMemory } from "./connecting.ts";
import { firstMessage } from "./first-message.ts";
import { load } from "./load.ts";
import { pubSub } from "./pub-sub.ts";
import { compression, connections, fairness, pushPull } from "./push-pull.ts";
import { reqRep } from "./req-rep.ts";
import { subscriptions } from "./subscriptions.ts";

/** Every scenario by name. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  "push-pull": pushPull,
  compressed: compression,
  "pub-sub-1": { ...pubSub, title: "publishing to one", count: 1 },
  "pub-sub-8": { ...pubSub, title: "publishing to 8 subscribers", count: 8 },
  "pub-sub-64": { ...pubSub, title: "publishing to 64 subscribers", count: 64 },
  "pub-sub-512": { ...pubSub, title: "publishing to 512 subscribers", count: 512 },
  "req-rep-1": { ...reqRep, title: "one request at a time", count: 1, headline: "p50Micros" },
  "req-rep-64": { ...reqRep, title: "64 requests in flight", count: 64 },
  "req-rep-256": { ...reqRep, title: "256 requests in flight", count: 256 },
  "req-rep-2048": { ...reqRep, title: "2,048 requests in flight", count: 2_048, sizeBytes: 512 },
  "req-rep-load": load,
  "connections-1": { ...connections, title: "one way over one connection", count: 1 },
  "connections-10": { ...connections, title: "one way over 10 connections", count: 10 },
  "connections-100": { ...connections, title: "one way over 100 connections", count: 100 },
  "connections-1000": { ...connections, title: "one way over 1,000 connections", count: 1_000 },
  "connect-storm": connectStorm,
  "connect-storm-100": { ...connectStorm, count: 100 },
  "idle-memory": idleMemory,
  "first-message": firstMessage,
  fairness,
  subscriptions,
};
