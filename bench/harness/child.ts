/**
 * One end of a round, in its own process: `child.ts <end> <contender> <variant> <settings> <place>`.
 *
 * It writes a line of JSON when it is ready, and one for each word it reads: `start`, `mark` (what was
 * counted so far), `run` (measures by itself), `profile` and `profiled`. It ends when its input does.
 */
import { createInterface } from "node:readline";
import type { Place } from "../peers/contender.ts";
import { loadContender } from "../peers/names.ts";
import { scenarios } from "../scenarios/names.ts";
import type { End, EndName, Settings } from "./scenario.ts";
import { startProfile, stopProfile } from "./profiler.ts";

const [end, name = "", variant = "", settingsText = "", placeText = ""] = process.argv.slice(2);
const settings = JSON.parse(settingsText) as Settings;
const place = JSON.parse(placeText) as Place;

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function begin(): Promise<End> {
  const scenario = scenarios[settings.scenario];
  const loaded = await loadContender(name);
  if (scenario === undefined) throw new Error(`no scenario ${settings.scenario}`);
  if ("missing" in loaded) throw new Error(loaded.missing);
  const context = { contender: loaded.contender, variant, settings, place };
  return scenario[end as EndName](context);
}

function mark(of: End): object {
  const { user, system } = process.cpuUsage();
  const extra = of.figures?.() ?? {};
  const { messages, bytes } = of.counter;
  return { atMs: performance.now(), messages, bytes, cpuMicros: user + system, ...extra };
}

async function answer(word: string, ready: End): Promise<object> {
  switch (word) {
    case "start":
      await ready.start?.();
      return {};
    case "mark":
      return mark(ready);
    case "run":
      return (await ready.run?.()) ?? {};
    case "profile":
      await startProfile();
      return {};
    case "profiled":
      return { file: await stopProfile(`${end}-${name}`) };
    default:
      throw new Error(`no word ${word}`);
  }
}

const ready = await begin();
say({ address: ready.address });
const words = createInterface({ input: process.stdin });
words.on("line", (word) => {
  answer(word, ready).then(say, (error: unknown) => {
    console.error(error);
    process.exit(1);
  });
});
words.once("close", () => process.exit(0));
