import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import type { Condition, Way } from "./conditions.ts";

/** A transfer is in its middle behind so many datagrams: the smallest one has several times that. */
const datagramsBefore = 100;

/** How often it is looked at how far a transfer is. */
const lookMs = 50;

/**
 * The longest that nothing may arrive. Behind a blackout a sender waits up to as long again before
 * it tries, and a busy machine takes its time; a link that stands does so for `idleTimeoutMs`, 15 s.
 */
const maxPauseMs = 5_000;

/** What became of something that moves, and what was wrong with how it did. */
export interface Watched<T> {
  readonly result: T;
  /** The longest time in which nothing arrived. */
  readonly longestPauseMs: number;
  readonly problem: string | undefined;
}

/**
 * Waits for a transfer, with a blackout in its middle if the network has one.
 *
 * @param progress - how much has arrived so far.
 */
export async function watched<T>(
  way: Way,
  { blackoutMs = 0 }: Condition,
  running: Promise<T>,
  progress: () => Promise<number>,
): Promise<Watched<T>> {
  let isOver = false;
  const over = running.finally(() => (isOver = true));
  const blockedBefore = way.blocked;
  const pauses = longestPause(() => isOver, progress);
  // Told below; until then nobody else looks at it.
  over.catch(() => undefined);
  if (blackoutMs > 0) await blackout(way, blackoutMs, () => isOver);
  const [result, longestPauseMs] = await Promise.all([over, pauses]);
  const hasMissed = blackoutMs > 0 && way.blocked === blockedBefore;
  const isTooLong = longestPauseMs > blackoutMs + maxPauseMs;
  const problem = hasMissed
    ? "the blackout came when all was over"
    : isTooLong
      ? `nothing arrived for ${longestPauseMs.toFixed(0)} ms, blackout included: over ${blackoutMs + maxPauseMs} ms`
      : undefined;
  return { result, longestPauseMs, problem };
}

async function blackout(way: Way, forMs: number, isOver: () => boolean): Promise<void> {
  const before = way.received;
  while (way.received - before < datagramsBefore && !isOver()) await nextTurn();
  if (isOver()) return;
  way.block();
  await pause(forMs);
  way.open();
}

async function longestPause(
  isOver: () => boolean,
  progress: () => Promise<number>,
): Promise<number> {
  let longestMs = 0;
  let last = await progress();
  let lastMs = performance.now();
  while (!isOver()) {
    await pause(lookMs);
    const current = await progress();
    const now = performance.now();
    longestMs = Math.max(longestMs, now - lastMs);
    if (current !== last) lastMs = now;
    last = current;
  }
  return longestMs;
}
