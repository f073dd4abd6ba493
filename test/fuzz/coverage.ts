import type { Profiler } from "node:inspector";
import { Session } from "node:inspector";

/** What the fuzzer wants to reach. */
const ours = /\/packages\/(?:core|transports|compression|codecs|zmtp)\/src\//;

/**
 * Which blocks of our code ran, as V8 counts them. Asking takes about as long as some inputs, so it is
 * asked for many at once, and for each alone only when one of them reached something new.
 */
export class Coverage {
  readonly #session = new Session();
  readonly #known = new Set<string>();

  constructor() {
    this.#session.connect();
    this.#session.post("Profiler.enable");
    this.#session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  }

  /** How many blocks were reached so far. */
  get blocks(): number {
    return this.#known.size;
  }

  /** Forgets what ran since it was asked last. */
  skip(): void {
    this.#session.post("Profiler.takePreciseCoverage");
  }

  /**
   * How many blocks ran since it was asked last and never before.
   *
   * @param keeps - whether they count as reached from now on.
   */
  newBlocks(keeps: boolean): number {
    let found = 0;
    for (const key of this.#ran()) {
      if (this.#known.has(key)) continue;
      found++;
      if (keeps) this.#known.add(key);
    }
    return found;
  }

  #ran(): string[] {
    let scripts: readonly Profiler.ScriptCoverage[] = [];
    // A session on its own thread answers before the call returns.
    this.#session.post("Profiler.takePreciseCoverage", (error, { result }) => {
      if (error !== null) throw error;
      scripts = result;
    });
    const keys: string[] = [];
    for (const { url, functions } of scripts) {
      if (!ours.test(url)) continue;
      for (const { ranges } of functions) {
        for (const { startOffset, endOffset, count } of ranges) {
          if (count > 0) keys.push(`${url}:${startOffset}-${endOffset}`);
        }
      }
    }
    return keys;
  }
}
