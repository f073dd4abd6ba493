import { setTimeout as delay } from "node:timers/promises";
import type { Counts } from "./check.ts";
import { check, isRight } from "./check.ts";
import { Crew, patterns } from "./crew.ts";
import type { Display } from "./display.ts";
import type { LoadedFile } from "./files.ts";
import type { Digest } from "./jobs.ts";
import { digest } from "./jobs.ts";
import type { Snapshot } from "./live-view.ts";
import { LiveView } from "./live-view.ts";
import type { DemoOptions } from "./options.ts";
import { Pipeline } from "./pipeline.ts";
import { Questions } from "./questions.ts";
import { summary } from "./summary.ts";

const redrawMs = 200;

/** One run of the demo: every process, from the first to the last. */
export class Demo {
  readonly #options: DemoOptions;
  readonly #files: readonly LoadedFile[];
  readonly #display: Display;
  readonly #lost: AbortController = new AbortController();
  /** Aborts when it is to end from outside, and when a process was lost. */
  readonly #signal: AbortSignal;
  readonly #startMs: number = performance.now();
  readonly #view: LiveView = new LiveView(this.#startMs);
  readonly #crew: Crew;
  readonly #pipeline: Pipeline;
  readonly #questions: Questions;
  #phase = "starting";
  #killed = "";
  #plainDone = 0;

  constructor(
    options: DemoOptions,
    files: readonly LoadedFile[],
    display: Display,
    signal: AbortSignal,
  ) {
    this.#options = options;
    this.#files = files;
    this.#display = display;
    this.#signal = AbortSignal.any([signal, this.#lost.signal]);
    this.#crew = new Crew(options.transport, files.length, (error) => this.#lost.abort(error));
    this.#pipeline = new Pipeline(options.transport, files);
    this.#questions = new Questions(options.transport);
  }

  /** Runs; true when every count is right. Whatever happens, no child and no socket is left. */
  async run(): Promise<boolean> {
    // Everything that waits, waits for a child: when they are gone, it ends too.
    const onAbort = (): void => this.#crew.kill();
    this.#signal.addEventListener("abort", onAbort);
    const timer = setInterval(() => this.#show(), redrawMs);
    try {
      this.#signal.throwIfAborted();
      return await this.#run();
    } catch (error) {
      // The reason, not what followed from it.
      throw this.#signal.aborted ? this.#signal.reason : error;
    } finally {
      clearInterval(timer);
      this.#signal.removeEventListener("abort", onAbort);
      this.#crew.kill();
      await Promise.all(this.#crew.all.map(({ exited }) => exited));
      await this.#pipeline.close({ lingerMs: 0 });
      await this.#questions.close({ lingerMs: 0 });
    }
  }

  async #run(): Promise<boolean> {
    await this.#assemble();

    this.#phase = "first all files in this process, for comparison";
    const plainMs = performance.now();
    const plain = await this.#runPlain();
    const plainSeconds = (performance.now() - plainMs) / 1_000;

    this.#phase = "now everything at once";
    const liveMs = performance.now();
    const pipeline = await this.#runLive(liveMs);

    this.#phase = "ending";
    const live = await this.#crew.endPublishing();
    const liveSeconds = (performance.now() - liveMs) / 1_000;
    const service = await this.#crew.endService();
    const workers = await this.#crew.endWorkers(this.#killed);
    const exits = await this.#crew.exits();

    const { results } = this.#pipeline;
    const questions = this.#questions.report;
    const killed = this.#killed;
    const counts: Counts = {
      plain,
      results,
      pipeline,
      workers,
      killed,
      ...live,
      questions,
      service,
      exits,
    };
    const findings = check(counts);
    this.#show();
    const bytes = this.#files.reduce((sum, { content }) => sum + content.length, 0);
    const wallSeconds = (performance.now() - this.#startMs) / 1_000;
    const times = { wallSeconds, liveSeconds, plainSeconds };
    this.#display.print(summary(this.#options.transport, counts, bytes, times, findings));
    return findings.every(isRight);
  }

  async #assemble(): Promise<void> {
    const ends = await this.#pipeline.bind();
    await this.#crew.assemble(ends);
    await this.#questions.connect(await this.#crew.service.ready);
    const processes = this.#crew.all.map(({ name, pid }) => `${name} ${pid}`);
    this.#display.print([{ label: "processes", text: processes.join(", ") }]);
  }

  /** What the workers are compared with: the same work on the same bytes, one file after the other. */
  async #runPlain(): Promise<Digest[]> {
    const digests: Digest[] = [];
    for (const { content } of this.#files) {
      this.#signal.throwIfAborted();
      digests.push(await digest(content));
      this.#plainDone++;
    }
    return digests;
  }

  async #runLive(startMs: number): ReturnType<Pipeline["run"]> {
    const leastMs = this.#options.minSeconds * 1_000;
    const signal = this.#signal;
    this.#crew.publisher.tell("start");
    let isPipelineOver = false;
    const isOver = (): boolean =>
      signal.aborted || (isPipelineOver && performance.now() - startMs >= leastMs);
    const asking = this.#questions.run(isOver);
    try {
      const report = await this.#pipeline.run(() => this.#killOne(), signal);
      isPipelineOver = true;
      await delay(Math.max(0, leastMs - (performance.now() - startMs)), undefined, { signal });
      return report;
    } finally {
      await asking;
    }
  }

  /** A crash of a worker, as far as everybody else can see. */
  #killOne(): void {
    const victim = this.#crew.workers.at(-1);
    if (victim === undefined) return;
    this.#killed = victim.name;
    victim.kill();
  }

  #show(): void {
    const { publisher, subscribers, service, workers } = this.#crew;
    const now: Snapshot = {
      atMs: performance.now(),
      phase: this.#phase,
      files: this.#files.length,
      plainDone: this.#plainDone,
      pipeline: this.#pipeline.progress,
      publisher: publisher.progress,
      subscribers: patterns.map((pattern, index) => {
        return { pattern, progress: subscribers[index]?.progress };
      }),
      service: service.progress,
      questions: this.#questions.report,
      workers,
      killed: this.#killed,
    };
    this.#display.show(this.#view.rows(now), this.#view.line(now), now.atMs);
  }
}
