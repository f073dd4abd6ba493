import type { Result } from "./run.ts";
import type { Scenario } from "./scenarios/scenario.ts";
import { plays } from "./scenarios/all.ts";

/** Where ours does not give what it must. */
export function faultsOf(results: readonly Result[]): readonly string[] {
  return results.flatMap((result) => {
    const scenario = scenarioOf(result);
    if (scenario === undefined) return [`${nameOf(result)}: there is no such scenario`];
    if (result.ours === scenario.ours) return [];
    return [`${nameOf(result)}: ours gives "${result.ours}", must give "${scenario.ours}"`];
  });
}

/**
 * Where zeromq.js gives another and nothing says why, or the same and something does. No recorded
 * run may have one; what zeromq.js does on a busy machine fails no other run.
 */
export function surprisesOf(results: readonly Result[]): readonly string[] {
  return results.flatMap((result) => {
    const isSame = result.theirs === result.ours;
    if (isSame === (scenarioOf(result)?.difference === undefined)) return [];
    return [
      isSame
        ? `${nameOf(result)}: the same, though it tells of a difference`
        : `${nameOf(result)}: zeromq.js gives "${result.theirs}", and nothing says why ours differs`,
    ];
  });
}

/** The scenario of a result. */
export function scenarioOf({ what, carrier }: Result): Scenario | undefined {
  return plays.find((play) => play.scenario.what === what && play.carrier === carrier)?.scenario;
}

function nameOf({ what, carrier }: Result): string {
  return `${what} (${carrier})`;
}
