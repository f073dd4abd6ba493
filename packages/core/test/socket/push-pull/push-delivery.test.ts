import { waitFor } from "@msg-ts/testing";
import { Inproc } from "@msg-ts/transports/inproc";
import { describe, expect, it } from "vitest";
import type { Job } from "../../../src/socket/push-pull/job.ts";
import type { PullSocket } from "../../../src/socket/push-pull/pull.ts";
import { PushSocket } from "../../../src/socket/push-pull/push.ts";
import type { Worker } from "./push-pull-rig.ts";
import { Rig, turns } from "./push-pull-rig.ts";

/** What happened to each job, by its text. */
class Ledger {
  readonly done: Map<string, number> = new Map();
  readonly counts: Map<string, number[]> = new Map();

  note(job: Job): void {
    const text = job.text();
    this.done.set(text, (this.done.get(text) ?? 0) + 1);
    this.counts.set(text, [...(this.counts.get(text) ?? []), job.deliveryCount]);
  }
}

describe("PUSH and PULL", () => {
  it("lose nothing when a worker dies in the middle of its jobs", async () => {
    const rig = await Rig.start();
    const doomed = await rig.worker({ window: 20 });
    const ledger = new Ledger();
    for (let i = 0; i < 20; i++) void rig.push.send(String(i));
    for (let i = 0; i < 5; i++) (await doomed.pull.receive()).ack();
    // Five more are taken, ten were never looked at.
    for (let i = 0; i < 5; i++) await doomed.pull.receive();
    await waitFor(() => rig.push.stats().acknowledged === 5, { what: "five are done" });
    await doomed.die();
    const worker = await rig.pull();
    worker.consume((job) => ledger.note(job));
    await waitFor(() => rig.push.stats().acknowledged === 20, { what: "all are done" });
    expect([...ledger.counts]).toEqual(Array.from({ length: 15 }, (_, i) => [String(i + 5), [2]]));
    expect(rig.push.stats()).toMatchObject({ redelivered: 15, unacknowledged: 0, returned: 0 });
  });

  it("do 10,000 jobs at least once over 4 PULLs of which one dies half way", async () => {
    const total = 10_000;
    const rig = await Rig.start();
    const workers: Worker[] = [];
    for (let i = 0; i < 4; i++) workers.push(await rig.worker({ window: 100 }));
    const ledger = new Ledger();
    let handled = 0;
    let deathOf: Promise<void> | undefined;
    for (const { pull } of workers) {
      pull.consume(
        async (job) => {
          ledger.note(job);
          handled++;
          if (handled === total / 2) deathOf = workers[0]?.die();
          await turns(1);
        },
        { concurrency: 8 },
      );
    }
    for (let i = 0; i < total; i++) await rig.push.send(String(i));
    const { acknowledged } = rig.push.stats();
    await waitFor(() => rig.push.stats().acknowledged === total, {
      what: `all are done, of which ${acknowledged} were`,
      withinMs: 15_000,
    });
    await deathOf;
    expect(ledger.done.size).toBe(total);
    const { redelivered, unacknowledged, returned, waiting } = rig.push.stats();
    expect({ unacknowledged, returned, waiting }).toEqual({
      unacknowledged: 0,
      returned: 0,
      waiting: 0,
    });
    expect(redelivered).toBeGreaterThan(0);
    // What was done twice says so the second time; what came again has a count over 1.
    let repeats = 0;
    for (const counts of ledger.counts.values()) {
      expect(counts).toEqual(counts.length === 1 ? [counts[0]] : [1, 2]);
      if (counts.at(-1) === 2) repeats++;
    }
    expect(repeats).toBe(redelivered);
  });

  it("give a slow PULL no more than its window", async () => {
    const rig = await Rig.start();
    const slow = await rig.pull({ window: 10 });
    const fast = await rig.pull({ window: 50 });
    const seen: string[] = [];
    fast.consume((job) => void seen.push(job.text()));
    for (let i = 0; i < 1_000; i++) await rig.push.send(String(i));
    await waitFor(() => rig.push.stats().acknowledged === 990, {
      what: "the fast one has done the rest",
    });
    expect(seen).toHaveLength(990);
    expect(slow.stats()).toMatchObject({ queued: 10, unsettled: 10 });
    expect(rig.push.stats()).toMatchObject({ unacknowledged: 10, waiting: 0 });
  });

  it("keep the order of each connection", async () => {
    const rig = await Rig.start();
    const seen: number[][] = [];
    for (let i = 0; i < 3; i++) {
      const pull = await rig.pull({ window: 7 + i });
      const mine: number[] = [];
      seen.push(mine);
      pull.consume((job) => void mine.push(Number(job.text())));
    }
    for (let i = 0; i < 3_000; i++) await rig.push.send(String(i));
    await waitFor(() => rig.push.stats().acknowledged === 3_000, { what: "all are done" });
    for (const mine of seen) {
      expect(mine.length).toBeGreaterThan(0);
      expect(mine).toEqual(mine.toSorted((a, b) => a - b));
    }
  });

  it("spread jobs over PULLs that are equally fast", async () => {
    const rig = await Rig.start();
    const pulls: PullSocket[] = [];
    for (let i = 0; i < 4; i++) pulls.push(await rig.pull());
    for (const pull of pulls) pull.consume(() => {});
    for (let i = 0; i < 4_000; i++) await rig.push.send("x");
    await waitFor(() => rig.push.stats().acknowledged === 4_000, { what: "all are done" });
    for (const pull of pulls) expect(pull.stats().messagesReceived).toBeGreaterThan(500);
  });

  it("take jobs fairly from several PUSHes", async () => {
    const rig = await Rig.start();
    const second = new PushSocket(new Inproc(rig.hub));
    await second.bind("more-jobs");
    const pull = await rig.pull({ window: 50 });
    await pull.connect("more-jobs");
    await second.ready();
    for (let i = 0; i < 50; i++) void rig.push.send("a");
    for (let i = 0; i < 3; i++) void second.send("b");
    await waitFor(() => pull.stats().queued === 53, { what: "all are queued" });
    const order: string[] = [];
    for (let i = 0; i < 8; i++) order.push((await pull.receive()).text());
    expect(order.join("")).toBe("abababaa");
    await second.close({ lingerMs: 0 });
  });

  it("agree when both close", async () => {
    const rig = await Rig.start();
    const pull = await rig.pull();
    pull.consume(() => {});
    for (let i = 0; i < 100; i++) void rig.push.send(String(i));
    const [report] = await Promise.all([
      rig.push.close({ lingerMs: 100 }),
      pull.close({ lingerMs: 60_000 }),
    ]);
    const { acknowledged } = rig.push.stats();
    expect(acknowledged + report.unsent + report.unacknowledged).toBe(100);
  });

  it("go on when the worker comes back under the same address", async () => {
    const rig = await Rig.start();
    const { pull } = await rig.worker();
    const seen: string[] = [];
    pull.consume((job) => void seen.push(job.text()));
    for (let round = 0; round < 5; round++) {
      await rig.push.send(String(round));
      await waitFor(() => rig.push.stats().acknowledged > round, { what: "it is done" });
      for (const peer of peersOf(rig)) peer.destroy();
      await waitFor(() => rig.push.stats().connects === round + 2, { what: "it is back" });
    }
    expect(seen).toEqual(["0", "1", "2", "3", "4"]);
  });
});

/** The PUSH's own ends of its connections. */
function peersOf(rig: Rig): readonly { destroy(): void }[] {
  const { endpoints } = rig.push as unknown as {
    endpoints: { peers: ReadonlySet<{ connection: { destroy(): void } }> };
  };
  return Array.from(endpoints.peers, (peer) => peer.connection);
}
