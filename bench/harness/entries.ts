import { spawnSync } from "node:child_process";
import { contenderNames, loadContender } from "../peers/names.ts";
import { scenarios } from "../scenarios/names.ts";
import type { Entry } from "./round.ts";
import type { Settings } from "./scenario.ts";

/**
 * Who takes part in a scenario, in the order of the tables.
 *
 * @param asked - names such as `zeromq` or `ours`, or one style of one: `ours/callback`
 * @param skip - is told why one that was asked for does not
 */
export async function entriesOf(
  settings: Settings,
  asked: readonly string[],
  skip: (line: string) => void,
): Promise<Entry[]> {
  const entries: Entry[] = [];
  if (settings.pin !== "none" && spawnSync("taskset", ["--version"]).error !== undefined) {
    skip(`${settings.scenario} pinned: skipped, taskset is not there: install util-linux`);
    return entries;
  }
  for (const name of contenderNames) {
    const styles = asked.filter((one) => one === name || one.startsWith(`${name}/`));
    if (styles.length === 0) continue;
    const loaded = await loadContender(name);
    if ("missing" in loaded) {
      skip(`${name}: skipped, ${loaded.missing}`);
      continue;
    }
    const { contender } = loaded;
    if (!contender.transports.includes(settings.transport)) continue;
    const variants = scenarios[settings.scenario]?.variantsOf(contender, settings) ?? [];
    if (variants.length > 0) contender.prepare?.();
    for (const variant of variants) {
      const label = variant === "" ? name : `${name}/${variant}`;
      if (styles.includes(name) || styles.includes(label))
        entries.push({ label, contender, variant });
    }
  }
  return entries;
}
