import type { Runtime } from "../runtime.ts";
import type { Endpoints } from "./endpoints.ts";
import type { CloseReport } from "./events.ts";
import type { Peer } from "./peer.ts";
import { WaiterList } from "./waiter-list.ts";

/** How a socket is drained. */
export interface DrainOptions {
  /**
   * How long all of it may take. The last tenth of it, at most 1 s, is kept for the end of the
   * connections: what is not finished by then is given up as {@link CloseReport} says.
   *
   * Milliseconds, 0 to 2_147_483_647, or `Infinity`; 0 ends everything now.
   *
   * @defaultValue 30_000
   */
  readonly timeoutMs?: number | undefined;
}

/** What a drained socket could not finish. */
export interface DrainReport extends CloseReport {
  /** True when everything was finished; false when the time was over, or `close()` cut it short. */
  readonly isComplete: boolean;
}

/** How long a drain may take by default: as long as Kubernetes waits before it kills. */
export const drainTimeoutMs = 30_000;

/** What is kept of that for the end of the connections. */
const mostClosingMs = 1_000;

/** How long peers have that may take themselves for connected before we know of them. */
const mostSettlingMs = 1_000;

/** What a drain asks and tells its socket. */
export interface DrainHost {
  readonly isClosed: boolean;
  /** No work is left. */
  readonly isFinished: boolean;
  /** Its work may need peers that come only now. */
  readonly needsPeers: boolean;
  onBegin(): void;
  readonly endpoints: Pick<Endpoints<Peer>, "settle" | "stop">;
  /** Has peers go elsewhere, and waits until all work is done. */
  finishAll(timeoutMs: number): Promise<void>;
  close(lingerMs: number): Promise<CloseReport>;
}

/** The end of a socket that finishes its work first. */
export class Draining {
  readonly report: Promise<DrainReport>;
  readonly #runtime: Runtime;
  readonly #host: DrainHost;
  readonly #cut: WaiterList<void>;
  #isCut = false;
  #settle: ((report: Promise<DrainReport>) => void) | undefined;

  constructor(runtime: Runtime, host: DrainHost) {
    this.#runtime = runtime;
    this.#host = host;
    this.#cut = new WaiterList(runtime);
    this.report = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /** Call once. */
  begin(timeoutMs: number): void {
    this.#settle?.(this.#drain(timeoutMs));
  }

  /** Waits no longer: the socket is closed. Idempotent. */
  cut(): void {
    this.#isCut = true;
    this.#cut.resolveAll();
  }

  async #drain(timeoutMs: number): Promise<DrainReport> {
    const host = this.#host;
    const endMs = this.#runtime.now() + timeoutMs;
    const workEndMs = endMs - Math.min(mostClosingMs, timeoutMs / 10);
    if (!host.isClosed) host.onBegin();
    // Before peers are sent away: who dials again at once must not come to a listener that ends.
    if (!host.needsPeers) await this.#until(workEndMs, () => this.#letNobodyIn());
    await this.#until(workEndMs, (leftMs) => host.finishAll(leftMs));
    const isFinished = !host.isClosed && host.isFinished;
    const report = await host.close(Math.max(0, endMs - this.#runtime.now()));
    return { ...report, isComplete: isFinished && report.unsent + report.unacknowledged === 0 };
  }

  /** Whom the host has accepted by now is let in first, to be told where not to stay. */
  async #letNobodyIn(): Promise<void> {
    await this.#twoTurns();
    await this.#host.endpoints.settle(mostSettlingMs);
    await this.#twoTurns();
    await this.#host.endpoints.stop();
  }

  #twoTurns(): Promise<void> {
    const runtime = this.#runtime;
    return new Promise((resolve) => {
      runtime.nextTurn(() => runtime.nextTurn(resolve));
    });
  }

  /** Waits for it, no longer than until then, and not when it is closed. */
  async #until(endMs: number, work: (leftMs: number) => Promise<void>): Promise<void> {
    const leftMs = endMs - this.#runtime.now();
    if (this.#isCut || this.#host.isClosed || leftMs <= 0) return;
    const over = this.#cut.waitAtMost(leftMs);
    await Promise.race([work(leftMs), over]);
    this.#cut.resolveAll();
  }
}
