import process from "node:process";
import { beforeEach } from "vitest";
import { waitFor } from "./wait-for.ts";

/** What keeps a process alive, by kind, such as 2 of `TCPSocketWrap`. */
export type ResourceCounts = ReadonlyMap<string, number>;

/** How {@link expectNoLeaks} judges. */
export interface NoLeaksOptions {
  /** How long what is being closed may take. @defaultValue 2_000 */
  readonly withinMs?: number;
}

/** Kinds that come and go by themselves: file reads of the test runner, queued callbacks. */
const passing = /^(?:FSReq|Immediate|TickObject|Microtask)/;

/** Counts timers, sockets and other handles that keep the process alive now. */
export function countResources(): ResourceCounts {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    if (!passing.test(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

/** What there is more of now than there was, such as `TCPSocketWrap +2`; empty when nothing. */
export function leaksSince(before: ResourceCounts): string[] {
  const leaks: string[] = [];
  for (const [kind, count] of countResources()) {
    const extra = count - (before.get(kind) ?? 0);
    if (extra > 0) leaks.push(`${kind} +${extra}`);
  }
  return leaks;
}

/**
 * Fails each test of the file or `describe` it is called in that leaves timers, sockets or other
 * handles behind. Call it first: what a test registers with `onTestFinished` has run before it looks.
 */
export function expectNoLeaks(options: NoLeaksOptions = {}): void {
  const { withinMs = 2_000 } = options;
  beforeEach(({ onTestFinished }) => {
    const before = countResources();
    onTestFinished(async () => {
      let leaks: string[] = [];
      const isClean = (): boolean => {
        leaks = leaksSince(before);
        return leaks.length === 0;
      };
      await waitFor(isClean, { what: "nothing is left behind", withinMs }).catch(() => {
        throw new Error(`the test left behind after ${withinMs} ms: ${leaks.join(", ")}`);
      });
    });
  });
}
