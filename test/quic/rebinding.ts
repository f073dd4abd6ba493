import { setTimeout as pause } from "node:timers/promises";
import type { UdpProxy } from "@msg-ts/testing";
import { udpProxy } from "@msg-ts/testing";
import { Pair } from "../network/pair.ts";
import { short } from "../network/table.ts";
import type { Check, CheckResult } from "./check.ts";

const changes = 8;
const betweenMs = 500;
/** Where a link does not survive, it is noticed so soon. */
const idleTimeoutMs = 3_000;

/** The client's address changes again and again, as behind a NAT that forgets: nothing may be lost. */
export const rebinding: Check = {
  name: "rebinding",
  title: `the client's address changes ${changes} times under load`,
  async run({ credentials, seed }): Promise<CheckResult> {
    const proxies: UdpProxy[] = [];
    const between = async (to: string): Promise<string> => {
      const proxy = await udpProxy({ to, seed });
      proxies.push(proxy);
      return proxy.address;
    };
    const options = { idleTimeoutMs };
    const pair = await Pair.start({ transport: "quic", credentials, options }, { between });
    try {
      const { client, server } = pair;
      const count = 3_000;
      const asking = client.call("requests", { count, inFlight: 2, bytes: 256, timeoutMs: 60_000 });
      const pushing = client.call("push", { count: 500, bytes: 1_024, everyMs: 3 });
      const recoveries: number[] = [];
      for (let change = 0; change < changes; change++) {
        await pause(betweenMs);
        await Promise.all(proxies.map((proxy) => proxy.changePorts()));
        recoveries.push(await client.call("recovery", { withinMs: 30_000 }));
      }
      const [asked, pushed] = await Promise.all([asking, pushing]);
      const jobs = await server.call("jobs", undefined);
      // One that says nothing for a while must be found again too.
      await Promise.all(proxies.map((proxy) => proxy.changePorts()));
      await server.call("publish", { count: 1, bytes: 64 });
      const messages = await client.call("received", { expected: 1, withinMs: 20_000 });
      const lost = await client.call("disconnects", undefined);
      const ports = proxies.reduce((sum, { portChangeCount }) => sum + portChangeCount, 0);
      const lines = [
        `${ports} ports changed, ${lost} links lost; a new request was answered within ` +
          `${recoveries.map(short).join(", ")} ms`,
        `${asked.answered} of ${count} requests answered, p99 ${short(asked.p99Ms)} ms, ` +
          `slowest ${short(asked.maxMs)} ms; ${jobs.done} of ${pushed.sent} jobs done, ` +
          `${jobs.duplicates} of them twice`,
      ];
      const failures = [
        asked.answered === count && asked.wrong === 0 ? "" : `requests: ${JSON.stringify(asked)}`,
        jobs.digest === pushed.digest ? "" : "the jobs are not those that were sent",
        messages.received === 1 || messages.uncountedGaps > 0 ? "" : "the subscriber heard nothing",
      ];
      return { lines, failures: failures.filter((failure) => failure !== "") };
    } finally {
      await pair.stop();
      await Promise.all(proxies.map((proxy) => proxy.close()));
    }
  },
};
