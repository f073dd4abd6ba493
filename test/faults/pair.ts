import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { waitFor } from "@msg-ts/testing";
import type { Account } from "./account.ts";
import { accountOfJobs, accountOfMessages, accountOfRequests } from "./account.ts";
import type { CampaignContext, CampaignResult } from "./campaign.ts";
import type { ClientCounters, ServerCounters } from "./counters.ts";
import { counterProblems } from "./counters.ts";
import type { IdRecord } from "./id-log.ts";
import { events, readIdLog } from "./id-log.ts";
import type { Network } from "./network.ts";
import { makeNetwork } from "./make-network.ts";
import { addressOf } from "./network.ts";
import type { Planted } from "./planted.ts";
import { environmentOf } from "./planted.ts";
import type { Addresses, ClientSettings, CrowdSettings, Feed, ServerSettings } from "./roles.ts";
import type { WorkerOptions } from "./worker.ts";
import { growthMs, Worker } from "./worker.ts";

/** How a {@link Pair} works, where not as usual. */
export interface PairOptions {
  readonly feed?: Feed;
  readonly requests?: ClientSettings["requests"];
  readonly payloadBytes?: number;
  readonly handshakeTimeoutMs?: number;
  readonly hostName?: string;
  /** Where sockets of the file system are. @defaultValue beside the logs */
  readonly socketFolder?: string;
  readonly server?: WorkerOptions;
  readonly client?: WorkerOptions;
}

const usualFeed: Feed = { burst: 10, everyMs: 10, bytes: 64 };
const usualRequests = { atATime: 16, everyMs: 5, timeoutMs: 3_000 };
const memoryMs = 100;

type Tally = Readonly<Record<string, number>>;

/** What the last client says of what it saw. */
interface ClientEnd {
  readonly rejections: Tally;
  readonly failures: Tally;
}

function tally(what: string, counts: Tally): string[] {
  const text = Object.entries(counts).map(([code, count]) => `${count} ${code}`);
  return text.length === 0 ? [] : [`${what} by the last client: ${text.join(", ")}`];
}

/** What the client of a pair moves when all is well. */
const counters = ["answered", "settled", "received"] as const;

/**
 * A server and a client process with all six sockets between them, at work; either can be killed and
 * started again. Everything is accounted for at the end.
 */
export class Pair {
  #server: Worker | undefined;
  #client: Worker | undefined;
  #faults = 0;
  #recoveryMs: number | undefined;
  #highestBytes = 0;
  #addresses: Addresses;
  readonly network: Network;
  readonly #folder: string;
  readonly #options: PairOptions;
  readonly #planted: Planted;
  readonly #askerLogs: string[] = [];
  readonly #serverLogs: string[] = [];
  readonly #clientLogs: string[] = [];
  readonly #memory: NodeJS.Timeout;

