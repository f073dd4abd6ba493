/** Of more servers than this, those that were dialed longest ago are forgotten. */
const maxSessions = 256;

interface Kept {
  readonly session: Buffer;
  /** When the certificate behind it ends. */
  readonly validTo: Date;
}

/**
 * What servers gave us to resume a session with: the last of each, by what was dialed.
 *
 * Belongs to one set of certificates and options and ends with it: a session is never resumed with
 * another identity or other authorities than it was made with.
 */
export class TlsSessions {
  readonly #kept: Map<string, Kept> = new Map();

  get size(): number {
    return this.#kept.size;
  }

  keep(key: string, session: Buffer, validTo: Date): void {
    this.#kept.delete(key);
    this.#kept.set(key, { session, validTo });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > maxSessions && oldest !== undefined) this.#kept.delete(oldest);
  }

  /**
   * Gives what is kept, once: a ticket that was used a second time would tell an onlooker that both
   * connections are of one client. Nothing, when the server's certificate has ended since: to resume
   * would not look at it again.
   */
  take(key: string): Buffer | undefined {
    const kept = this.#kept.get(key);
    this.#kept.delete(key);
    return kept !== undefined && kept.validTo.getTime() > Date.now() ? kept.session : undefined;
  }
}
