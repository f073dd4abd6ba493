import type { Runtime } from "../runtime.ts";

/** How many bytes may be accepted in one turn of the event loop before a sender is asked to wait. */
const bytesPerTurn = 256 * 1024;

/**
 * Keeps a loop of awaited sends from starving timers and I/O: when the peer is fast, nothing else
 * would ever make such a loop wait.
 */
export class TurnBudget {
  readonly #runtime: Runtime;
  #used = 0;
  #next: Promise<void> | undefined;
  #resolve: (() => void) | undefined;
  #isScheduled = false;
  readonly #onNextTurn: () => void = () => {
    this.#isScheduled = false;
    this.#used = 0;
    this.#next = undefined;
    this.#resolve?.();
    this.#resolve = undefined;
  };

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Counts accepted bytes. Gives the promise of the next turn when this one has had enough. */
  spend(bytes: number): Promise<void> | undefined {
    this.#used += bytes;
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      this.#runtime.nextTurn(this.#onNextTurn);
    }
    if (this.#used < bytesPerTurn) return undefined;
    this.#next ??= new Promise((resolve) => {
      this.#resolve = resolve;
    });
    return this.#next;
  }
}
