/**
 * Writes a CPU profile of both ends of a scenario, and prints where the time went.
 *
 *   npm run bench:profile -- <scenario> [--peers ours/batches] [options of npm run bench]
 *
 * The files open in the developer tools of a browser. The profile holds the window only, not the
 * start; lines are those of the sources.
 */
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { build } from "./harness/build.ts";
import type { CpuProfile } from "./harness/cpu-profile.ts";
import { topList } from "./harness/cpu-profile.ts";
import { entriesOf } from "./harness/entries.ts";
import { parseOptions, runCommand, UsageError } from "./harness/options.ts";
import type { Plan } from "./harness/plan.ts";
import { heading, short } from "./harness/print.ts";
import type { Entry } from "./harness/round.ts";
import { runRound } from "./harness/round.ts";
import type { Ends } from "./harness/scenario.ts";

const listLength = 25;
const windowMs = 3_000;

async function profile(entry: Entry, { settings }: Plan): Promise<void> {
  const files = { receiver: "", sender: "" };
  let messages = Number.NaN;
  const during = async ({ receiver, sender }: Ends): Promise<void> => {
    await Promise.all([receiver.ask("profile"), sender.ask("profile")]);
    const before = await receiver.ask("mark");
    await delay(Math.max(windowMs, settings.windowMs));
    const after = await receiver.ask("mark");
    messages = Number(after["messages"]) - Number(before["messages"]);
    const [received, sent] = [await receiver.ask("profiled"), await sender.ask("profiled")];
    files.receiver = String(received["file"]);
    files.sender = String(sent["file"]);
  };
  const { perSecond = Number.NaN } = await runRound(entry, settings, { during });
  const row = { ...settings, rounds: 1, contenders: {} };
  console.log(`${entry.label}: ${heading(row)}: ${short(perSecond)}/s while it was profiled`);
  for (const [end, file] of Object.entries(files)) {
    const text = readFileSync(file, "utf8");
    console.log(`\n${end}: ${file}`);
    console.log(topList(JSON.parse(text) as CpuProfile, messages, listLength));
  }
}

async function main(args: readonly string[]): Promise<void> {
  const isStyled = args.some((word) => word.startsWith("--peers"));
  const { plan } = parseOptions(isStyled ? args : [...args, "--peers", "ours"]);
  const [first] = plan;
  if (first === undefined || plan.length > 1) throw new UsageError("one scenario at a time");
  build();
  const entries = await entriesOf(first.settings, first.peers, (line) => console.error(line));
  const [entry] = entries;
  if (entry === undefined) throw new UsageError("nobody to profile");
  await profile(entry, first);
}

await runCommand(main);
