import type { Scenario } from "../harness/scenario.ts";
import { pushPull } from "./push-pull.ts";
import { reqRep } from "./req-rep.ts";

/** Every scenario by name. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  "push-pull": pushPull,
  "req-rep-1": { ...reqRep, title: "one request at a time", count: 1 },
  "req-rep-64": { ...reqRep, title: "64 requests in flight", count: 64 },
  "req-rep-256": { ...reqRep, title: "256 requests in flight", count: 256 },
  "req-rep-2048": { ...reqRep, title: "2,048 requests in flight", count: 2_048, sizeBytes: 512 },
};
