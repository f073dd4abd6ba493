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
/** The next server answers the question that comes after `keepAliveMs`, at the latest. */
const replacedWithinMs = keepAliveMs + 1_500;
const links = 3;

/** The server is killed: its client notices, and comes back to the next one as if it were the same. */
export const killedServer: Check = {
  name: "killed-server",
  title: "the server is killed, and another one comes on its ports",
  async run(context): Promise<CheckResult> {
    const results = [
      await killed(context, { what: "told by ICMP that the port is closed" }),
      await killed(context, { what: "told nothing", isUntold: true }),
      await killed(context, {
        what: "told nothing, replaced at once",
        isUntold: true,
        isReplaced: true,
      }),
    ];
    return {
      lines: results.flatMap(({ lines }) => lines),
      failures: results.flatMap(({ failures }) => failures),
    };
  },
};

interface Case {
  readonly what: string;
  /** A proxy in between: it passes no ICMP on, as many routers do. */
  readonly isUntold?: boolean;
  /** The next server is there before the client knows that the first one is gone. */
  readonly isReplaced?: boolean;
}

async function killed(
  { credentials, seed }: CheckContext,
  { what, isUntold = false, isReplaced = false }: Case,
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
    const { rep, pull, pub } = pair.bound;
    await pair.server.kill();
    if (isReplaced) next = await bound({ ...choice, hosts: [rep, pull, pub] });
    const startMs = performance.now();
    const withinMs = isReplaced ? replacedWithinMs : noticeWithinMs;
    while ((await pair.client.call("disconnects", undefined)) < links) {
      if (performance.now() - startMs > withinMs) break;
      await pause(20);
    }
    const noticedMs = performance.now() - startMs;
    next ??= await bound({ ...choice, hosts: [rep, pull, pub] });
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
      noticedMs <= withinMs ? "" : `${what}: not noticed in ${withinMs} ms`,
      received === 10 ? "" : `${what}: ${received} of 10 messages came`,
      jobs.digest === pushed.digest ? "" : `${what}: ${jobs.done} of 10 jobs came`,
    ];
    return { lines: [line], failures: failures.filter((failure) => failure !== "") };
  } finally {
    await Promise.all([pair.stop(), next?.kill()]);
    await Promise.all(proxies.map((proxy) => proxy.close()));
  }
}

async function bound(order: Parameters<ServerCalls["bind"]>[0]): Promise<End<ServerCalls>> {
  const end = new End<ServerCalls>("server");
  await end.call("bind", order);
  return end;
}
