import type { Socket } from "node:net";
import { MsgError } from "@msg-ts/core";
import { dialAborted, hostCodeOf } from "../failures.ts";

/** How long an address has the field to itself before the next is tried beside it (RFC 8305). */
const headStartMs = 250;

/** One address to connect to. */
export interface Candidate {
  /** For the error message. */
  readonly label: string;
  /** Begins to connect. */
  open(): Socket;
}

/**
 * Connects to the first candidate that answers, in order.
 *
 * - A candidate that fails hands over to the next at once, a silent one after 250 ms, and goes on
 *   beside it: neither a black hole nor a slow network costs the others their chance.
 * - The socket given is paused; all others are destroyed, and so are all when `signal` aborts.
 *
 * Not `autoSelectFamily`: it drops an address that takes over 250 ms, and so never connects over a
 * slow network to a host that has two.
 *
 * @throws MsgError `MSG_DIAL_FAILED` that names every address and why it failed.
 */
export function connectFirst(
  target: string,
  candidates: readonly Candidate[],
  signal: AbortSignal,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const race = new ConnectRace(target, candidates, signal, resolve, reject);
    race.start();
  });
}

/** A socket without a listener of its errors would end the process. */
function ignoreError(): void {}

interface Failure {
  readonly label: string;
  readonly error: Error;
}

/** One socket of a race. It takes its listeners away, or it would be kept by the socket for good. */
class Runner {
  readonly socket: Socket;
  readonly #race: ConnectRace;
  readonly #label: string;
  readonly #onConnect: () => void = () => this.#race.onWon(this);
  readonly #onError: (error: Error) => void = (error) => {
    this.#race.onFailure(this, { label: this.#label, error });
  };

  constructor(race: ConnectRace, candidate: Candidate) {
    this.#race = race;
    this.#label = candidate.label;
    this.socket = candidate.open();
    // Nothing may be read before the link starts.
    this.socket.pause();
    this.socket.on("connect", this.#onConnect);
    this.socket.on("error", this.#onError);
  }

  leave(): void {
    this.socket.on("error", ignoreError);
    this.socket.off("connect", this.#onConnect);
    this.socket.off("error", this.#onError);
  }
}

class ConnectRace {
  readonly #target: string;
  readonly #candidates: readonly Candidate[];
  readonly #signal: AbortSignal;
  readonly #resolve: (socket: Socket) => void;
  readonly #reject: (error: MsgError) => void;
  readonly #onAbort: () => void = () => this.#lose(dialAborted(this.#target, this.#signal));
  readonly #running: Runner[] = [];
  readonly #failures: Failure[] = [];
  #next = 0;
  #headStart: NodeJS.Timeout | undefined;

  constructor(
    target: string,
    candidates: readonly Candidate[],
    signal: AbortSignal,
    resolve: (socket: Socket) => void,
    reject: (error: MsgError) => void,
  ) {
    this.#target = target;
    this.#candidates = candidates;
    this.#signal = signal;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  start(): void {
    this.#signal.addEventListener("abort", this.#onAbort);
    if (this.#signal.aborted) this.#onAbort();
    else this.#tryNext();
  }

  onWon(winner: Runner): void {
    this.#leave(winner);
    this.#settle();
    this.#resolve(winner.socket);
  }

  onFailure(runner: Runner, failure: Failure): void {
    this.#leave(runner);
    this.#failures.push(failure);
    this.#tryNext();
  }

  #tryNext(): void {
    clearTimeout(this.#headStart);
    const candidate = this.#candidates[this.#next];
    if (candidate === undefined) {
      if (this.#running.length === 0) this.#lose(this.#allFailed());
      return;
    }
    this.#next += 1;
    this.#running.push(new Runner(this, candidate));
    if (this.#next < this.#candidates.length) {
      this.#headStart = setTimeout(() => this.#tryNext(), headStartMs);
    }
  }

  #leave(runner: Runner): void {
    this.#running.splice(this.#running.indexOf(runner), 1);
    runner.leave();
  }

  #lose(error: MsgError): void {
    this.#settle();
    this.#reject(error);
  }

  #settle(): void {
    clearTimeout(this.#headStart);
    this.#signal.removeEventListener("abort", this.#onAbort);
    for (const runner of this.#running) {
      runner.leave();
      runner.socket.destroy();
    }
    this.#running.length = 0;
  }

  #allFailed(): MsgError {
    const tried = this.#failures.map(({ label, error }) => `${label} ${hostCodeOf(error)}`);
    const text = `no connection to ${this.#target}: ${tried.join(", ")}`;
    return new MsgError("MSG_DIAL_FAILED", text, { cause: this.#failures[0]?.error });
  }
}
