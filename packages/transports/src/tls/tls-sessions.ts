import type { PeerCertificate } from "../certificates/peer-certificate.ts";

/** Of more servers than this, those that were dialed longest ago are forgotten. */
const maxSessions = 256;

/** What a session is resumed with. */
export interface KeptSession {
  readonly session: Buffer;
  /** What the server showed when it was made: it is not shown again. */
  readonly certificate: PeerCertificate;
}

/**
 * What servers gave us to resume a session with: the last of each, by what was dialed.
 *
 * Belongs to one set of certificates and options and ends with it: a session is never resumed with
 * another identity or other authorities than it was made with.
 */
export class TlsSessions {
  readonly #kept: Map<string, KeptSession> = new Map();

  get size(): number {
    return this.#kept.size;
  }

  keep(key: string, kept: KeptSession): void {
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > maxSessions && oldest !== undefined) this.#kept.delete(oldest);
  }

  /**
   * Takes out what is kept: a dial that fails with it is not tried with it again. Nothing, when the
   * server's certificate has ended since, because to resume would not look at it again.
   */
  take(key: string): KeptSession | undefined {
    const kept = this.#kept.get(key);
    this.#kept.delete(key);
    if (kept === undefined || kept.certificate.validTo.getTime() <= Date.now()) return undefined;
    return kept;
  }

  forget(key: string): void {
    this.#kept.delete(key);
  }
}
