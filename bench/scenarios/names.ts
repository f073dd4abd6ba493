import type { Scenario } from "../harness/scenario.ts";
import { pubSub } from "./pub-sub.ts";
import { pushPull } from "./push-pull.ts";
import { reqRep } from "./req-rep.ts";

/** Every scenario by name. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  "push-pull": pushPull,
  "pub-sub-1": { ...pubSub, title: "publishing to one", count: 1 },
  "pub-sub-8": { ...pubSub, title: "publishing to 8 subscribers", count: 8 },
  "pub-sub-64": { ...pubSub, title: "publishing to 64 subscribers", count: 64 },
  "pub-sub-512": { ...pubSub, title: "publishing to 512 subscribers", count: 512 },
  "req-rep-1": { ...reqRep, title: "one request at a time", count: 1 },
  "req-rep-64": { ...reqRep, title: "64 requests in flight", count: 64 },
  "req-rep-256": { ...reqRep, title: "256 requests in flight", count: 256 },
  "req-rep-2048": { ...reqRep, title: "2,048 requests in flight", count: 2_048, sizeBytes: 512 },
};
