import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { waitFor } from "@msg-ts/testing";
import type { DrainReport } from "msg-ts";
import { MsgError, PushSocket, ReqSocket, SubSocket, Tcp } from "msg-ts";
import { ServiceProcess } from "./service-process.ts";

const patienceMs = 60_000;

/** How a rolling restart is done. */
export interface RollingOptions {
  /** How often each of the processes is replaced. */
  readonly rounds: number;
  /** Requests, or jobs, each second. */
  readonly rate: number;
}

/** Replaces one process after the other, while `isGoingOn`. */
interface Fleet {
  /** Each, in turn, so often. */
  roll(rounds: number, onEnded: (report: DrainReport) => void): Promise<void>;
  endAll<Report extends DrainReport>(): Promise<Report[]>;
  killAll(): Promise<void>;
}

async function fleetOf(
  name: string,
  argsOf: readonly (readonly string[])[],
  isBack: (index: number) => Promise<void>,
): Promise<Fleet> {
  const services = await Promise.all(argsOf.map((args) => ServiceProcess.start(name, args)));
  return {
    roll: async (rounds, onEnded) => {
      for (let step = 0; step < rounds * services.length; step++) {
        const index = step % services.length;
        const report = await services[index]?.end<DrainReport>();
        if (report !== undefined) onEnded(report);
        services[index] = await ServiceProcess.start(name, argsOf[index] ?? []);
        await isBack(index);
      }
    },
    endAll: <Report extends DrainReport>() =>
      Promise.all(services.map((service) => service.end<Report>())),
    killAll: async () => void (await Promise.all(services.map((service) => service.kill()))),
  };
}

/** Calls back `rate` times each second, in small groups, until it is told to stop. */
function atRate(rate: number, call: () => void): () => number {
  const startedMs = performance.now();
  let calls = 0;
  const timer = setInterval(() => {
    const due = ((performance.now() - startedMs) / 1_000) * rate;
    for (; calls < due; calls++) call();
  }, 5);
  return () => {
    clearInterval(timer);
    return calls;
  };
}

/** What became of requests while the processes that answer them were replaced. */
export interface RepliesReport {
  readonly restarts: number;
  readonly asked: number;
  readonly answered: number;
  /** How many failed, by code. */
  readonly failed: Readonly<Record<string, number>>;
  /** Drains that left something. */
  readonly incomplete: number;
}

/** Three REPs are replaced one after the other while a REQ asks all the time, without `retry`. */
export async function rollReps({ rounds, rate }: RollingOptions): Promise<RepliesReport> {
  const addresses = await freeAddresses(3);
  const req = new ReqSocket(new Tcp(), { timeoutMs: 10_000 });
  const fleet = await fleetOf(
    "replier",
    addresses.map((address) => [address]),
    (index) => isConnected(req, addresses[index] ?? ""),
  );
  try {
    for (const address of addresses) await req.connect(address);
    await req.ready({ peers: addresses.length, timeoutMs: patienceMs });
    let answered = 0;
    const failed: Record<string, number> = {};
    let number = 0;
    const pending = new Set<Promise<void>>();
    const stop = atRate(rate, () => {
      const question = `${number++}`;
      const asked = req.request(question).then(
        (reply) => {
          if (reply.text() === question) answered++;
          else failed["WRONG_ANSWER"] = (failed["WRONG_ANSWER"] ?? 0) + 1;
        },
        (error: unknown) => {
          const code = MsgError.is(error) ? error.code : String(error);
          failed[code] = (failed[code] ?? 0) + 1;
        },
      );
      pending.add(asked);
      void asked.finally(() => pending.delete(asked));
    });
    let incomplete = 0;
    await fleet.roll(rounds, (report) => void (incomplete += report.isComplete ? 0 : 1));
    const asked = stop();
    await Promise.all(pending);
    return { restarts: rounds * 3, asked, answered, failed, incomplete };
  } finally {
    await req.close({ lingerMs: 0 });
    await fleet.killAll();
  }
}

/** What became of jobs while the processes that do them were replaced. */
export interface JobsReport {
  readonly restarts: number;
  readonly sent: number;
  readonly acknowledged: number;
  /** Counted by the workers. */
  readonly done: number;
  readonly redelivered: number;
  readonly refused: number;
  readonly incomplete: number;
}

type WorkerReport = DrainReport & { readonly done: number; readonly again: number };

