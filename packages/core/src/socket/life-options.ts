import type { WaitOptions } from "./waiter-list.ts";

/** How a socket is closed. */
export interface CloseOptions {
  /**
   * How long what is under way may take to finish.
   *
   * Milliseconds, 0 to 2_147_483_647; 0 ends everything now.
   *
   * @defaultValue 1_000
   */
  readonly lingerMs?: number | undefined;
}

/** What {@link Socket.ready} waits for. */
export interface ReadyOptions extends WaitOptions {
  /**
   * How many peers are to be connected.
   *
   * 1 or more.
   *
   * @defaultValue 1
   */
  readonly peers?: number | undefined;
}

/** How long `close()` waits by default. */
export const closeLingerMs = 1_000;
