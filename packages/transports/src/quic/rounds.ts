import process from "node:process";

/** Something that reads and sends in the rounds of {@link Rounds}. */
export interface RoundTaker {
  /** Takes in what has arrived, and tells of it. */
  read(): void;
  /** Sends what is to be sent. */
  flush(): void;
}

/**
 * Lets connections read and send once for many datagrams.
 *
 * - What the application writes leaves at the end of the tick.
 * - What arrives is taken in when the whole batch of datagrams is there, and answered behind all
 *   that the application says to it in the same turn: data and acknowledgement share datagrams.
 */
export class Rounds {
  #due: RoundTaker[] = [];
  #isDue = false;
  readonly #onDue: () => void = () => this.#run();

  /** @param isReceiving - whether more may arrive in this turn of the event loop. */
  request(taker: RoundTaker, isReceiving: boolean): void {
    this.#due.push(taker);
    if (this.#isDue) return;
    this.#isDue = true;
    if (isReceiving) setImmediate(this.#onDue);
    else process.nextTick(this.#onDue);
  }

  #run(): void {
    const takers = this.#due;
    this.#due = [];
    this.#isDue = false;
    let count = 0;
    try {
      for (; count < takers.length; count++) takers[count]?.read();
    } finally {
      // A handler that threw must not cost the others their turn.
      if (count < takers.length)
        for (const taker of takers.splice(count + 1)) this.request(taker, true);
      // Behind the ticks that the application's answers wait for, and the promises that make them.
      queueMicrotask(() => {
        process.nextTick(flushAll, takers);
      });
    }
  }
}

function flushAll(takers: readonly RoundTaker[]): void {
  for (const taker of takers) taker.flush();
}