  private constructor(
    network: Network,
    { folder, planted = {} }: CampaignContext,
    options: PairOptions,
  ) {
    this.#planted = planted;
    this.network = network;
    this.#folder = folder;
    this.#options = options;
    this.#addresses = {
      rep: addressOf(network, "rep"),
      pull: addressOf(network, "pull"),
      pub: addressOf(network, "pub"),
    };
    this.#memory = setInterval(() => this.#sampleMemory(), memoryMs);
  }

  /** Starts both and waits until every pattern works. */
  static async start(context: CampaignContext, options: PairOptions = {}): Promise<Pair> {
    const { transport, folder } = context;
    const network = await makeNetwork(transport, options.socketFolder ?? folder);
    const pair = new Pair(network, context, options);
    try {
      await pair.startServer();
      await pair.startClient();
      await pair.server.ask("publish");
      await growthMs(pair.client, counters, {});
    } catch (error) {
      await pair.end();
      throw error;
    }
    return pair;
  }

  get server(): Worker {
    if (this.#server === undefined) throw new Error("the server was not started");
    return this.#server;
  }

  get client(): Worker {
    if (this.#client === undefined) throw new Error("the client was not started");
    return this.#client;
  }

  /** Where the server is; a new place is where the next one binds. */
  get addresses(): Addresses {
    return this.#addresses;
  }

  set addresses(addresses: Addresses) {
    this.#addresses = addresses;
  }

  /** What another process is told that asks the same server; its epochs are over a thousand. */
  crowd(): CrowdSettings {
    const epoch = 1_000 + this.#askerLogs.length;
    const logFile = join(this.#folder, `asker-${epoch}.log`);
    this.#askerLogs.push(logFile);
    const { payloadBytes = 64 } = this.#options;
    return { network: this.network, address: this.#addresses.rep, epoch, logFile, payloadBytes };
  }

  /** Does harm; how long everything needs afterwards is measured. */
  async fault(harm: () => Promise<void>): Promise<void> {
    await harm();
    this.#faults++;
    await this.recovers();
  }

  /** Waits until every pattern went on, from now. */
  async recovers(): Promise<void> {
    const tookMs = await growthMs(this.client, counters, { ...this.client.progress });
    this.#recoveryMs = Math.max(this.#recoveryMs ?? 0, tookMs);
  }

  /** Binds where the first one was. */
  async startServer(): Promise<void> {
    const epoch = this.#serverLogs.length;
    const logFile = join(this.#folder, `server-${epoch}.log`);
    const told: ServerSettings = { ...this.#told(epoch, logFile) };
    const server = new Worker("server", told, this.#started("server"));
    this.#server = server;
    this.#serverLogs.push(logFile);
    this.#addresses = (await server.ready) as Addresses;
    if (epoch > 0) await server.ask("publish");
  }

  async startClient(): Promise<void> {
    const epoch = this.#clientLogs.length;
    const logFile = join(this.#folder, `client-${epoch}.log`);
    const { requests = usualRequests, hostName, handshakeTimeoutMs = 2_000 } = this.#options;
    const dialing = { requests, handshakeTimeoutMs, hostName };
    const told: ClientSettings = { ...this.#told(epoch, logFile), ...dialing };
    const client = new Worker("client", told, this.#started("client"));
    this.#client = client;
    this.#clientLogs.push(logFile);
    await client.ready;
    await client.ask("subscribed");
    await client.ask("work");
  }

  async killServer(): Promise<void> {
    await this.server.kill();
    this.#sampleMemory();
  }

  async killClient(): Promise<void> {
    await this.client.kill();
    this.#sampleMemory();
  }

  /** Lets everything come to its end, closes both, and counts. */
  async finish(more: Partial<CampaignResult> = {}): Promise<CampaignResult> {
    const problems = [...(more.problems ?? [])];
    const end = await this.client.ask<ClientEnd>("stopSending");
    await this.server.ask("stopPublishing");
    await this.#quiet();
    const counted = {
      server: await this.server.ask<ServerCounters>("stats"),
      client: await this.client.ask<ClientCounters>("stats"),
    };
    await Promise.all([this.#close(this.client, problems), this.#close(this.server, problems)]);
    clearInterval(this.#memory);
    problems.push(...this.#counterProblems(counted.server, counted.client));
    const told = [
      ...tally("requests rejected", end.rejections),
      ...tally("dials failed", end.failures),
    ];
    return {
      faults: this.#faults,
      accounts: this.#accounts(),
      highestBytes: this.#highestBytes,
      ...(this.#recoveryMs === undefined ? {} : { recoveryMs: this.#recoveryMs }),
      ...more,
      problems,
      notes: [...told, ...(more.notes ?? [])],
    };
  }

  /** Ends both, also when a campaign failed. */
  async end(): Promise<void> {
    clearInterval(this.#memory);
    await Promise.all([this.#server?.kill(), this.#client?.kill()]);
  }

  #started(side: "server" | "client"): WorkerOptions {
    const options = this.#options[side];
    return { ...options, env: { ...options?.env, ...environmentOf(this.#planted[side]) } };
  }

  #told(epoch: number, logFile: string): ServerSettings {
    const { feed = usualFeed, payloadBytes = 64 } = this.#options;
    const addresses = this.#addresses;
    return { network: this.network, epoch, addresses, logFile, payloadBytes, feed };
  }

  /** Waits until the subscriber has heard what the publisher still had for it. */
  async #quiet(): Promise<void> {
    for (let [quiet, received] = [0, -1]; quiet < 4; await pause(100)) {
      const isRead = await this.server.ask<boolean>("isRead");
      const now = this.client.progress["received"] ?? 0;
      quiet = isRead && now === received ? quiet + 1 : 0;
      received = now;
    }
  }

  async #close(worker: Worker, problems: string[]): Promise<void> {
    worker.ask("close").catch(() => {});
    const exit = waitFor(() => worker.hasEnded, {
      what: `${worker.name} has closed its sockets and ends by itself`,
      withinMs: 15_000,
    });
    await exit.catch((error: unknown) => void problems.push(String(error)));
    if (worker.errors !== "") problems.push(`${worker.name} wrote: ${worker.errors.slice(0, 500)}`);
    await worker.kill();
  }

  #sampleMemory(): void {
    for (const worker of [this.#server, this.#client]) {
      worker?.sampleMemory();
      this.#highestBytes = Math.max(this.#highestBytes, worker?.highestBytes ?? 0);
    }
  }

  #counterProblems(server: ServerCounters, client: ClientCounters): readonly string[] {
    return counterProblems(server, client, lastOf(this.#serverLogs), lastOf(this.#clientLogs));
  }

  #accounts(): Readonly<Record<string, Account>> {
    const server = this.#serverLogs.map(readIdLog);
    const client = this.#clientLogs.map(readIdLog);
    const [asked, answered] = [client.flat(), server.flat()];
    const others = this.#askerLogs.flatMap(readIdLog);
    const lastEpoch = client.length - 1;
    return {
      requests: accountOfRequests([...asked, ...others], answered, lastEpoch),
      jobs: accountOfJobs(asked, answered, lastEpoch),
      messages: accountOfMessages(server.map(publishedIn), client, droppedIn(answered)),
    };
  }
}

function lastOf(logs: readonly string[]): IdRecord[] {
  return readIdLog(logs.at(-1) ?? "");
}

function droppedIn(records: readonly IdRecord[]): number {
  return records.reduce((sum, { kind, id }) => sum + (kind === events.messagesDropped ? id : 0), 0);
}

function publishedIn(records: readonly IdRecord[]): number {
  return records.findLast(({ kind }) => kind === events.messagesPublished)?.id ?? 0;
}
