import type {
  PublisherProgress,
  ServiceProgress,
  SubscriberProgress,
  TopicCounts,
  WorkerProgress,
} from "./control.ts";
import type { Row } from "./display.ts";
import { bar, count, mebibytes, milliseconds, perSecond, seconds } from "./format.ts";
import type { PipelineProgress } from "./pipeline.ts";
import type { QuestionsReport } from "./questions.ts";
import { Rate } from "./rates.ts";

/** How things stand at one moment. What has not begun yet has no progress. */
export interface Snapshot {
  readonly atMs: number;
  readonly phase: string;
  readonly files: number;
  /** Files that this process has done, for comparison. */
  readonly plainDone: number;
  readonly pipeline: PipelineProgress;
  readonly publisher: PublisherProgress | undefined;
  readonly subscribers: readonly {
    readonly pattern: string;
    readonly progress: SubscriberProgress | undefined;
  }[];
  readonly service: ServiceProgress | undefined;
  readonly questions: QuestionsReport;
  readonly workers: readonly {
    readonly name: string;
    readonly progress: WorkerProgress | undefined;
  }[];
  /** The name of the worker that was killed. */
  readonly killed: string;
}

const barWidth = 30;

/** Makes lines of snapshots; remembers earlier ones to tell rates. */
export class LiveView {
  readonly #startMs: number;
  readonly #rates: Map<string, Rate> = new Map();

  constructor(startMs: number) {
    this.#startMs = startMs;
  }

  rows(now: Snapshot): Row[] {
    return [
      { label: "demo", text: `${this.#elapsed(now)}  ${now.phase}` },
      { label: "machine", text: this.#machine(now) },
      ...this.#live(now),
      {
        label: "one process",
        text: `${bar(now.plainDone / now.files, barWidth)} ${files(now.plainDone)}`,
      },
      { label: "3 workers", text: this.#pipeline(now) },
      { label: "", text: workers(now) },
    ];
  }

  /** The same in short, for where nothing can be redrawn. */
  line(now: Snapshot): string {
    const received = now.subscribers.map(({ progress }) => count(progress?.received ?? 0));
    return [
      this.#elapsed(now),
      `published ${count(now.publisher?.published ?? 0)}`,
      `received ${received.join(" and ")}`,
      `answers ${count(now.questions.answered)}`,
      `of ${files(now.files)} ${count(now.plainDone)} in one process, ${count(now.pipeline.done)} by workers`,
      now.phase,
    ].join(" | ");
  }

  #elapsed({ atMs }: Snapshot): string {
    return seconds((atMs - this.#startMs) / 1_000).padStart(7);
  }

  #live({ atMs, publisher, subscribers, service, questions }: Snapshot): Row[] {
    const published = publisher?.published ?? 0;
    const answered = service?.answered ?? 0;
    return [
      {
        label: "publisher",
        text: `${this.#perSecond("publisher", published, atMs)}  ${count(published)} published on ${publisher?.topics ?? 0} topics`,
      },
      ...subscribers.map(({ pattern, progress }) => {
        const { received = 0, lost = 0 } = progress ?? {};
        const rate = this.#perSecond(pattern, received, atMs);
        return {
          label: pattern,
          text: `${rate}  ${count(received)} received, ${count(lost)} lost`,
        };
      }),
      {
        label: "service",
        text: `${this.#perSecond("service", answered, atMs)}  ${count(answered)} answered, half of them within ${milliseconds(questions.roundTrip.p50Ms)}`,
      },
    ];
  }

  #pipeline({ atMs, pipeline, files: total }: Snapshot): string {
    const { done, doneBytes } = pipeline;
    const rate = this.#perSecond("pipeline", done, atMs).trim();
    return `${bar(done / total, barWidth)} ${files(done)} of ${count(total)}, ${rate}, ${mebibytes(doneBytes)}`;
  }

  /** What the publisher says of the machine, as the last subscriber heard it. */
  #machine({ atMs, subscribers }: Snapshot): string {
    const latest = subscribers.at(-1)?.progress?.latest ?? {};
    const { "metrics.cpu.load1": load, "metrics.memory.free": free } = latest;
    const loopDelay = latest["metrics.loop.p99"];
    if (load === undefined || free === undefined || loopDelay === undefined) return "";
    const network = this.#rate("network", networkBytes(latest), atMs);
    return `load ${load.toFixed(2)}, ${mebibytes(free)} free, network ${mebibytes(network)}/s, event loop delay ${milliseconds(loopDelay)}`;
  }

  #perSecond(name: string, value: number, atMs: number): string {
    return perSecond(this.#rate(name, value, atMs)).padStart(8);
  }

  #rate(name: string, value: number, atMs: number): number {
    let rate = this.#rates.get(name);
    if (rate === undefined) this.#rates.set(name, (rate = new Rate()));
    return rate.update(value, atMs);
  }
}

function files(value: number): string {
  return `${count(value)} files`;
}

function networkBytes(latest: TopicCounts): number {
  const counters = Object.entries(latest).filter(([topic]) => topic.startsWith("metrics.net."));
  return counters.reduce((sum, [, bytes]) => sum + bytes, 0);
}

function workers({ workers: all, killed, pipeline }: Snapshot): string {
  const shares = all.map(({ name, progress }) => {
    return `${name} ${count(progress?.done ?? 0)}${name === killed ? " (killed)" : ""}`;
  });
  const again = `${count(pipeline.redelivered)} jobs delivered again`;
  return killed === "" ? shares.join(", ") : [...shares, again].join(", ");
}
