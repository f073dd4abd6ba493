/** Something that does a bounded amount of work at a time. */
export interface TurnTaker {
  runTurn(): void;
}

/**
 * Gives each taker that asked one turn per round of the event loop.
 *
 * What is asked for during a round comes in the next: two links that chat without end leave room
 * for timers and input between.
 */
export class Turns {
  #due: Set<TurnTaker> = new Set();
  readonly #onImmediate: () => void = () => this.#runRound();

  request(taker: TurnTaker): void {
    if (this.#due.size === 0) setImmediate(this.#onImmediate);
    this.#due.add(taker);
  }

  #runRound(): void {
    const round = this.#due;
    this.#due = new Set();
    try {
      for (const taker of round) {
        round.delete(taker);
        taker.runTurn();
      }
    } finally {
      // One that threw must not cost the others their turn.
      for (const taker of round) this.request(taker);
    }
  }
}
