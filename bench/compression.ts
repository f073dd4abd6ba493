/**
 * Measures the compressors: speed and ratio alone by kind and size of data, then end to end.
 *
 *   npm run bench:compression -- [--rounds 5] [--round-ms 150] [--window-ms 800] [--record]
 *   npm run bench:compression -- --render
 *
 * Takes five minutes, of both cores: let the machine do nothing else. `--record` adds a line to
 * bench/history/compression.jsonl. `--render` measures nothing: it writes the newest lines into
 * docs/compression.md.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import type { CallFigures } from "./compression-calls.ts";
import { measureCalls } from "./compression-calls.ts";
import { dataKinds } from "./compression-data.ts";
import type { CompressionLine } from "./compression-report.ts";
import { newestLines, page, rendered, sizes, tables } from "./compression-report.ts";
import { measureSockets } from "./compression-sockets.ts";
import { backends } from "./compression-variants.ts";
import { appendToHistory, circumstances } from "./record.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    "round-ms": { type: "string", default: "150" },
    "window-ms": { type: "string", default: "800" },
    record: { type: "boolean", default: false },
    render: { type: "boolean", default: false },
  },
});

if (values.render) {
  writeFileSync(page, rendered(readFileSync(page, "utf8"), newestLines()));
} else {
  const line = await measure();
  console.log(tables([line]));
  if (values.record) appendToHistory("compression", line);
}

async function measure(): Promise<CompressionLine> {
  const rounds = Number(values.rounds);
  const roundMs = Number(values["round-ms"]);
  const windowMs = Number(values["window-ms"]);
  const start = { ...circumstances(), loadBefore: load() };
  const calls: CallFigures[] = [];
  for (const data of dataKinds) {
    for (const size of sizes) calls.push(...(await measureCalls(data, size, rounds, roundMs)));
  }
  const sockets = await measureSockets(sizes, rounds, windowMs);
  return {
    scenario: "compression",
    ...start,
    backends: backends(),
    loadAfter: load(),
    rounds,
    roundMs,
    windowMs,
    calls,
    sockets,
  };
}

/** How many processes wanted to run, on average of a minute. */
function load(): number {
  return Number((loadavg()[0] ?? 0).toFixed(2));
}
