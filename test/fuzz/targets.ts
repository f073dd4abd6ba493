import type { Target } from "./case.ts";
import { codecTargets } from "./codec-targets.ts";
import { compressionTargets } from "./compression-targets.ts";
import { connectionTargets } from "./connection-target.ts";
import { quicTargets } from "./quic-target.ts";
import { wireTargets } from "./wire-target.ts";
import { zmtpPeerTargets } from "./zmtp-peer-targets.ts";
import { zmtpTargets } from "./zmtp-target.ts";

/** Everything that takes in bytes from outside and is fuzzed. */
export const targets: readonly Target[] = [
  ...compressionTargets,
  ...codecTargets,
  ...wireTargets,
  ...connectionTargets,
  ...zmtpTargets,
  ...zmtpPeerTargets,
  ...quicTargets,
];

/** Names of several targets, of several prefixes. */
const groups: Readonly<Record<string, readonly Target[]>> = { "zmtp-peer": zmtpPeerTargets };

/** The targets of that name: `zstd` stands for each implementation of it. */
export function targetsNamed(name: string): readonly Target[] {
  const group = groups[name];
  if (group !== undefined) return group;
  const found = targets.filter((each) => each.name === name || each.name.startsWith(`${name} `));
  if (found.length > 0) return found;
  const names = targets.map((each) => each.name).join(", ");
  throw new Error(`there is no target ${name}: ${names}`);
}

/** The one target of that name. */
export function targetNamed(name: string): Target {
  const target = targets.find((each) => each.name === name);
  if (target === undefined) throw new Error(`there is no target ${name}`);
  return target;
}
