import { MsgError } from "../errors.ts";
import type { Runtime, TimerHandle } from "../runtime.ts";
import type { Peer } from "./peer.ts";

interface Heard {
  bytes: number;
  sinceMs: number;
}

/**
 * Finds peers that sent nothing at all for a time, with one timer for all of them and nothing on
 * the path of a message. A silence is noticed within 1.25 times the limit. A peer that we do not
 * read from, because we are slow ourselves, is not silent.
 */
export class SilenceWatch<P extends Peer> {
  readonly #runtime: Runtime;
  readonly #limitMs: number;
  readonly #peers: Iterable<P>;
  readonly #onSilent: (peer: P) => void;
  readonly #heard: WeakMap<P, Heard> = new WeakMap();
  #timer: TimerHandle;
  #lastLookMs = 0;

  constructor(runtime: Runtime, limitMs: number, peers: Iterable<P>, onSilent: (peer: P) => void) {
    this.#runtime = runtime;
    this.#limitMs = limitMs;
    this.#peers = peers;
    this.#onSilent = onSilent;
  }

  start(): void {
    if (this.#timer !== undefined) return;
    this.#lastLookMs = this.#runtime.now();
    this.#timer = this.#runtime.setTimer(() => this.#look(), this.#limitMs / 4);
  }

  stop(): void {
    this.#runtime.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    this.#timer = undefined;
    const now = this.#runtime.now();
    // When it is we who stood still, what came meanwhile is not read yet: nobody was silent.
    const wasBlocked = now - this.#lastLookMs > this.#limitMs / 2;
    this.#lastLookMs = now;
    let count = 0;
    for (const peer of this.#peers) {
      count++;
      const { receivedBytes, isOpen } = peer.connection;
      const heard = this.#heard.get(peer);
      if (wasBlocked || !isOpen || heard?.bytes !== receivedBytes) {
        this.#heard.set(peer, { bytes: receivedBytes, sinceMs: now });
      } else if (now - heard.sinceMs >= this.#limitMs) this.#onSilent(peer);
    }
    if (count > 0) this.start();
  }
}

/** Why a peer that was silent for so long is closed. */
export function silentFor(limitMs: number): MsgError {
  return new MsgError("MSG_PEER_LOST", `peer sent nothing for ${limitMs} ms (idlePeerTimeoutMs)`);
}
