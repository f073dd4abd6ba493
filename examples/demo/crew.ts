import type {
  BoundSettings,
  PublisherProgress,
  PublisherReport,
  ServiceProgress,
  ServiceReport,
  SubscriberProgress,
  SubscriberReport,
  SubscriberSettings,
  WorkerProgress,
  WorkerReport,
  WorkerSettings,
} from "./control.ts";
import type { TransportName } from "./options.ts";
import type { Exit } from "./role-process.ts";
import { RoleProcess } from "./role-process.ts";
import { addressFor } from "./transports.ts";

type Publisher = RoleProcess<PublisherProgress, PublisherReport>;
type Service = RoleProcess<ServiceProgress, ServiceReport>;
type Subscriber = RoleProcess<SubscriberProgress, SubscriberReport>;
type Worker = RoleProcess<WorkerProgress, WorkerReport>;

/** What of a process tells that it was lost. */
interface Watched {
  readonly report: Promise<unknown>;
  readonly isKilled: boolean;
}

/** What the two subscribers want. */
export const patterns: readonly string[] = ["metrics.cpu.*", "metrics.>"];

const workerCount = 3;

/** A worker that is killed costs so many jobs done again; fewer would leave the others idle at times. */
const maxWindow = 32;

/** A child that does not end by itself in this time is ended, and that is a count gone wrong. */
const exitWithinMs = 15_000;

/** A last message that does not come in this time never will. */
const lastMessageWithinMs = 10_000;

/** All child processes of the demo. */
export class Crew {
  readonly publisher: Publisher;
  readonly service: Service;
  readonly subscribers: Subscriber[] = [];
  readonly workers: Worker[] = [];
  readonly #transport: TransportName;
  readonly #window: number;
  readonly #onLost: (error: Error) => void;

  /**
   * Starts those that the others connect to.
   *
   * @param onLost - is told of a process that ended when it should not.
   */
  constructor(transport: TransportName, jobCount: number, onLost: (error: Error) => void) {
    this.#transport = transport;
    this.#onLost = onLost;
    // Few jobs in small windows: so every worker's is full when half of the jobs are sent.
    this.#window = Math.min(maxWindow, Math.ceil(jobCount / (4 * workerCount)));
    this.publisher = new RoleProcess("publisher", "publisher", this.#bound("readings"));
    this.service = new RoleProcess("service", "service", this.#bound("questions"));
    this.#watch(this.publisher, this.service);
  }

  get all(): readonly Pick<Publisher, "name" | "pid" | "exited" | "kill">[] {
    return [this.publisher, this.service, ...this.subscribers, ...this.workers];
  }

  /** Starts the others; all are ready when it is done. */
  async assemble(ends: { readonly jobs: string; readonly results: string }): Promise<void> {
    const transport = this.#transport;
    for (let number = 1; number <= workerCount; number++) {
      const name = `worker ${number}`;
      const settings: WorkerSettings = { transport, name, window: this.#window, ...ends };
      this.workers.push(new RoleProcess(name, "worker", settings));
    }
    const publisher = await this.publisher.ready;
    for (const pattern of patterns) {
      const name = `subscriber ${pattern}`;
      const settings: SubscriberSettings = { transport, name, publisher, pattern };
      this.subscribers.push(new RoleProcess(name, "subscriber", settings));
    }
    this.#watch(...this.workers, ...this.subscribers);
    const others = [this.service, ...this.subscribers, ...this.workers];
    await Promise.all(others.map((role): Promise<unknown> => role.ready));
  }

  /** Ends publishing; gives what was published, and what of it came. */
  async endPublishing(): Promise<{
    readonly publisher: PublisherReport;
    readonly subscribers: readonly SubscriberReport[];
  }> {
    this.publisher.tell("stop");
    const publisher = await this.publisher.report;
    const timer = setTimeout(() => {
      for (const subscriber of this.subscribers) subscriber.tell("stop");
    }, lastMessageWithinMs);
    const reports = await Promise.all(this.subscribers.map(({ report }) => report));
    clearTimeout(timer);
    return { publisher, subscribers: reports };
  }

  async endService(): Promise<ServiceReport> {
    this.service.tell("stop");
    return this.service.report;
  }

  /** Ends all workers but the one that was killed. */
  async endWorkers(killed: string): Promise<ReadonlyMap<string, WorkerReport>> {
    const reports = new Map<string, WorkerReport>();
    for (const worker of this.workers) {
      if (worker.name === killed) continue;
      worker.tell("stop");
      reports.set(worker.name, await worker.report);
    }
    return reports;
  }

  /** Waits until every process is gone. */
  async exits(): Promise<readonly Exit[]> {
    const timer = setTimeout(() => this.kill(), exitWithinMs);
    const exits = await Promise.all(this.all.map(({ exited }) => exited));
    clearTimeout(timer);
    return exits;
  }

  /** Ends every process now. */
  kill(): void {
    for (const role of this.all) role.kill();
  }

  #watch(...roles: readonly Watched[]): void {
    for (const role of roles) {
      role.report.catch((error: unknown) => {
        if (!role.isKilled) this.#onLost(error as Error);
      });
    }
  }

  #bound(name: string): BoundSettings {
    return { transport: this.#transport, bindTo: addressFor(this.#transport, name) };
  }
}
