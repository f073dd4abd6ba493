import { MsgError } from "@msg-ts/core";

/** How long an address has the field to itself before the next is tried beside it (RFC 8305). */
const headStartMs = 250;

/**
 * Takes the first of several addresses that answers, in order. One that fails hands over to the next
 * at once, a silent one after 250 ms, and goes on beside it. All others are aborted, and so are all
 * when `signal` aborts.
 *
 * @param discard - what to do with one that answers too late.
 * @throws MsgError `MSG_DIAL_FAILED`: the only failure, or one that names all.
 */
export async function dialFirst<T>(
  target: string,
  dials: readonly ((signal: AbortSignal) => Promise<T>)[],
  signal: AbortSignal,
  discard: (late: T) => void,
): Promise<T> {
  const [only] = dials;
  if (only !== undefined && dials.length === 1) return only(signal);
  const race = new AbortController();
  const onAbort = (): void => race.abort(signal.reason);
  signal.addEventListener("abort", onAbort);
  if (signal.aborted) onAbort();
  try {
    return await new Promise<T>((resolve, reject) => {
      new DialRace(target, dials, race.signal, discard, resolve, reject).tryNext();
    });
  } finally {
    signal.removeEventListener("abort", onAbort);
    race.abort();
  }
}

class DialRace<T> {
  readonly #target: string;
  readonly #dials: readonly ((signal: AbortSignal) => Promise<T>)[];
  readonly #signal: AbortSignal;
  readonly #discard: (late: T) => void;
  readonly #resolve: (won: T) => void;
  readonly #reject: (error: unknown) => void;
  readonly #failures: MsgError[] = [];
  #next = 0;
  #isWon = false;
  #headStart: NodeJS.Timeout | undefined;

  constructor(
    target: string,
    dials: readonly ((signal: AbortSignal) => Promise<T>)[],
    signal: AbortSignal,
    discard: (late: T) => void,
    resolve: (won: T) => void,
    reject: (error: unknown) => void,
  ) {
    this.#target = target;
    this.#dials = dials;
    this.#signal = signal;
    this.#discard = discard;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  tryNext(): void {
    clearTimeout(this.#headStart);
    const dial = this.#dials[this.#next];
    if (dial === undefined || this.#signal.aborted) return;
    this.#next += 1;
    dial(this.#signal).then(
      (made) => this.#onMade(made),
      (error: unknown) => this.#onFailure(error),
    );
    if (this.#next < this.#dials.length) {
      this.#headStart = setTimeout(() => this.tryNext(), headStartMs);
    }
  }

  #onMade(made: T): void {
    if (this.#isWon) return this.#discard(made);
    this.#isWon = true;
    clearTimeout(this.#headStart);
    this.#resolve(made);
  }

  #onFailure(error: unknown): void {
    if (this.#isWon) return;
    this.#failures.push(MsgError.from(error, "MSG_DIAL_FAILED", `cannot dial ${this.#target}`));
    if (this.#signal.aborted) {
      clearTimeout(this.#headStart);
      this.#reject(error);
    } else if (this.#failures.length < this.#dials.length) this.tryNext();
    else this.#reject(this.#allFailed());
  }

  #allFailed(): MsgError {
    const tried = this.#failures.map(({ message }) => message).join("; ");
    const text = `no connection to ${this.#target}: ${tried}`;
    return new MsgError("MSG_DIAL_FAILED", text, { cause: this.#failures[0] });
  }
}
