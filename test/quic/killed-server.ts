import { setTimeout as pause } from "node:timers/promises";
import type { UdpProxy } from "@msg-ts/testing";
import { udpProxy } from "@msg-ts/testing";
import { End } from "../network/end.ts";
import type { ServerCalls } from "../network/ends.ts";
import { Pair } from "../network/pair.ts";
import { short } from "../network/table.ts";
import type { Check, CheckContext, CheckResult } from "./check.ts";

const idleTimeoutMs = 3_000;
const keepAliveMs = 1_000;
/** The timeout begins with what was heard or sent last: a probe may have been on its way. */
const noticeWithinMs = idleTimeoutMs + keepAliveMs + 1_000;
const links = 3;

/** The server is killed: its client notices, and comes back to the next one as if it were the same. */
export const killedServer: Check = {
  name: "killed-server",
  title: "the server is killed, and another one comes on its ports",
  async run(context): Promise<CheckResult> {
    const told = await killed(context, "told by ICMP that the port is closed", false);
    const untold = await killed(context, "told nothing", true);
    return {
      lines: [told, untold].flatMap(({ lines }) => lines),
      failures: [told, untold].flatMap(({ failures }) => failures),
    };
  },
};

/** @param isUntold - a proxy in between: it passes no ICMP on, as many routers do. */
async function killed(
  { credentials, seed }: CheckContext,
  what: string,
  isUntold: boolean,
): Promise<CheckResult> {
  const proxies: UdpProxy[] = [];
  const between = async (to: string): Promise<string> => {
    if (!isUntold) return to;
    const proxy = await udpProxy({ to, seed });
    proxies.push(proxy);
    return proxy.address;
  };
  const options = { idleTimeoutMs, keepAliveMs };
  const choice = { transport: "quic", credentials, options } as const;
  const pair = await Pair.start(choice, { between });
  let next: End<ServerCalls> | undefined;
  try {
    await pair.server.kill();
    const startMs = performance.now();
    while ((await pair.client.call("disconnects", undefined)) < links) {
      if (performance.now() - startMs > noticeWithinMs) break;
      await pause(20);
    }
    const noticedMs = performance.now() - startMs;
    next = new End<ServerCalls>("server");
    const { rep, pull, pub } = pair.bound;
    await next.call("bind", { ...choice, hosts: [rep, pull, pub] });
    const answeredMs = await pair.client.call("recovery", { withinMs: 30_000 });
    await next.call("waitForSubscriber", { timeoutMs: 30_000 });
    await next.call("publish", { count: 10, bytes: 64 });
    const { received } = await pair.client.call("received", { expected: 10, withinMs: 10_000 });
    const pushed = await pair.client.call("push", { count: 10, bytes: 64 });
    const jobs = await next.call("jobs", undefined);
    const line =
      `${what}: noticed in ${short(noticedMs)} ms (idle timeout ${idleTimeoutMs} ms), next answer ` +
      `${short(answeredMs)} ms behind the new server, ${received} of 10 messages, ${jobs.done} of 10 jobs`;
    const failures = [
      noticedMs <= noticeWithinMs ? "" : `${what}: not noticed in ${noticeWithinMs} ms`,
      received === 10 ? "" : `${what}: ${received} of 10 messages came`,
      jobs.digest === pushed.digest ? "" : `${what}: ${jobs.done} of 10 jobs came`,
    ];
    return { lines: [line], failures: failures.filter((failure) => failure !== "") };
  } finally {
    await Promise.all([pair.stop(), next?.kill()]);
    await Promise.all(proxies.map((proxy) => proxy.close()));
  }
}
