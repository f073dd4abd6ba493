import { setTimeout as pause } from "node:timers/promises";
import { End } from "../network/end.ts";
import type { ServerCalls } from "../network/ends.ts";
import type { Scene } from "./conditions.ts";

const jobs = 1_000;
const partedMs = 1_000;

/**
 * One PUSH and two PULLs on hosts of their own: while one is parted from the PUSH, the other gets
 * jobs; in the end every job is done.
 */
export async function partedWorker({
  lab,
  pair,
}: Scene): Promise<{ readonly text: string; readonly isWell: boolean }> {
  const other = new End<ServerCalls>("server", lab.host("other"));
  try {
    const hosts = Array(3).fill(`${lab.host("other").ipv4}:0`) as string[];
    const { pull } = await other.call("bind", { ...pair.choice, hosts });
    await pair.client.call("connectPush", { address: pull });
    const pushing = pair.client.call("push", { count: jobs, bytes: 1_024, everyMs: 1 }, 60_000);
    await pause(partedMs / 4);
    await lab.partition({ from: "client", to: "other" });
    const before = await pair.server.call("doneCount", undefined);
    await pause(partedMs);
    const during = (await pair.server.call("doneCount", undefined)) - before;
    await lab.heal();
    const { sent } = await pushing;
    const first = await pair.server.call("doneNumbers", undefined);
    const second = await other.call("doneNumbers", undefined);
    const unique = new Set([...first, ...second]).size;
    const text =
      `${pair.choice.transport}: two PULLs, one parted for ${partedMs} ms: ${sent} jobs, ` +
      `${unique} done (${first.length} and ${second.length}), ${during} in that time by the other`;
    return { text, isWell: unique === sent && during > 0 };
  } finally {
    await other.kill();
  }
}
