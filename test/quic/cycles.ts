import type { Memory } from "../network/ends.ts";
import { Pair } from "../network/pair.ts";
import { tableLines } from "../network/table.ts";
import type { Check, CheckResult } from "./check.ts";

const mebi = 1_048_576;
/** Of the heap and of all memory, from the middle round to the last: what the allocator takes at will. */
const mostHeapGrowth = 2 * mebi;
const mostGrowth = 24 * mebi;
const atOnce = 50;

/** 1,000 connections opened and closed, ten times: neither side may hold on to any of them. */
export const cycles: Check = {
  name: "cycles",
  title: "connections come and go, and leave nothing behind",
  async run({ credentials, isShort }): Promise<CheckResult> {
    const rounds = isShort ? 4 : 10;
    const connections = isShort ? 100 : 1_000;
    const choice = { transport: "quic", credentials } as const;
    const pair = await Pair.start(choice);
    try {
      const seen: { readonly client: Memory; readonly server: Memory }[] = [];
      for (let round = 0; round < rounds; round++) {
        const address = pair.addresses.rep;
        await pair.client.call("cycle", { ...choice, address, connections, atOnce });
        const client = await pair.client.call("memory", undefined);
        seen.push({ client, server: await pair.server.call("memory", undefined) });
      }
      const rows = seen.map(({ client, server }, round) => [
        String((round + 1) * connections),
        ...[client, server].flatMap(cells),
      ]);
      const failures = (["client", "server"] as const).flatMap((side) => growth(seen, side));
      return { lines: tableLines(header, rows), failures };
    } finally {
      await pair.stop();
    }
  },
};

const header = [
  "connections",
  "client heap MiB",
  "resident MiB",
  "handles",
  "server heap MiB",
  "resident MiB",
  "handles",
];

function cells({ heapBytes, residentBytes, handles }: Memory): string[] {
  return [(heapBytes / mebi).toFixed(1), (residentBytes / mebi).toFixed(0), String(handles)];
}

/** What grew from the middle on: before that pools and caches fill. */
function growth(
  seen: readonly Readonly<Record<"client" | "server", Memory>>[],
  side: "client" | "server",
): string[] {
  const middle = seen[Math.floor(seen.length / 2) - 1]?.[side];
  const last = seen.at(-1)?.[side];
  if (middle === undefined || last === undefined) return ["nothing was measured"];
  const heap = last.heapBytes - middle.heapBytes;
  const resident = last.residentBytes - middle.residentBytes;
  return [
    heap <= mostHeapGrowth ? "" : `the ${side}'s heap grew by ${heap} bytes`,
    resident <= mostGrowth ? "" : `the ${side} grew by ${resident} bytes`,
    last.handles <= middle.handles
      ? ""
      : `the ${side} has ${last.handles - middle.handles} more handles`,
  ].filter((failure) => failure !== "");
}
