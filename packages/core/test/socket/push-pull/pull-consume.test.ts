import { waitFor } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import type { Job } from "../../../src/socket/push-pull/job.ts";
import type { PullOptions } from "../../../src/socket/push-pull/pull-options.ts";
import type { PullSocket } from "../../../src/socket/push-pull/pull.ts";
import type { RawPeer } from "./push-pull-rig.ts";
import { Deferred, flowHex, jobHex, rawPush, turns } from "./push-pull-rig.ts";

/** A PULL that got `count` jobs, named by their sequence. */
async function scene(
  count: number,
  options: PullOptions = {},
): Promise<{ pull: PullSocket; peer: RawPeer }> {
  const { pull, peer } = await rawPush({ window: 100, ...options });
  await peer.expect(flowHex("window", 0, 100));
  let frames = "";
  for (let i = 0; i < count; i++) frames += jobHex(i, String(i));
  peer.write(frames);
  await waitFor(() => pull.stats().queued === count, { what: "the jobs are here" });
  return { pull, peer };
}

describe("for await over a PULL", () => {
  it("gives back the job at hand when the body throws", async () => {
    const { pull, peer } = await scene(2);
    const failing = (async (): Promise<void> => {
      for await (const job of pull) throw new Error(`no ${job.text()}`);
    })();
    await expect(failing).rejects.toThrow("no 0");
    await peer.expect(flowHex("nack", 0, 1));
  });

  it("gives back the job at hand when it is left by break", async () => {
    const { pull, peer } = await scene(3);
    for await (const job of pull) if (job.text() === "1") break;
    await turns();
    expect(pull.stats()).toMatchObject({ acknowledged: 1, refusedJobs: 1, queued: 1 });
    await peer.expect(flowHex("ack", 0, 1) + flowHex("nack", 1, 1));
  });

  it("acknowledges a job when the next one is asked for", async () => {
    const { pull, peer } = await scene(2);
    const iterator = pull[Symbol.asyncIterator]();
    await iterator.next();
    await turns();
    expect(peer.hex).toBe("");
    await iterator.next();
    await peer.expect(flowHex("ack", 0, 1));
  });

  it("acknowledges only what the same iterator gave", async () => {
    const { pull, peer } = await scene(4);
    const first = pull[Symbol.asyncIterator]();
    const second = pull[Symbol.asyncIterator]();
    await first.next();
    await second.next();
    await second.next();
    await peer.expect(flowHex("ack", 1, 1));
    await first.return?.();
    expect(await peer.expect(flowHex("nack", 0, 1))).toBe(true);
  });

  it("leaves alone what the application settled itself", async () => {
    const { pull, peer } = await scene(2);
    for await (const job of pull) {
      if (job.text() === "0") job.nack();
      else {
        job.ack();
        break;
      }
    }
    await turns();
    expect(pull.stats()).toMatchObject({ acknowledged: 1, refusedJobs: 1 });
    expect(peer.hex).toHaveLength(40);
  });

  it("ends when the PULL is closed", async () => {
    const { pull } = await scene(0);
    const seen: string[] = [];
    const loop = (async (): Promise<void> => {
      for await (const job of pull) seen.push(job.text());
    })();
    await turns();
    await pull.close({ lingerMs: 10 });
    await loop;
    expect(seen).toEqual([]);
  });
});

describe("batches()", () => {
  it("acknowledges the whole batch when the next one is asked for", async () => {
    const { pull, peer } = await scene(5);
    const batches = pull.batches({ maxMessages: 3 });
    const { value: batch } = (await batches.next()) as { value: readonly Job[] };
    expect(batch.map((job) => job.text())).toEqual(["0", "1", "2"]);
    await turns();
    expect(peer.hex).toBe("");
    await batches.next();
    await peer.expect(flowHex("ack", 0, 3));
  });

  it("gives back the whole batch when it is left", async () => {
    const { pull, peer } = await scene(5);
    for await (const batch of pull.batches()) {
      expect(batch).toHaveLength(5);
      batch[1]?.ack();
      break;
    }
    await peer.expect(flowHex("ack", 1, 1) + flowHex("nack", 0, 1) + flowHex("nack", 2, 3));
  });
});

describe("consume()", () => {
  it("gives a job back when the callback throws, tells, and goes on", async () => {
    const { pull, peer } = await scene(3);
    const failed = pull.once("error");
    pull.consume((job) => {
      if (job.text() === "1") throw new Error("no");
    });
    const { error } = await failed;
    expect([error.code, (error.cause as Error).message]).toEqual(["MSG_HANDLER_FAILED", "no"]);
    await turns();
    expect(pull.stats()).toMatchObject({ acknowledged: 2, refusedJobs: 1, unsettled: 0 });
    await peer.received(30);
  });

  it("gives a job back when the callback's promise rejects", async () => {
    const { pull, peer } = await scene(1);
    const failed = pull.once("error");
    pull.consume(async () => {
      await turns(1);
      throw new Error("no");
    });
    expect((await failed).error.code).toBe("MSG_HANDLER_FAILED");
    await peer.expect(flowHex("nack", 0, 1));
  });

  it("acknowledges when the callback's promise fulfils, not before", async () => {
    const { pull, peer } = await scene(1);
    const work = new Deferred();
    pull.consume(() => work.promise);
    await turns();
    expect(peer.hex).toBe("");
    work.resolve();
    await peer.expect(flowHex("ack", 0, 1));
  });

  it("runs one call at a time by default, in order", async () => {
    const { pull } = await scene(4);
    let running = 0;
    const seen: string[] = [];
    pull.consume(async (job) => {
      expect(++running).toBe(1);
      await turns(2);
      running--;
      seen.push(job.text());
    });
    await waitFor(() => seen.length === 4, { what: "all are done" });
    expect(seen).toEqual(["0", "1", "2", "3"]);
  });

  it("runs as many calls at a time as concurrency says", async () => {
    const { pull, peer } = await scene(5);
    const work = new Deferred();
    let running = 0;
    pull.consume(
      () => {
        running++;
        return work.promise;
      },
      { concurrency: 3 },
    );
    await turns();
    expect(running).toBe(3);
    work.resolve();
    await waitFor(() => running === 5, { what: "all have run" });
    await peer.received(10);
  });

  it("is called for jobs that come later, and no more once it is stopped", async () => {
    const { pull, peer } = await scene(0);
    const seen: string[] = [];
    const consumer = pull.consume((job) => void seen.push(job.text()));
    peer.write(jobHex(0, "a"));
    await peer.expect(flowHex("ack", 0, 1));
    await consumer.stop();
    peer.write(jobHex(1, "b"));
    await waitFor(() => pull.stats().queued === 1, { what: "it waits" });
    expect(seen).toEqual(["a"]);
  });
});

describe("receive()", () => {
  it("rejects with MSG_TIMEOUT, MSG_CLOSED, or its signal's reason", async () => {
    const { pull } = await scene(0);
    await expect(pull.receive({ timeoutMs: 1 })).rejects.toMatchObject({ code: "MSG_TIMEOUT" });
    const reason = new Error("enough");
    const abort = new AbortController();
    const aborted = pull.receive({ signal: abort.signal });
    abort.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    const waiting = pull.receive();
    await pull.close({ lingerMs: 10 });
    await expect(waiting).rejects.toMatchObject({ code: "MSG_CLOSED" });
  });
});
