/** What is waited for, and how long. */
export interface WaitForOptions {
  /** A fact in the present tense, for the error: `the subscriber is connected`. */
  readonly what: string;
  /** @defaultValue 5_000 */
  readonly withinMs?: number;
}

const firstPollMs = 1;
const lastPollMs = 5;

/**
 * Waits until `condition` is true. Rejects when it still is not after `withinMs`, naming `what`;
 * rejects with what `condition` throws.
 */
export async function waitFor(condition: () => boolean, options: WaitForOptions): Promise<void> {
  const { what, withinMs = 5_000 } = options;
  const startMs = performance.now();
  for (let pollMs = firstPollMs; !condition(); pollMs = Math.min(pollMs + 1, lastPollMs)) {
    if (performance.now() - startMs >= withinMs) {
      throw new Error(`waited ${withinMs} ms for: ${what}`);
    }
    await new Promise<void>((resolve) => {
      setTimeout(resolve, pollMs);
    });
  }
}
