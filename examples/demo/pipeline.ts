import { setImmediate as turn } from "node:timers/promises";
import type { CloseReport } from "msg-ts";
import { PullSocket, PushSocket } from "msg-ts";
import type { LoadedFile } from "./files.ts";
import type { JobResult } from "./jobs.ts";
import { encodeJob } from "./jobs.ts";
import type { TransportName } from "./options.ts";
import { addressFor, makeTransport } from "./transports.ts";

/** How it goes, for the display. */
export interface PipelineProgress {
  readonly sent: number;
  readonly done: number;
  readonly doneBytes: number;
  readonly redelivered: number;
}

/** What came of it. */
export interface PipelineReport extends CloseReport {
  readonly sent: number;
  /** Jobs that PUSH gave to a worker again. */
  readonly redelivered: number;
  readonly seconds: number;
}

/** When nothing comes for so long, nothing will. */
const stalledMs = 20_000;

const lingerMs = 10_000;

/** Main's two ends of the pipeline: hands out files to hash, and takes the results. */
export class Pipeline {
  /** Everything that came, in its order; a job's result may be in it twice. */
  readonly results: JobResult[] = [];
  readonly #files: readonly LoadedFile[];
  readonly #jobs: PushSocket;
  readonly #sink: PullSocket;
  readonly #transport: TransportName;
  readonly #done: Set<number> = new Set();
  #doneBytes = 0;
  #sent = 0;
  #onResult: () => void = () => {};

  constructor(transport: TransportName, files: readonly LoadedFile[]) {
    this.#files = files;
    this.#transport = transport;
    this.#jobs = new PushSocket(makeTransport(transport), { name: "ventilator" });
    this.#sink = new PullSocket(makeTransport(transport), { name: "sink" });
    this.#sink.consume((result) => this.#take(result.json() as JobResult));
  }

  get progress(): PipelineProgress {
    return {
      sent: this.#sent,
      done: this.#done.size,
      doneBytes: this.#doneBytes,
      redelivered: this.#jobs.stats().redelivered,
    };
  }

  /** Gives where workers connect to. */
  async bind(): Promise<{ readonly jobs: string; readonly results: string }> {
    const jobs = await this.#jobs.bind(addressFor(this.#transport, "jobs"));
    const results = await this.#sink.bind(addressFor(this.#transport, "results"));
    return { jobs, results };
  }

  /**
   * Sends every file and waits for the results. Half way, when every worker has all the jobs it may
   * hold, `interfere` is called, once.
   *
   * Gives up when no result comes for long; what is missing then is seen in the results.
   */
  async run(interfere: () => void, signal: AbortSignal): Promise<PipelineReport> {
    const startMs = performance.now();
    await this.#sendAll(interfere, signal);
    await this.#allDone(signal);
    const seconds = (performance.now() - startMs) / 1_000;
    const report = await this.#jobs.close({ lingerMs });
    const { redelivered } = this.#jobs.stats();
    return { ...report, sent: this.#sent, redelivered, seconds };
  }

  /** The sink goes last: workers end when it has acknowledged what they sent. */
  async close(options?: { readonly lingerMs: number }): Promise<void> {
    await this.#jobs.close(options);
    await this.#sink.close(options);
  }

  async #sendAll(interfere: () => void, signal: AbortSignal): Promise<void> {
    let isDue = true;
    const interfereNow = async (): Promise<void> => {
      isDue = false;
      // What was given to a worker in this turn leaves at its end.
      await turn();
      interfere();
    };
    for (const [id, file] of this.#files.entries()) {
      const job = encodeJob({ id, ...file });
      if (!this.#jobs.trySend(job)) {
        if (isDue && id >= this.#files.length / 2) await interfereNow();
        await this.#jobs.send(job, { signal });
      }
      this.#sent++;
    }
    if (isDue) await interfereNow();
  }

  #allDone(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const giveUp = setTimeout(resolve, stalledMs);
      signal.addEventListener("abort", () => {
        clearTimeout(giveUp);
        reject(signal.reason as Error);
      });
      this.#onResult = () => {
        if (this.#done.size < this.#files.length) giveUp.refresh();
        else {
          clearTimeout(giveUp);
          resolve();
        }
      };
      this.#onResult();
    });
  }

  #take(result: JobResult): void {
    this.results.push(result);
    if (!this.#done.has(result.id)) {
      this.#done.add(result.id);
      this.#doneBytes += this.#files[result.id]?.content.length ?? 0;
    }
    this.#onResult();
  }
}