/** Three PULLs are replaced one after the other while a PUSH sends all the time. */
export async function rollPulls({ rounds, rate }: RollingOptions): Promise<JobsReport> {
  const push = new PushSocket(new Tcp(), { maxWaiting: 1_000_000 });
  const address = await push.bind("127.0.0.1:0");
  const fleet = await fleetOf(
    "worker",
    [1, 2, 3].map(() => [address]),
    () => push.ready({ peers: 3, timeoutMs: patienceMs }),
  );
  try {
    await push.ready({ peers: 3, timeoutMs: patienceMs });
    const reports: WorkerReport[] = [];
    const stop = atRate(rate, () => void push.send("x".repeat(100)));
    await fleet.roll(rounds, (report) => void reports.push(report as WorkerReport));
    const sent = stop();
    await push.settled({ timeoutMs: patienceMs });
    const { acknowledged, redelivered, refusedJobs: refused } = push.stats();
    reports.push(...(await fleet.endAll<WorkerReport>()));
    const done = reports.reduce((sum, report) => sum + report.done, 0);
    const incomplete = reports.filter((report) => !report.isComplete).length;
    return { restarts: rounds * 3, sent, acknowledged, done, redelivered, refused, incomplete };
  } finally {
    await push.close({ lingerMs: 0 });
    await fleet.killAll();
  }
}

/** What a subscriber heard while its publishers were replaced. */
export interface NewsReport {
  readonly restarts: number;
  readonly published: number;
  readonly heard: number;
  /** Counted by the subscriber: 0 while a connection stands. */
  readonly lost: number;
  /** Times in which nobody can know what it missed: one for each restart. */
  readonly uncountedGaps: number;
  readonly goodbyes: number;
  readonly outOfOrder: number;
  readonly incomplete: number;
}

type PublisherReport = DrainReport & { readonly published: number };

/** Two PUBs are replaced one after the other while a SUB listens to both. */
export async function rollPubs({ rounds }: RollingOptions): Promise<NewsReport> {
  const addresses = await freeAddresses(2);
  const sub = new SubSocket(new Tcp());
  let heard = 0;
  let outOfOrder = 0;
  let goodbyes = 0;
  const last = new Map<number, number>();
  sub.on("draining", () => void goodbyes++);
  sub.consume((message) => {
    heard++;
    const number = Number(message.text());
    const before = last.get(message.peer.id) ?? -1;
    if (number !== before + 1) outOfOrder++;
    last.set(message.peer.id, number);
  });
  void sub.subscribe("numbers.*");
  const fleet = await fleetOf(
    "publisher",
    addresses.map((address, index) => [address, `p${index}`]),
    async (index) => {
      await isConnected(sub, addresses[index] ?? "");
      await hearsMore(() => heard);
    },
  );
  try {
    for (const address of addresses) await sub.connect(address);
    await sub.ready({ peers: addresses.length, timeoutMs: patienceMs });
    await hearsMore(() => heard);
    const reports: PublisherReport[] = [];
    await fleet.roll(rounds, (report) => void reports.push(report as PublisherReport));
    const { uncountedGaps } = sub.stats();
    reports.push(...(await fleet.endAll<PublisherReport>()));
    const published = reports.reduce((sum, report) => sum + report.published, 0);
    await waitFor(() => heard >= published, { what: "all is heard", withinMs: 10_000 }).catch(
      () => {},
    );
    const { lost } = sub.stats();
    const incomplete = reports.filter((report) => !report.isComplete).length;
    const restarts = rounds * 2;
    return {
      restarts,
      published,
      heard,
      lost,
      uncountedGaps,
      goodbyes,
      outOfOrder,
      incomplete,
    };
  } finally {
    await sub.close({ lingerMs: 0 });
    await fleet.killAll();
  }
}

async function isConnected(socket: ReqSocket | SubSocket, address: string): Promise<void> {
  const isThere = (): boolean => socket.peers.some(({ endpoint }) => endpoint === address);
  await waitFor(isThere, { what: `${address} is connected again`, withinMs: patienceMs });
  // A moment of work together, before the next one goes.
  await delay(100);
}

async function hearsMore(count: () => number): Promise<void> {
  const before = count();
  await waitFor(() => count() > before + 100, { what: "more is heard", withinMs: patienceMs });
}

/** Ports that nobody has now; each process listens on the same one as the one before it. */
async function freeAddresses(count: number): Promise<string[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
      return server;
    }),
  );
  const addresses = servers.map((server) => {
    const { port } = server.address() as AddressInfo;
    return `127.0.0.1:${port}`;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return addresses;
}
